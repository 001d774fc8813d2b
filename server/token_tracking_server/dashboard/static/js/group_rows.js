// One tool, server, path or item of a list: its name, where it leads, its columns.
import { address, beyond } from "./addresses.js";
import { h } from "./dom.js";
import { money, percent, share, shortName, whole } from "./format.js";
import { bar, basis, breakable, counted } from "./parts.js";

export function groupName(row) {
  return shortName(row.label) || "unnamed";
}

export function groupHref(row) {
  if (row.item && row.session_id) return beyond(["session", row.session_id, "item", row.item]);
  if (row.project && row.kind === null && row.session_id === null) return beyond(["project", row.project]);
  return null;
}

const FIELDS = ["kind", "name", "server", "uri", "agent", "category"];

// The items of a row's group. No fields tell apart what is of none.
export function rowHref(by, row, root = ["groups"]) {
  const fields = FIELDS.filter((name) => row[name] !== null && row[name] !== undefined);
  if (row.is_rest || !fields.length || !beyond([])) return null;
  // What is empty is not kept in an address: the main chain has no name.
  return address([...root, by, "items"], { of: new URLSearchParams(fields.map((name) => [name, row[name]])).toString() });
}

export function groupColumns(rows, { href = groupHref, where, when } = {}) {
  const most = Math.max(0, ...rows.map((row) => row.is_rest ? 0 : row.cost_usd ?? 0));
  const named = (row) => href(row) ? h("a", { href: href(row) }, breakable(groupName(row))) : h("span", {}, breakable(groupName(row)));
  // Of single items of a part of time there is no whole.
  const shares = rows.some((row) => row.share !== null) ? [SHARE] : [];
  return [
    { name: "Name", key: "label", header: true, class: "name", value: (row) => row.label,
      cell: (row) => h("div", { title: row.label }, named(row), when ? h("span", { class: "when" }, when(row)) : null, under(row, where), row.is_rest ? null : bar(row.cost_usd, most)) },
    { name: "Cost", key: "cost", numeric: true, value: (row) => row.cost_usd, cell: (row) => h("strong", {}, money(row.cost_usd)) },
    ...shares,
    { name: "First", key: "first", numeric: true, class: "wide-only", value: (row) => row.first_usd, cell: (row) => money(row.first_usd), hint: "Cost of the first request of each item" },
    { name: "Carrying", key: "carry", numeric: true, value: (row) => row.carry_usd, cell: (row) => money(row.carry_usd), hint: "Cost of sending it again with every later request" },
    { name: "Tokens", key: "tokens", numeric: true, class: "roomy-only", value: (row) => row.tokens, cell: (row) => counted(row.tokens), hint: "What entered the context" },
    { name: "Loaded", key: "loads", numeric: true, class: "wide-only", value: (row) => row.loads, cell: (row) => whole(row.loads), hint: "Times it entered" },
    { name: "Carried", key: "carried", numeric: true, class: "wide-only", value: (row) => row.carried, cell: (row) => whole(row.carried), hint: "Requests that carried it" },
    { name: "Cache saved", key: "efficiency", numeric: true, class: "wide-only", value: (row) => row.efficiency, cell: saved, hint: "Of what the same tokens would have cost uncached" },
  ];
}

const SHARE = { name: "Share", key: "share", numeric: true, class: "wide-only", value: (row) => row.share, cell: (row) => share(row.share), hint: "Of the prompts' cost" };

function saved({ efficiency }) {
  return efficiency !== null && efficiency < 0 ? h("span", { class: "loss" }, `loss of ${percent(-efficiency)}`) : percent(efficiency);
}

function under(row, where) {
  const words = [row.basis === "estimated" ? null : basis(row.basis),
    row.agent ? `in subagent ${row.agent}` : null, where?.(row)].filter(Boolean);
  return words.length ? h("div", { class: "under" }, words.map((each, at) => [at ? " · " : "", each])) : null;
}
