// What to do about a period or a session.
import { beyond } from "./addresses.js";
import { h } from "./dom.js";
import { money, plural } from "./format.js";
import { basis, card, coded } from "./parts.js";

const FIRST_ADVICE = 4;

export function adviceCard(advice, { overall } = {}) {
  if (!advice) return null;
  const note = overall ? `Of the ${money(overall.cost_usd)} of this period. Findings may overlap: they do not add up.` : "Findings may overlap: they do not add up.";
  const list = (all) => h("ol", { class: "advice" }, all.map((each) => finding(each, overall)));
  const rest = advice.slice(FIRST_ADVICE);
  return card("What to do", { wide: true, id: "advice", note }, advice.length
    ? [list(advice.slice(0, FIRST_ADVICE)), rest.length ? h("details", { class: "further" },
      h("summary", {}, `${plural(rest.length, "further finding")}, of at most ${money(rest[0].at_stake_usd)} each`), list(rest)) : null]
    : h("p", { class: "note" }, "Nothing was found that money could be saved on."));
}

function finding(each, overall) {
  return h("li", { "data-kind": each.kind },
    h("div", { class: "rows-line" }, h("h3", {}, coded(each.title)), h("span", { class: "stake" }, money(each.at_stake_usd), " at stake ", basis(each.basis))),
    h("p", {}, coded(each.action)), h("p", { class: "note" }, coded(each.evidence), " ",
      each.session_id && overall && beyond([]) ? h("a", { href: beyond(["session", each.session_id]) }, "The dearest session") : null));
}
