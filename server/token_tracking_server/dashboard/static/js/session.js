// One session, request by request, and what entered each prompt.
import { address, become } from "./addresses.js";
import { adviceCard } from "./advice.js";
import { stepChart } from "./charts.js";
import { announce, fill, h } from "./dom.js";
import { clock, duration, moment, money, percent, plural, share, shortPath, tokens, whole } from "./format.js";
import { groupColumns, groupName } from "./group_rows.js";
import { reconciliationCard } from "./overview.js";
import { basis, breakable, card, counted, crumbs, facts, stat, state, stats, titled } from "./parts.js";
import { table } from "./tables.js";

const ALL = "all";

export function sessionView(timeline, { query, isAlone }) {
  const trail = isAlone ? null : crumbs(...projectStep(timeline), [`Session ${timeline.session_id.slice(0, 8)}`]);
  const head = titled(`Session of ${moment(timeline.first_at)}`, h("span", {}, `It lasted ${duration(timeline.last_at - timeline.first_at)}`,
    timeline.project ? [" · ", h("span", { title: timeline.project }, shortPath(timeline.project, 60))] : null, h("br"), h("code", {}, timeline.session_id)));
  if (!timeline.requests.length) {
    return [trail, head, state("No requests of its own", "Every message of this session was inherited from the one that it continues, which has the figures.")];
  }
  return [trail, head, problem(timeline), figures(timeline), h("div", { class: "grid" },
    timelineCard(timeline, query), itemsCard(timeline),
    timeline.findings.length ? adviceCard(timeline.findings) : null,
    reconciliationCard(timeline.reconciliation, { wide: true }))];
}

function projectStep({ project }) {
  return project ? [["Projects", address(["projects"])], [shortPath(project, 32), address(["project", project])]] : [["Sessions", address(["sessions"])]];
}

function problem({ problem: reason }) {
  return reason ? h("p", { class: "banner" }, `Its prompts cannot be attributed to items: ${reason}`) : null;
}

function figures(timeline) {
  const sum = (name) => timeline.requests.reduce((total, each) => total + each[name], 0);
  const all = timeline.requests.length === timeline.total_requests;
  const prompt = sum("cache_read_tokens") + sum("cache_write_5m_tokens") + sum("cache_write_1h_tokens") + sum("input_tokens");
  const unfinished = timeline.requests.filter((each) => !each.is_final).length;
  return stats(
    stat("Cost", money(timeline.cost_usd), "at API prices", { large: true, key: "cost" }),
    stat("Prompts' cost", money(timeline.prompt_cost_usd), `${tokens(timeline.prompt_tokens)} tokens`, { key: "prompt" }),
    stat("Requests", whole(timeline.total_requests), all ? null : `the first ${whole(timeline.requests.length)} are shown`, { key: "requests" }),
    stat("Output tokens", tokens(sum("output_tokens")), unfinished ? `a lower bound: ${plural(unfinished, "answer")} without a final count` : "each answer final", { key: "output" }),
    stat("Cache hit rate", prompt ? share(sum("cache_read_tokens") / prompt) : "unknown", "of prompt tokens", { key: "hits" }));
}

function chainsOf({ requests }) {
  return [...new Set(requests.map((each) => each.chain))];
}

function timelineCard(timeline, query) {
  const chains = chainsOf(timeline);
  let chain = query.get("chain") ?? ALL;
  const holder = h("div");
  const choice = chains.length < 2 ? null : h("label", { class: "field" }, "Chain ", h("select", { onchange: (event) => { chain = event.target.value; become(["session", timeline.session_id], { chain: chain === ALL ? null : chain }); draw(); } },
    [[ALL, `All ${chains.length}`], ...chains.map((each) => [each, each === "" ? "Main" : `Subagent ${each}`])]
      .map(([value, text]) => h("option", { value, selected: value === chain }, text))));
  draw(query.get("request"));
  return card("Timeline", { wide: true, id: "timeline", tools: choice,
    note: "Each request's prompt: read from the cache, written to it, or fresh. Choose a request, or walk with the arrow keys, to see what entered it." }, holder);

  function draw(wanted) {
    const requests = timeline.requests.filter((each) => chain === ALL || each.chain === chain);
    const found = requests.findIndex((each) => each.key === wanted);
    const entered = h("div", { class: "entered", id: "request", "aria-live": "polite" });
    const choose = (at, keeps = true) => {
      fill(entered, requestPanel(timeline, requests, at, (next) => { chart.choose(next); choose(next); }));
      if (keeps) become(["session", timeline.session_id], { request: requests[at].key, chain: chain === ALL ? null : chain });
    };
    const first = found >= 0 ? found : dearest(requests);
    const chart = stepChart({
      caption: "Prompt tokens of each request", tall: true, chosen: first, onchoose: choose, rows: "Request",
      labels: requests.map((each, at) => `${at + 1} · ${clock(each.at)}`), format: tokens, axis: tokens,
      series: [
        { name: "Read from cache", colour: "read", values: requests.map((each) => each.cache_read_tokens) },
        { name: "Written to cache", colour: "written", values: requests.map(written) },
        { name: "Fresh", colour: "fresh", values: requests.map((each) => each.input_tokens) },
      ],
      marks: (at) => at === undefined ? "" : `${tokens(requests[at].output_tokens)} output, ${money(requests[at].cost_usd)}`,
    });
    fill(holder, chart, entered);
    if (requests.length) choose(first, false);
  }
}

// What a reader looks for first, as long as no request was chosen.
function dearest(requests) {
  return requests.reduce((best, each, at) => (each.prompt_cost_usd ?? 0) > (requests[best].prompt_cost_usd ?? 0) ? at : best, 0);
}

function written(request) {
  return request.cache_write_5m_tokens + request.cache_write_1h_tokens;
}

function requestPanel(timeline, requests, at, choose) {
  const request = requests[at];
  const named = new Map(timeline.items.map((each) => [each.item, each]));
  const step = (text, next) => h("button", { type: "button", class: "plain", disabled: next < 0 || next >= requests.length, onclick: () => choose(next) }, text);
  announce(`Request ${at + 1} of ${requests.length}`);
  return [
    h("div", { class: "card-head" }, h("h3", {}, `Request ${whole(at + 1)} of ${whole(requests.length)}`),
      h("div", { class: "tools" }, step("Previous", at - 1), step("Next", at + 1))),
    h("p", { class: "note" }, `${moment(request.at)} · ${request.model ?? "unknown model"}${request.chain ? ` · subagent ${request.chain}` : ""}`),
    h("div", { class: "split" },
      facts([
        ["Read from cache", tokens(request.cache_read_tokens), "tokens"],
        ["Written for 5 minutes", tokens(request.cache_write_5m_tokens), "tokens"],
        ["Written for an hour", tokens(request.cache_write_1h_tokens), "tokens"],
        ["Fresh", tokens(request.input_tokens), "tokens"],
        ["Output", tokens(request.output_tokens), request.is_final ? "tokens" : "tokens at least: no final count"],
        ["Prompt", money(request.prompt_cost_usd)],
        ["Together", money(request.cost_usd)],
      ]),
      h("div", {}, h("h4", {}, "What entered with it"), request.entered.length
        ? h("ul", { class: "rows compact" }, request.entered.map((id) => enteredRow(timeline, named.get(id), id)))
        : h("p", { class: "note" }, "Nothing new: it was carried from before."))),
  ];
}

function enteredRow(timeline, row, id) {
  if (!row) return h("li", {}, h("span", { class: "quiet" }, id), h("span", { class: "quiet" }, " not among the items shown"));
  return h("li", {}, h("div", { class: "rows-line" },
    h("a", { href: itemHref(timeline, row), title: row.label }, breakable(groupName(row))),
    h("span", { class: "figures" }, h("span", { class: "quiet" }, `${tokens(row.tokens)} tokens`), h("strong", {}, money(row.cost_usd)))));
}

function itemHref(timeline, row) {
  return address(["session", timeline.session_id, "item", row.item]);
}

function itemsCard(timeline) {
  const shown = timeline.items.length;
  const part = shown < timeline.total_items ? `The dearest ${whole(shown)} of ${plural(timeline.total_items, "item")}. ` : `${plural(shown, "item")}. `;
  return card("Items", { wide: true, id: "items", note: [part, "What each cost from the moment it entered to the end. ", basis("estimated")] },
    table("Items", groupColumns(timeline.items, { href: (row) => itemHref(timeline, row), when: (row) => row.entered_at === null ? "" : clock(row.entered_at) }), timeline.items, { key: "items", sort: "cost" }));
}

export function itemView(timeline, id, { isAlone }) {
  const row = timeline.items.find((each) => each.item === id);
  const session = [`Session ${timeline.session_id.slice(0, 8)}`, address(["session", timeline.session_id])];
  if (!row) {
    return [crumbs(session, [id]), state("No such item here", `This session shows no item ${id}.`, h("a", { class: "button", href: session[1] }, "To the session"))];
  }
  return [
    crumbs(...(isAlone ? [] : projectStep(timeline)), session, [groupName(row)]),
    titled(breakable(row.label || groupName(row)), [what(row), " ", basis(row.basis)]),
    itemStats(row), h("div", { class: "grid" }, itemCard(timeline, row), carriedCard(timeline, row)),
  ];
}

function what(row) {
  const kinds = { base: "What stands first in every prompt", answer: "An answer of the model, which stays in the prompt", user: "What you wrote", unlisted: "What no line of the transcript shows" };
  if (row.server) return `A result of ${row.name} of the MCP server ${row.server}`;
  return kinds[row.kind] ?? (row.kind === "tool" ? `A result of the tool ${row.name}` : row.kind ?? "");
}

function itemStats(row) {
  return stats(
    stat("Cost", money(row.cost_usd), row.share === null ? null : `${share(row.share)} of the session's prompts`, { large: true, key: "cost" }),
    stat("To bring it in", money(row.first_usd), "its first request", { key: "first" }),
    stat("To carry it", money(row.carry_usd), `${plural(Math.max(row.carried - 1, 0), "further request")}`, { key: "carry" }),
    stat("Size", tokens(row.tokens), "tokens", { key: "tokens" }),
    stat("Billed for it", tokens(row.prompt_tokens), "prompt tokens in all", { key: "billed" }));
}

function itemCard(timeline, row) {
  return card("In words", { id: "words" }, h("p", { class: "prose" }, sentence(row)), facts([
    ["Entered", row.entered_at === null ? "before the requests of this session" : moment(row.entered_at)],
    row.uri ? ["Path or address", h("code", {}, row.uri)] : null,
    row.agent ? ["Subagent", row.agent] : null,
    ["Requests that carried it", whole(row.carried)],
    ["Caching saved", row.efficiency === null ? percent(null) : row.efficiency < 0 ? `nothing: ${percent(-row.efficiency)} more than uncached` : percent(row.efficiency)],
    ["Id", h("code", {}, row.item)],
  ]));
}

function sentence(row) {
  const size = `It has ${whole(row.tokens)} tokens`;
  if (!row.carried) return `${size}, and no request of this session carried it.`;
  const times = row.carried === 1 ? "one request" : `${whole(row.carried)} requests, each of which sent it again`;
  const carry = row.carry_usd === null || row.cost_usd === null || row.cost_usd <= 0 ? "" : ` ${share(row.carry_usd / row.cost_usd)} of its cost is for carrying it.`;
  return `${size} and stood in the prompt of ${times}: ${whole(row.prompt_tokens)} prompt tokens in all, for ${money(row.cost_usd)}.${carry}`;
}

function carriedCard(timeline, row) {
  const with_ = timeline.requests.findIndex((each) => each.entered.includes(row.item));
  if (with_ < 0) return null;
  const request = timeline.requests[with_];
  return card("The request that it entered with", { id: "entry" }, facts([
    ["When", moment(request.at)],
    ["Model", request.model ?? "unknown"],
    ["Prompt", h("span", {}, counted(request.cache_read_tokens + written(request) + request.input_tokens), " tokens")],
    ["Cost of the request", money(request.cost_usd)],
  ]), h("p", {}, h("a", { class: "button", href: address(["session", timeline.session_id], { request: request.key }) }, "Show it in the timeline")));
}
