// Elements. Text is always set as text: names come from transcripts and may hold anything.
import { plain } from "./format.js";

// Attributes that people read or hear; an address or a value has to stay what it is.
const SAID = /^(?:title|aria-(?:label|valuetext))$/;

export function h(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else if (key === "class") element.className = value;
    else if (key === "style") for (const [rule, set] of Object.entries(value)) element.style.setProperty(rule, set);
    else element.setAttribute(key, value === true ? "" : SAID.test(key) ? plain(value) : value);
  }
  element.append(...shown(children));
  return element;
}

export function fill(element, ...children) {
  element.replaceChildren(...shown(children));
}

function shown(children) {
  return children.flat(Infinity).filter((each) => each !== null && each !== undefined && each !== false)
    .map((each) => each instanceof Node ? each : plain(each));
}

// What a screen reader is told without moving its focus.
export function announce(text) {
  document.getElementById("live").textContent = plain(text);
}
