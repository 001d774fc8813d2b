// Lists of sessions, and a project as a whole.
import { address } from "./addresses.js";
import { h } from "./dom.js";
import { duration, moment, money, shortPath, whole } from "./format.js";
import { card, counted, state, titled } from "./parts.js";
import { table } from "./tables.js";

export function sessionsView(page, load) {
  if (!page.sessions.length) return [titled("Sessions"), state("No sessions yet", "The ledger holds no session. It reads the transcripts by itself.")];
  return [titled("Sessions", "The newest first, whatever the period."),
    card("All sessions", { wide: true, id: "sessions" }, sessionTable(page, load, true))];
}

export function sessionTable(page, load, withProject) {
  const holder = h("div");
  const rows = [...page.sessions];
  let next = page.next_offset;
  const draw = () => holder.replaceChildren(...table("Sessions", columns(withProject), rows, { key: `sessions ${rows.length}`, first: rows.length }).slice(0, 1), more());
  const more = () => h("p", { class: "more", hidden: next === null }, h("button", { type: "button", class: "plain", onclick: async () => {
    const further = await load(next);
    rows.push(...further.sessions);
    next = further.next_offset;
    draw();
  } }, "Show more"));
  draw();
  return holder;
}

function columns(withProject) {
  return [
    { name: "Session", key: "last", header: true, class: "name", value: (row) => row.last_at, cell: (row) => h("div", {},
      h("a", { href: address(["session", row.session_id]) }, moment(row.last_at)),
      h("div", { class: "under" }, withProject && row.project ? [h("span", { title: row.project }, shortPath(row.project, 40)), " · "] : null, row.session_id.slice(0, 8))) },
    { name: "Cost", key: "cost", numeric: true, value: (row) => row.cost_usd, cell: (row) => h("strong", {}, money(row.cost_usd)) },
    { name: "Messages", key: "messages", numeric: true, value: (row) => row.messages, cell: (row) => whole(row.messages) },
    { name: "Prompt tokens", key: "prompt", numeric: true, class: "wide-only", value: (row) => row.prompt_tokens, cell: (row) => counted(row.prompt_tokens) },
    { name: "Output", key: "output", numeric: true, class: "wide-only", value: (row) => row.output_tokens, cell: (row) => counted(row.output_tokens) },
    { name: "Lasted", key: "lasted", numeric: true, class: "wide-only", value: (row) => (row.last_at ?? 0) - (row.first_at ?? 0), cell: (row) => row.first_at === null ? "unknown" : duration(row.last_at - row.first_at) },
  ];
}
