// A period as a whole.
import { address, beyond } from "./addresses.js";
import { adviceCard } from "./advice.js";
import { seriesColour, stepChart } from "./charts.js";
import { h } from "./dom.js";
import { day, money, percent, plural, roughly, roughMoney, share, tokens, whole } from "./format.js";
import { groupHref, groupName, rowHref } from "./group_rows.js";
import { limitsCard } from "./limits.js";
import { periodName } from "./periods.js";
import { bar, basis, breakable, card, coded, facts, saving, segments, stat, state, stats, titled, tokenSaving } from "./parts.js";

export function overview(snapshot, advice, kept = {}, limits = null) {
  const { overall } = snapshot;
  if (!overall.messages) return [nothing(snapshot), limitsCard(limits)];
  return [
    titled("Overview", span(snapshot)),
    totals(snapshot),
    h("div", { class: "grid" },
      timeCard(snapshot, kept),
      limitsCard(limits),
      adviceCard(advice, snapshot),
      h("div", { class: "column" }, groupCard(snapshot), candidateCard(snapshot)),
      h("div", { class: "column" }, baselineCard(snapshot), cacheCard(snapshot), performerCard(snapshot), reconciliationCard(snapshot.reconciliation))),
  ];
}

// The same of one project, in whose page its groups and sessions follow.
export function projectFigures(snapshot, advice, kept) {
  if (!snapshot.overall.messages) return [state("No messages of this project in this period", "Choose a longer period above.")];
  return [totals(snapshot), h("div", { class: "grid" }, timeCard(snapshot, kept), advice.length ? adviceCard(advice, snapshot) : null)];
}

function nothing(snapshot) {
  return [titled("Overview", span(snapshot)), state("No messages in this period",
    "Choose a longer period above, or look at everything that the ledger has.",
    ...(beyond([]) ? [h("a", { class: "button", href: address([], { period: "all_time" }) }, "Show all time")] : []))];
}

export function span({ period, start, end }) {
  const name = periodName(period);
  if (start === null) return name;
  return `${name}: ${day(start)} to ${end === null ? "now" : day(end - 1)}`;
}

export function totals({ overall, cache, trend }) {
  const change = (metric) => changeText(trend?.changes.find((each) => each.metric === metric));
  const unpriced = overall.unpriced_messages
    ? h("span", { class: "warn" }, `without ${plural(overall.unpriced_messages, "message")} of unknown price`) : null;
  return stats(
    stat("Cost", money(overall.cost_usd), unpriced ?? change("cost") ?? "at API prices", { large: true, key: "cost" }),
    stat("Prompt tokens", tokens(overall.prompt_tokens), `${plural(overall.messages, "message")}, ${plural(overall.sessions, "session")}`, { key: "prompt" }),
    stat("Output tokens", tokens(overall.output_tokens), partial(overall), { key: "output" }),
    stat("Cache hit rate", share(cache.hit_rate_tokens), `${share(cache.hit_rate_requests)} of requests`, { key: "hits" }),
    cacheStat(cache));
}

function cacheStat({ net_savings_usd: net, write_premium_usd: premium }) {
  const lost = net !== null && net < 0;
  return stat(lost ? "Lost by caching" : "Saved by caching", net === null ? money(net) : money(Math.abs(net)),
    premium === null ? null : `net of ${money(premium)} for writing`, { key: "caching", tone: lost ? "loss" : "" });
}

function partial({ partial_messages: count, partial_output_tokens: more, partial_output_usd: usd, partial_output_error_p95: error, partial_output_unknown: unknown }) {
  if (!count) return "each message final";
  const known = `${plural(count, "message")} without a final count`;
  if (more === null || unknown >= count) return `${known}: a lower bound`;
  return [`and about ${tokens(more)} more (${money(usd)}) in ${known} `, basis("estimated"),
    error ? ` off by up to ${roughly(error)} in 19 of 20 answers` : null, unknown ? `; ${whole(unknown)} without an estimate` : null];
}

function changeText(change) {
  if (!change || change.change === null) return null;
  const text = `${change.change >= 0 ? "+" : "−"}${share(Math.abs(change.change))} against the period before`;
  return h("span", { title: change.reason }, text);
}

function timeCard({ trend: whole_ }, kept) {
  const trend = whole_ && { ...whole_, points: used(whole_) };
  if (!trend?.points.length) return card("Over time", { wide: true, id: "over-time" }, h("p", { class: "note" }, "A longer period shows how it went."));
  const holder = h("div");
  const show = (what) => {
    kept.what = what;
    holder.replaceChildren(what === "tokens" ? tokenChart(trend) : what === "hits" ? hitChart(trend) : costChart(trend));
  };
  show(kept.what ?? "cost");
  return card("Over time", {
    wide: true, id: "over-time", note: trendNote(trend),
    tools: segments("What to show", kept.what, [["cost", "Cost"], ["tokens", "Tokens"], ["hits", "Cache hits"]], show),
  }, holder, changes(trend));
}

// An old ledger would be mostly empty at its end, where there is no end but now.
function used({ period, points }) {
  if (!["all", "all_time"].includes(period)) return points;
  const last = points.findLastIndex((each) => each.messages);
  return points.slice(0, last + 1);
}

function trendNote({ direction, step, changes: all }) {
  if (all.every((each) => each.before === null)) return `By ${step}.`;
  const words = { improving: "A message costs less than in the period before", declining: "A message costs more than in the period before", stable: "No telling change in the cost of a message" };
  return `By ${step}. ${words[direction]}.`;
}

function costChart({ points, step }) {
  return stepChart({ caption: "Cost over time by model", labels: points.map((each) => each.label), rows: step,
    series: byModel(points, (point) => point.models), format: money, axis: roughMoney });
}

function tokenChart({ points, step }) {
  const labels = points.map((each) => each.label);
  const series = points.some((each) => Object.keys(each.model_tokens ?? {}).length)
    ? byModel(points, (point) => point.model_tokens)
    : [{ name: "Prompt", values: points.map((each) => each.prompt_tokens), colour: "series-1" },
      { name: "Output", values: points.map((each) => each.output_tokens), colour: "series-2" }];
  return stepChart({ caption: "Tokens over time", labels, series, format: tokens, axis: tokens, rows: step });
}

function hitChart({ points, step }) {
  return stepChart({ caption: "Cache hit rate over time", kind: "line", most: 1, rows: step, labels: points.map((each) => each.label),
    series: [{ name: "Prompt tokens read from cache", values: points.map((each) => each.hit_rate), colour: "series-1" },
      { name: "Prompt cost saved by caching", values: points.map((each) => each.efficiency === null ? null : each.efficiency / 100), colour: "series-2", dash: [5, 4] }],
    format: share, axis: (value) => `${Math.round(value * 100)}%` });
}

// The dearest models one by one; the rest together.
function byModel(points, of) {
  const sums = new Map();
  for (const point of points) for (const [model, value] of Object.entries(of(point))) sums.set(model, (sums.get(model) ?? 0) + (value ?? 0));
  const models = [...sums].sort((a, b) => b[1] - a[1]).map(([model]) => model);
  const own = models.length > 6 ? models.slice(0, 5) : models;
  const rest = models.slice(own.length);
  const series = own.map((model, at) => ({ name: model, colour: seriesColour(at), values: points.map((point) => of(point)[model] ?? null) }));
  if (rest.length) series.push({ name: `${rest.length} other models`, colour: seriesColour(5), values: points.map((point) => rest.reduce((sum, model) => sum + (of(point)[model] ?? 0), 0)) });
  return series;
}

const METRIC_NAMES = { cost: "Cost", cost_per_message: "Cost of a message", hit_rate: "Cache hit rate", efficiency: "Saved by caching", prompt_tokens_per_message: "Prompt tokens of a message", tokens_per_message: "Tokens of a message", messages: "Messages" };

function changes({ changes: all }) {
  if (all.every((each) => each.before === null)) return null;
  return h("ul", { class: "changes" }, all.map((each) => h("li", { title: each.reason },
    h("span", { class: "quiet" }, METRIC_NAMES[each.metric] ?? each.metric.replaceAll("_", " ")),
    h("span", { class: `direction ${each.direction}` }, each.change === null ? "not comparable" : `${each.change >= 0 ? "+" : "−"}${share(Math.abs(each.change))}`),
    h("span", { class: "quiet" }, each.can_tell ? each.direction : "too few messages to tell"))));
}

function cacheCard({ cache }) {
  return card("Caching", { id: "caching", note: "The provider's discount, beside what it cost." }, facts([
    ["Read from cache", tokens(cache.read_tokens), "tokens"],
    ["Written to it", tokens(cache.write_tokens), "tokens"],
    ["Written, never read again", `at most ${tokens(cache.unread_write_tokens)}`, `tokens, ${money(cache.unread_write_usd)} more than uncached; what forks of a session read is not seen`],
    ["Lapsed by idle gaps", whole(cache.lapses), `times, ${tokens(cache.lapse_tokens)} tokens, ${money(cache.lapse_usd)}`],
    ["Model switched in a session", whole(cache.switches), `times, ${money(cache.switch_usd)}`],
    ["Written by unseen calls", tokens(cache.unseen_write_tokens), `tokens, ${money(cache.unseen_write_usd)}`],
    ["Premium for writing", money(cache.write_premium_usd)],
    ["Net", saving(cache.net_savings_usd)],
  ]), basis(cache.basis));
}

function groupCard({ by_category: rows }) {
  const first = [...rows].sort((a, b) => (b.cost_usd ?? -1) - (a.cost_usd ?? -1)).slice(0, 9);
  return card("Where the prompts' money went", {
    id: "categories", note: ["From the moment each item entered the context to the end. ", basis("estimated")],
    tools: beyond([]) ? h("a", { class: "button", href: beyond(["groups", "tool"]) }, "All groups") : null,
  }, barList(first.map((row) => ({ name: groupName(row), href: rowHref("category", row), value: row.cost_usd, text: money(row.cost_usd), detail: share(row.share) }))));
}

function barList(rows) {
  const most = Math.max(0, ...rows.map((row) => row.value ?? 0));
  return h("ol", { class: "bars" }, rows.map((row) => h("li", {},
    h("div", { class: "bars-line" }, row.href ? h("a", { href: row.href }, breakable(row.name)) : h("span", {}, breakable(row.name)),
      h("span", { class: "figures" }, h("strong", {}, row.text), row.detail ? h("span", { class: "quiet" }, row.detail) : null)),
    bar(row.value, most))));
}

const BASELINES = { no_cache: "Without caching", no_jit: "With the whole library upfront", "no_cache+no_jit": "Without either", custom: "Your own baseline" };

function baselineCard({ overall }) {
  return card("Against what it would have been", { id: "baselines", note: "Each baseline by itself: they do not add up." },
    overall.baselines.length ? h("ul", { class: "rows" }, overall.baselines.map((each) => h("li", {},
      h("div", { class: "rows-line" }, h("span", {}, BASELINES[each.baseline] ?? each.baseline, " ", basis(each.basis)), h("strong", {}, saving(each.saved_usd))),
      h("p", { class: "note" }, against(each))))) : h("p", { class: "note" }, "Nothing to compare with."));
}

function against(each) {
  const money_ = `${money(each.cost_usd)} instead of ${money(each.baseline_cost_usd)}`;
  const jit = each.tokens_saved ? `; prompt tokens: ${tokenSaving(each.tokens_saved)}` : "";
  const error = each.error_p95 === null || each.error_p95 === undefined ? "" : `; counts off by up to ${share(each.error_p95)} in 95 of 100`;
  const rate = each.efficiency === null ? "" : each.efficiency < 0 ? `, ${percent(-each.efficiency)} more` : `, ${percent(each.efficiency)} less`;
  return `${money_}${rate}${jit}, in ${plural(each.requests, "request")}${error}.`;
}

function candidateCard({ needs_optimization: all }) {
  return card("Worth a look", { id: "candidates", note: "Groups past a threshold, and the money at stake." }, all.length
    ? h("ul", { class: "rows" }, all.map((each) => h("li", {},
      h("div", { class: "rows-line" }, link(each.row), h("strong", {}, money(each.at_stake_usd))),
      h("p", { class: "note" }, coded(each.reason), " ", h("span", { class: "quiet" }, `(${each.threshold})`)))))
    : h("p", { class: "note" }, "No group passes a threshold."));
}

function performerCard({ top_performers: rows }) {
  return card("Best served by caching", { id: "performers", note: "Groups of which caching saved the most." }, rows.length
    ? h("ul", { class: "rows" }, rows.map((row) => h("li", {}, h("div", { class: "rows-line" }, link(row),
      h("strong", {}, row.efficiency === null ? money(null) : `${percent(row.efficiency)} less`)),
    h("p", { class: "note" }, `${money(row.cost_usd)} for ${tokens(row.prompt_tokens)} prompt tokens`))))
    : h("p", { class: "note" }, "None yet."));
}

function link(row) {
  const href = groupHref(row) ?? rowHref(row.uri && !row.kind ? "path" : "tool", row);
  return href ? h("a", { href }, breakable(groupName(row))) : h("span", {}, breakable(groupName(row)));
}

export function reconciliationCard(all, { wide } = {}) {
  if (!all) return null;
  const head = { id: "reconciliation", wide, note: "The ledger against the client's own totals." };
  if (!all.sessions) return card("Reconciliation", head, h("p", { class: "note" }, all.reasons.join(" ") || "No session here has a total of the client's own."));
  return card("Reconciliation", head, facts([
    ["Sessions with a total", whole(all.sessions), all.sessions_without_total ? `and ${whole(all.sessions_without_total)} without` : null],
    ["The client says", money(all.client_usd)],
    ["The ledger says", money(all.ledger_usd)],
    ["Difference", money(all.difference_usd)],
    ["of it, output without a final count", money(all.partial_output_usd), basis("estimated")],
    ["of it, calls that stand in no line", money(all.unseen_calls_usd), basis("estimated")],
    ["Not explained", money(all.unexplained_usd)],
  ]), all.reasons.length ? h("ul", { class: "reasons" }, all.reasons.map((each) => h("li", {}, each))) : null);
}
