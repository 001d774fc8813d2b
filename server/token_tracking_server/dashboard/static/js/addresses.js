// Where the reader is, in the part of the address after #: back and forward work.

// In the frame of a host there is no address to change: it is kept here.
let held = null;
let isAlone = false;

// A report by itself, with nothing behind it that another view could come from.
export function stayWithin(isFramed) {
  isAlone = true;
  if (!isFramed) return;
  held = "";
  document.addEventListener("click", (event) => {
    const to = event.target.closest?.("a[href^='#/']")?.getAttribute("href");
    if (!to) return;
    event.preventDefault();
    move(to);
  });
}

// The address of a view that needs the program; none where there is no program.
export function beyond(parts, query) {
  return isAlone ? null : address(parts, query);
}

function move(to) {
  held = to;
  dispatchEvent(new Event("hashchange"));
}

export function place() {
  const [path, query] = (held ?? location.hash).replace(/^#\/?/, "").split("?");
  return {
    parts: path.split("/").filter(Boolean).map(decode),
    query: new URLSearchParams(query ?? ""),
  };
}

// The view that it is, whatever was chosen in it.
export function spot() {
  const { parts, query } = place();
  return [...parts, query.get("period"), query.get("metric")].join(" ");
}

// An address here. The period goes along, unless another is given.
export function address(parts, query = {}) {
  const kept = new URLSearchParams();
  const all = { period: place().query.get("period"), ...query };
  for (const [name, value] of Object.entries(all)) if (value) kept.set(name, value);
  const text = kept.toString();
  return `#/${parts.map(encodeURIComponent).join("/")}${text ? `?${text}` : ""}`;
}

export function go(parts, query) {
  if (held === null) location.hash = address(parts, query);
  else move(address(parts, query));
}

// Another address for the same view, which back need not pass.
export function become(parts, query) {
  if (held === null) history.replaceState(null, "", address(parts, query));
  else held = address(parts, query);
}

function decode(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
