// What frames every view: the bar on top, the foot.
import { address, place } from "./addresses.js";
import { fill, h } from "./dom.js";
import { clock, zoneName } from "./format.js";
import { picker } from "./periods.js";
import { isDark, setTheme } from "./theme.js";

const VIEWS = [["Overview", []], ["Groups", ["groups", "tool"]], ["Projects", ["projects"]], ["Sessions", ["sessions"]]];
const WITHOUT_PERIOD = new Set(["session", "sessions"]);

export function drawBar({ isAlone, isFramed }, isConnected) {
  const { parts } = place();
  fill(document.getElementById("bar"), h("div", { class: "bar-inner" },
    h("a", { class: "brand", href: isAlone ? null : address([]) }, "token-tracking"),
    isAlone ? null : h("nav", { "aria-label": "Views" }, VIEWS.map(([text, to]) =>
      h("a", { href: address(to), "aria-current": isIn(parts, to) ? "page" : null }, text))),
    h("div", { class: "bar-tools" },
      isAlone || WITHOUT_PERIOD.has(parts[0]) ? null : picker(),
      isAlone ? null : h("span", { id: "connection", class: `connection${isConnected ? "" : " lost"}` }, connectionWord(isConnected)),
      // A host says itself what colours it has.
      isFramed ? null : h("button", { type: "button", class: "plain", id: "theme", onclick: toggle }, themeWord()))));
}

function isIn(parts, to) {
  const roots = { project: "projects", session: "sessions" };
  return (roots[parts[0]] ?? parts[0]) === to[0];
}

function themeWord() {
  return isDark() ? "Light" : "Dark";
}

function toggle() {
  setTheme(isDark() ? "light" : "dark");
}

// Only the words change: whoever stands on a button of the bar stays there.
export function updateBar(isConnected) {
  const connection = document.getElementById("connection");
  if (connection) {
    connection.className = `connection${isConnected ? "" : " lost"}`;
    connection.textContent = connectionWord(isConnected);
  }
  const theme = document.getElementById("theme");
  if (theme) theme.textContent = themeWord();
}

function connectionWord(isConnected) {
  return isConnected ? "Live" : "Not connected";
}

export function drawFoot({ isAlone }) {
  fill(document.getElementById("foot"),
    h("p", {}, "Costs are at API prices: on a subscription, what the API would have charged. ",
      "Figures are measured from billed usage unless marked as estimated."),
    h("p", {}, `Times are those of ${zoneName()}. `, isAlone ? null : h("span", { id: "as-of" }, `Figures of ${clock(Date.now())}.`)));
}
