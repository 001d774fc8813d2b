// Tables that sort by any column, and show their first rows until asked for more.
import { announce, fill, h } from "./dom.js";
import { spot } from "./addresses.js";

const FIRST = 25;

// How a reader has sorted and opened a table, for when its figures change.
const left = new Map();

// A column: {name, key, value(row), cell(row), numeric, hint}. Rows link where `href(row)` says.
export function table(caption, columns, rows, options = {}) {
  const here = `${spot()} ${options.key}`;
  let { order, shown } = left.get(here) ?? { order: { key: options.sort, down: true }, shown: options.first ?? FIRST };
  const body = h("tbody");
  const more = h("p", { class: "more" });
  const heads = columns.map((column) => head(column));
  const element = h("div", { class: "table-frame", role: "region", "aria-label": `${caption}: table`, tabindex: "0" },
    h("table", { "data-table": options.key ?? caption }, h("caption", { class: "unseen" }, caption),
      h("thead", {}, h("tr", {}, heads)), body));
  draw();
  return [element, more];

  function head(column) {
    return h("th", { scope: "col", class: `${column.numeric ? "numeric" : ""} ${column.class ?? ""}`, "data-key": column.key },
      h("button", { type: "button", title: column.hint, onclick: () => sort(column) }, column.name));
  }

  function sort(column) {
    const down = order.key === column.key ? !order.down : Boolean(column.numeric);
    order = { key: column.key, down };
    draw();
    announce(`${caption}, by ${column.name}, ${down ? "largest" : "smallest"} first`);
  }

  function draw() {
    left.set(here, { order, shown });
    const column = columns.find((each) => each.key === order.key);
    const sorted = column ? [...rows].sort(ordered(column, order.down)) : rows;
    heads.forEach((each) => each.setAttribute("aria-sort",
      each.dataset.key === order.key ? (order.down ? "descending" : "ascending") : "none"));
    fill(body, sorted.slice(0, shown).map((row) => h("tr", { class: row.is_rest && "rest" }, columns.map((each) => cell(each, row)))));
    const rest = sorted.length - shown;
    fill(more, rest > 0
      ? h("button", { type: "button", class: "plain", onclick: () => { shown += 100; draw(); } },
        `Show ${Math.min(rest, 100)} more of ${sorted.length.toLocaleString("en-US")}`)
      : null);
    more.hidden = rest <= 0;
  }

  function cell(column, row) {
    const value = column.cell(row);
    return column.header
      ? h("th", { scope: "row", class: column.class }, value)
      : h("td", { class: `${column.numeric ? "numeric" : ""} ${column.class ?? ""}` }, value);
  }
}

// What is not known stands last, and after it what no row tells apart, whichever way they are sorted.
function ordered(column, down) {
  return (one, other) => {
    const rest = Boolean(one.is_rest) - Boolean(other.is_rest);
    if (rest) return rest;
    const [a, b] = [column.value(one), column.value(other)];
    const [noA, noB] = [a === null || a === undefined, b === null || b === undefined];
    if (noA || noB) return noA - noB;
    const order = typeof a === "string" ? a.localeCompare(b) : a - b;
    return down ? -order : order;
  };
}
