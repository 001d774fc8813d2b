// The gateway's quotas: how far they are used, and until when they last.
import { h } from "./dom.js";
import { moment, money, plural, roughly, tokens } from "./format.js";
import { bar, basis, breakable, card } from "./parts.js";

export function limitsCard(limits) {
  if (!limits?.quotas.length) return null;
  return card("Quotas", { wide: true, id: "quotas", note: "Of the gateway." },
    h("ol", { class: "bars" }, limits.quotas.map(quota)),
    h("ul", { class: "reasons" }, limits.alerts.map((each) => h("li", {}, `${moment(each.raised_at)}: ${each.text}`))));
}

function quota(each) {
  const amount = each.measure === "usd" ? money : tokens;
  const held = each.reserved ? `, ${amount(each.reserved)} held` : "";
  const unpriced = each.unpriced ? `, ${plural(each.unpriced, "request")} of unknown price` : "";
  return h("li", {},
    h("div", { class: "bars-line" },
      h("span", {}, breakable(each.title)),
      h("span", { class: "figures" }, h("strong", {}, `${amount(each.used)} of ${amount(each.limit)}`), h("span", { class: "quiet" }, roughly(each.share)))),
    bar(Math.min(each.used, each.limit), each.limit),
    h("p", { class: "note" }, `Resets ${moment(each.resets_at)}${held}${unpriced}; `,
      each.forecast_at ? `full about ${moment(each.forecast_at)} at this pace ` : `full: ${each.forecast_note} `, basis(each.forecast_basis)));
}
