// A period as a host of MCP Apps gets it: what was asked for comes first.
import { adviceCard } from "./advice.js";
import { groupColumns } from "./group_rows.js";
import { groupingName, shareNote } from "./groups.js";
import { overview, span, totals } from "./overview.js";
import { card, state, titled } from "./parts.js";
import { table } from "./tables.js";

const MOST = { cost: "cost", tokens: "tokens that entered", carried: "tokens of the prompts that carried it", efficiency: "what caching saved of it" };

export function periodReport({ snapshot, advice, view, top }, kept) {
  if (!snapshot.overall.messages) return overview(snapshot, null, kept);
  if (view === "advice") return [titled("What to do", span(snapshot)), totals(snapshot), adviceCard(advice, snapshot)];
  if (view === "top") return [titled("Where the prompts' money went", span(snapshot)), totals(snapshot), topCard(top)];
  return overview(snapshot, advice ?? null, kept);
}

function topCard(found) {
  const { by, metric, rows } = found;
  const title = by ? `By ${groupingName(by)}` : `Most by ${MOST[metric]}`;
  if (!rows.length) return state("Nothing here", "Nothing of this kind entered a prompt in this period.");
  return card(title, { wide: true, id: "top", note: shareNote(found) },
    table(title, groupColumns(rows), rows, { key: "top", sort: metric }));
}
