// Where the prompts' money went, by one grouping or another.
import { address, go, place } from "./addresses.js";
import { h } from "./dom.js";
import { money, plural, tokens, whole } from "./format.js";
import { groupColumns } from "./group_rows.js";
import { periodName } from "./periods.js";
import { basis, card, crumbs, state, titled } from "./parts.js";
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

function listing(by, { rows, totals, left_out: leftOut }, metric, root, project) {
  const name = (GROUPINGS.find(([each]) => each === by)?.[1] ?? by).replace(/^[A-Z](?=[a-z])/, (first) => first.toLowerCase());
  const chooser = h("label", { class: "field" }, "Most by ", h("select", { onchange: (event) => go([...root, by], { metric: event.target.value }) },
    METRICS.map(([value, text]) => h("option", { value, selected: value === metric }, text))));
  if (!rows.length) return state(`Nothing by ${name} here`, "Nothing of this kind entered a prompt in this period. Another grouping or period may show more.");
  const where = by === "item" && !project ? (row) => row.project : undefined;
  return card(`By ${name}`, {
    wide: true, id: "groups", tools: chooser,
    note: [leftOut ? `The first ${whole(rows.length)} of ${plural(rows.length + leftOut, "row")}` : plural(rows.length, "row"),
      `, of ${money(totals.cost_usd)} for ${tokens(totals.prompt_tokens)} prompt tokens in all. Sizes within a prompt are shared out: `, basis("estimated")],
  }, table(`By ${name}`, groupColumns(rows, { where }), rows, { key: "groups", sort: metric }));
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
