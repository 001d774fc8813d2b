// Which view is shown, and when it is drawn anew.
import { address, place, stayWithin } from "./addresses.js";
import { dropCharts } from "./charts.js";
import { drawBar, drawFoot, updateBar } from "./chrome.js";
import { announce, fill, h } from "./dom.js";
import { groupItems, groups, projectHead, projects } from "./groups.js";
import { overview, projectFigures } from "./overview.js";
import { card, state } from "./parts.js";
import { period, setUsualPeriod } from "./periods.js";
import { periodReport } from "./report.js";
import { itemView, sessionView } from "./session.js";
import { sessionTable, sessionsView } from "./sessions.js";
import { findSource } from "./sources.js";
import { onTheme, setTheme, startTheme } from "./theme.js";

const MONTH = 30 * 24 * 3_600_000;
const source = findSource();
const content = document.getElementById("content");
const kept = {};
let drawing = 0;
let shown;
let isConnected = true;

startTheme();
addEventListener("host-theme", () => setTheme(document.documentElement.dataset.theme, false));
onTheme(() => updateBar(isConnected));
addEventListener("hashchange", () => draw(true));
source.listen(() => draw(false), (connected) => {
  if (connected === isConnected) return;
  isConnected = connected;
  updateBar(isConnected);
  // What happened while the program was gone is not told again.
  if (connected) draw(false);
});
if (source.isAlone) {
  stayWithin(source.isFramed);
}
draw(false);

function frame() {
  keepingFocus(document.getElementById("bar"), () => drawBar(source, isConnected));
}

async function draw(goes) {
  const turn = ++drawing;
  const path = place().parts.join("/");
  const moves = goes && path !== shown;
  content.setAttribute("aria-busy", "true");
  if (goes || shown === undefined) frame();
  shown = path;
  let view;
  try {
    view = await (source.isAlone ? reportView() : route());
  } catch (error) {
    view = [state("The figures cannot be shown", error.message,
      source.isAlone ? null : h("button", { type: "button", class: "button", onclick: () => draw(false) }, "Try again"))];
    content.dataset.state = "error";
  }
  // Whoever went elsewhere meanwhile wants that.
  if (turn !== drawing) return;
  const scrolled = window.scrollY;
  dropCharts();
  const opened = moves ? [] : summaries(content, true);
  keepingFocus(content, () => fill(content, view));
  for (const each of summaries(content, false)) if (opened.some(([title]) => title === each[0])) each[1].open = true;
  drawFoot({ isAlone: source.isAlone });
  content.setAttribute("aria-busy", "false");
  document.title = `${content.querySelector("h1")?.textContent ?? "Figures"} · token-tracking`;
  if (moves) {
    scrollTo(0, 0);
    content.focus({ preventScroll: true });
    announce(document.title);
  } else {
    scrollTo(0, scrolled);
  }
}

// Figures that change under the reader's hands must not take the focus away.
function keepingFocus(element, redraw) {
  const all = () => [...element.querySelectorAll("a,button,select,input,summary,[tabindex]")];
  const at = all().indexOf(document.activeElement);
  redraw();
  if (at >= 0) all()[at]?.focus({ preventScroll: true });
}

// What can be opened, by the words that it is opened with, in which figures may change.
function summaries(element, isOpen) {
  return [...element.querySelectorAll("details")].filter((each) => each.open === isOpen)
    .map((each) => [(each.closest("section")?.id ?? "") + each.firstChild.textContent.replace(/[\d.,$]+/g, ""), each]);
}

function reportView() {
  content.dataset.state = "ready";
  if (source.failure) throw new Error(source.failure);
  const { report } = source;
  if (!report) return [h("p", { class: "state" }, "Waiting for the report.")];
  if (report.kind === "snapshot") return periodReport(report, kept);
  if (report.kind === "timeline") return session(report.timeline, true);
  return [h("pre", { class: "text" }, report.text || "There is nothing to show.")];
}

function session(timeline, isAlone) {
  const { parts, query } = place();
  return parts[2] === "item" ? itemView(timeline, parts[3], { isAlone }) : sessionView(timeline, { query, isAlone });
}

async function route() {
  const ledger = await source.get("state");
  content.dataset.state = "ready";
  suit(ledger);
  if (!ledger.messages) return empty(ledger);
  const told = ledger.problem ? h("p", { class: "banner" }, `The figures are not up to date: ${ledger.problem}`) : null;
  return [told, await view()];
}

// What is usual suits the ledger: an old one would look empty by its last month.
function suit({ last_at: last }) {
  const isOld = last !== null && Date.now() - last > MONTH;
  if (setUsualPeriod(isOld ? "all_time" : "last_month")) frame();
}

async function view() {
  const { parts: [name, ...rest], query } = place();
  const asked = { period: period() };
  switch (name) {
    case undefined: {
      const [snapshot, advice, limits] = await Promise.all([source.get("snapshot", asked), source.get("advice", asked), source.get("limits")]);
      return overview(snapshot, advice, kept, limits);
    }
    case "groups": return rest[1] === "items" ? itemsOf(rest[0], null, query) : grouped(rest[0] ?? "tool", null, query);
    case "projects": return projects(await source.get("groups", { ...asked, by: "project", limit: 1000 }));
    case "project": return rest[2] === "items" ? itemsOf(rest[1], rest[0], query) : project(rest[0] ?? "", rest[1] ?? "tool", query);
    case "sessions": return sessionsView(await pageOf(null, 0), (offset) => pageOf(null, offset));
    case "session": return session(await source.get(`sessions/${encodeURIComponent(rest[0] ?? "")}`), false);
    default: return [state("There is no such page", "The address names none of the views.", h("a", { class: "button", href: address([]) }, "To the overview"))];
  }
}

async function grouped(by, of, query) {
  const metric = query.get("metric") ?? "cost";
  return groups(by, await source.get("groups", { by, period: period(), project: of, metric, limit: 500 }), metric, of);
}

async function itemsOf(by, path, query) {
  const of = Object.fromEntries(new URLSearchParams(query.get("of") ?? ""));
  return groupItems(by, await source.get("items", { by, period: period(), project: path, ...of }), of, path);
}

async function project(path, by, query) {
  const asked = { period: period(), project: path };
  const [snapshot, advice, page, rows] = await Promise.all([
    source.get("snapshot", asked), source.get("advice", asked), pageOf(path, 0), grouped(by, path, query)]);
  return [projectHead(path), projectFigures(snapshot, advice, kept), rows,
    card("Sessions", { wide: true, id: "sessions", note: "The newest first, whatever the period." }, page.sessions.length
      ? sessionTable(page, (offset) => pageOf(path, offset), false)
      : h("p", { class: "note" }, "No session began in this folder."))];
}

function pageOf(project_, offset) {
  return source.get("sessions", { project: project_, offset });
}

function empty({ claude_dirs: folders, database, problem }) {
  return [h("div", { class: "state", "data-state": "empty" }, h("h1", {}, "Nothing to show yet"),
    problem ? h("p", { class: "banner" }, `The figures are not up to date: ${problem}`)
      : h("p", {}, "The ledger is empty: no message was found in the transcripts of Claude Code."),
    h("p", {}, "Looked in: ", folders.length ? folders.map((each, at) => [at ? ", " : "", h("code", {}, each)]) : "no folder", "."),
    h("p", {}, "Have a conversation in Claude Code: this page then fills by itself. If your transcripts stand elsewhere, start it with ",
      h("code", {}, "token-tracking dashboard --claude-dir DIR"), ", where DIR holds the folder ", h("code", {}, "projects"), "."),
    h("p", { class: "note" }, "The ledger: ", h("code", {}, database)))];
}
