// Where the prompts' money went, by one grouping or another.
import { address, go, place } from "./addresses.js";
import { h } from "./dom.js";
import { moment, money, plural, roughly, share, shortPath, tokens, whole } from "./format.js";
import { groupColumns, groupHref, groupName, rowHref } from "./group_rows.js";
import { periodName } from "./periods.js";
import { basis, card, crumbs, stat, state, stats, titled } from "./parts.js";
import { table } from "./tables.js";

export const GROUPINGS = [
  ["tool", "Tool"], ["mcp-server", "MCP server"], ["path", "Path"], ["category", "Category"],
  ["skill", "Skill"], ["agent", "Agent"], ["kind", "Kind"], ["item", "Single item"],
];
const METRICS = [["cost", "Cost"], ["tokens", "Tokens"], ["carried", "Requests that carried it"], ["efficiency", "Saved by caching"]];

export function groups(by, found, metric, project) {
  const root = project ? ["project", project] : ["groups"];
  return [
    project ? null : titled("Groups", `${periodName()}. Each item's cost from the moment it entered the context.`),
    h("nav", { class: "tabs", "aria-label": "Group by" }, GROUPINGS.map(([name, text]) =>
      h("a", { href: address([...root, name], { metric }), "aria-current": name === by ? "page" : null }, text))),
    listing(by, found, metric, root, project),
  ];
}

export function groupingName(by) {
  return (GROUPINGS.find(([each]) => each === by)?.[1] ?? by).replace(/^[A-Z](?=[a-z])/, (first) => first.toLowerCase());
}

// How far the shares of a grouping may be off, where that was measured.
export function shareNote({ error_p95: error }) {
  if (!error) return ["Sizes within a prompt are shared out: ", basis("estimated")];
  return `Each share is estimated: 19 of 20 tool results are within ${roughly(error)}.`;
}

function listing(by, found, metric, root, project) {
  const { rows, totals, left_out: leftOut } = found;
  const name = groupingName(by);
  const chooser = h("label", { class: "field" }, "Most by ", h("select", { onchange: (event) => go([...root, by], { metric: event.target.value }) },
    METRICS.map(([value, text]) => h("option", { value, selected: value === metric }, text))));
  if (!rows.length) return state(`Nothing by ${name} here`, "Nothing of this kind entered a prompt in this period. Another grouping or period may show more.");
  const where = by === "item" && !project ? (row) => row.project : undefined;
  return card(`By ${name}`, {
    wide: true, id: "groups", tools: chooser,
    note: [leftOut ? `The first ${whole(rows.length)} of ${plural(rows.length + leftOut, "row")}` : plural(rows.length, "row"),
      totals ? `, of ${money(totals.cost_usd)} for ${tokens(totals.prompt_tokens)} prompt tokens in all. ` : " that entered in this period, each with its cost to the end of its session. ", shareNote(found)],
  }, table(`By ${name}`, groupColumns(rows, { href: (row) => groupHref(row) ?? rowHref(by, row, root), where }), rows, { key: "groups", sort: metric }));
}

// A group's single items, each of which leads into its session.
export function groupItems(by, found, named, project) {
  const { group, rows, looked_at: lookedAt } = found;
  const name = groupingName(by);
  const label = group?.label ?? named.uri ?? named.name ?? named.server ?? named.category ?? named.kind ?? named.agent;
  const root = project ? ["project", project] : ["groups"];
  const steps = project ? [["Projects", address(["projects"])], [shortPath(project, 32), address([...root, by])]] : [[`By ${name}`, address([...root, by])]];
  const note = [lookedAt ? `${plural(rows.length, "item")} of it among the ${whole(lookedAt)} dearest of the period. ` : `${plural(rows.length, "item")} that entered in the period. `,
    "What each cost to the end of its session. ", shareNote(found)];
  return [crumbs(...steps, [label ? groupName({ label }) : "unnamed"]), titled(label || "unnamed", `${periodName()}, by ${name}`),
    group ? groupStats(group) : null,
    rows.length ? card("Single items", { wide: true, id: "group-items", note },
      table("Single items", groupColumns(rows, { where: project ? undefined : (row) => row.project, when: (row) => row.entered_at === null ? "" : moment(row.entered_at) }), rows, { key: `items of ${label}`, sort: "cost" }))
      : state("No single item here", lookedAt ? `None is among the ${whole(lookedAt)} dearest that entered in this period. A shorter period may show it.`
        : "None entered in this period: what it cost is of items that entered before.")];
}

function groupStats(row) {
  return stats(
    stat("Cost", money(row.cost_usd), row.share === null ? null : `${share(row.share)} of the prompts' cost`, { large: true, key: "cost" }),
    stat("To bring it in", money(row.first_usd), `loaded ${plural(row.loads, "time")}`, { key: "first" }),
    stat("To carry it", money(row.carry_usd), `${plural(row.carried, "time")} in a prompt`, { key: "carry" }),
    stat("Size", tokens(row.tokens), "tokens that entered", { key: "tokens" }),
    stat("Billed for it", tokens(row.prompt_tokens), "prompt tokens in all", { key: "billed" }));
}

export function projects({ rows }) {
  if (!rows.length) return [titled("Projects", periodName()), state("No projects in this period", "Choose a longer period above.")];
  return [titled("Projects", `${periodName()}. A session's project is the folder that it began in.`),
    card("By what their prompts cost", { wide: true, id: "projects", note: "The prompts' cost alone: output is in the project's own page." },
      table("Projects", groupColumns(rows, { href: (row) => address(["project", row.project ?? row.label]) }), rows, { key: "projects", sort: "cost" }))];
}

export function projectHead(path) {
  return [crumbs(["Projects", address(["projects"])], [path]), titled(path.split("/").filter(Boolean).pop() ?? path, [path, " · ", periodName(place().query.get("period") ?? undefined)])];
}
