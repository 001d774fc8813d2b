// The pieces that views are made of.
import { h } from "./dom.js";
import { money, tokens, whole } from "./format.js";

const MARKS = {
  estimated: ["estimated", "Worked out from billed counts and estimated sizes: an estimate, not a bill."],
  unknown: ["unknown", "Nothing tells this figure."],
};

// How a figure is known. What is measured needs no mark.
export function basis(name) {
  if (!MARKS[name]) return null;
  const [word, why] = MARKS[name];
  return h("span", { class: `mark mark-${name}`, title: why }, word);
}

export function card(title, options, ...content) {
  const { note, tools, wide, id } = options ?? {};
  return h("section", { class: `card${wide ? " wide" : ""}`, "aria-labelledby": id, id: id && `${id}-card` },
    h("div", { class: "card-head" },
      h("div", {}, h("h2", { id }, title), note ? h("p", { class: "note" }, note) : null),
      tools ? h("div", { class: "tools" }, tools) : null),
    content);
}

export function stat(name, value, detail, options = {}) {
  return h("div", { class: `stat${options.large ? " stat-large" : ""}`, "data-stat": options.key ?? name },
    h("dt", {}, name, " ", options.basis ? basis(options.basis) : null),
    h("dd", { class: options.tone ? `value ${options.tone}` : "value" }, value),
    detail ? h("dd", { class: "detail" }, detail) : null);
}

export function stats(...all) {
  return h("dl", { class: "stats" }, all);
}

// Money that was saved, or lost: never a minus sign alone.
export function saving(usd) {
  if (usd === null || usd === undefined) return h("span", { class: "quiet" }, money(usd));
  return usd < 0
    ? h("span", { class: "loss" }, `loss of ${money(-usd)}`)
    : h("span", { class: usd > 0 ? "gain" : "" }, `${money(usd)} saved`);
}

export function tokenSaving(count) {
  if (count === null || count === undefined) return money(null);
  return count < 0 ? `${tokens(-count)} more than that` : `${tokens(count)} saved`;
}

// A row of words and figures.
export function facts(rows) {
  return h("dl", { class: "facts" }, rows.filter(Boolean).map(([name, value, detail]) => [
    h("dt", {}, name), h("dd", {}, value, detail ? h("span", { class: "detail" }, " ", detail) : null),
  ]));
}

export function state(title, text, ...actions) {
  return h("div", { class: "state" }, h("h2", {}, title), h("p", {}, text),
    actions.length ? h("p", { class: "actions" }, actions) : null);
}

export function segments(label, chosen, options, choose) {
  const buttons = options.map(([value, text]) =>
    h("button", { type: "button", "aria-pressed": String(value === chosen), "data-value": value,
      onclick: () => { mark(value); choose(value); } }, text));
  const mark = (value) => buttons.forEach((each) => each.setAttribute("aria-pressed", String(each.dataset.value === value)));
  return h("div", { class: "segments", role: "group", "aria-label": label }, buttons);
}

export function crumbs(...steps) {
  return h("nav", { class: "crumbs", "aria-label": "Where you are" }, h("ol", {}, steps.map(([text, href]) =>
    h("li", {}, href ? h("a", { href }, text) : h("span", { "aria-current": "page" }, text)))));
}

export function titled(title, detail, ...tools) {
  return h("div", { class: "title" }, h("div", {}, h("h1", {}, title), detail ? h("p", { class: "note" }, detail) : null),
    tools.length ? h("div", { class: "tools" }, tools) : null);
}

// Bars of a list: the dearest is full.
export function bar(value, most, tone = "") {
  const part = most > 0 && value > 0 ? Math.max(value / most, 0.004) : 0;
  return h("span", { class: "bar-track", "aria-hidden": "true" },
    h("span", { class: `bar-fill ${tone}`, style: { width: `${(part * 100).toFixed(2)}%` } }));
}

// Words that a reader types stand between backticks.
export function coded(text) {
  return text.split("\x60").map((part, at) => at % 2 ? h("code", {}, part) : part);
}

// A path breaks where its folders do.
export function breakable(text) {
  return text.split(/(?<=\/)(?=[^/])/).flatMap((part, at) => at ? [h("wbr"), part] : [part]);
}

export function counted(count) {
  return h("span", { title: whole(count) }, tokens(count));
}
