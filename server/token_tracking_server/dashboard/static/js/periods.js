// The periods that can be asked for.
import { h } from "./dom.js";
import { address, go, place } from "./addresses.js";

export const PERIODS = [
  ["last_hour", "Last hour"],
  ["today", "Today"],
  ["last_day", "Last 24 hours"],
  ["last_week", "Last 7 days"],
  ["last_month", "Last 30 days"],
  ["all_time", "All time"],
];

// Others that a tool may have been asked for.
const OTHERS = new Map([["all", "All time"], ["7d", "Last 7 days"], ["30d", "Last 30 days"]]);

let usual = "last_month";

// Whether that is another than before.
export function setUsualPeriod(name) {
  const isNew = name !== usual;
  usual = name;
  return isNew;
}

export function period() {
  return place().query.get("period") ?? usual;
}

export function periodName(name = period()) {
  return PERIODS.find(([known]) => known === name)?.[1] ?? OTHERS.get(name) ?? name.replace("..", " up to ");
}

export function picker() {
  const chosen = period();
  const known = PERIODS.some(([name]) => name === chosen);
  const select = h("select", { "aria-label": "Period", onchange: () => change(select.value) },
    PERIODS.map(([name, text]) => h("option", { value: name, selected: name === chosen }, text)),
    h("option", { value: "custom", selected: !known }, known ? "Between two days…" : periodName()));
  return h("div", { class: "period" }, select, known ? null : between(chosen));
}

function change(value) {
  const { parts, query } = place();
  const day = (from) => new Date(Date.now() + from * 86_400_000).toISOString().slice(0, 10);
  go(parts, { ...Object.fromEntries(query), period: value === "custom" ? `${day(-13)}..${day(1)}` : value });
}

// The last day is left out, as everywhere in this program.
function between(chosen) {
  const [first, last] = chosen.split("..");
  const from = h("input", { type: "date", value: first, "aria-label": "From this day" });
  const to = h("input", { type: "date", value: last, "aria-label": "Up to, not including, this day" });
  const set = () => {
    if (from.value && to.value && from.value < to.value) {
      const { parts, query } = place();
      location.hash = address(parts, { ...Object.fromEntries(query), period: `${from.value}..${to.value}` });
    }
  };
  from.addEventListener("change", set);
  to.addEventListener("change", set);
  return h("span", { class: "between" }, from, h("span", { class: "quiet" }, "up to"), to);
}
