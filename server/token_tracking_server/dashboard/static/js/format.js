// Figures as people read them. What is not known is said so, and is never 0.

export const UNKNOWN = "unknown";

// What has no shape of its own, or turns the words around it: names come from files.
const UNPRINTABLE = /[^\P{C}\n\t]|[\p{Zl}\p{Zp}]/gu;

export function plain(text) {
  return String(text).replace(UNPRINTABLE, "\ufffd");
}

const SIZES = [[1e12, "T"], [1e9, "B"], [1e6, "M"], [1e3, "k"]];

export function money(usd) {
  if (usd === null || usd === undefined) return UNKNOWN;
  const size = Math.abs(usd);
  const places = size >= 0.01 || size === 0 ? 2 : 4;
  const sign = usd < 0 ? "-" : "";
  if (size > 0 && Number(size.toFixed(places)) === 0) return `<${sign}$0.0001`;
  return sign + "$" + size.toLocaleString("en-US", {
    minimumFractionDigits: places, maximumFractionDigits: places,
  });
}

// Axes: no more digits than tell the ticks apart.
export function roughMoney(usd) {
  const size = Math.abs(usd);
  if (size >= 1000) return `$${tokens(usd)}`;
  return `$${usd.toFixed(size >= 10 || size === 0 ? 0 : size >= 0.1 ? 2 : 4).replace(/\.00$/, "")}`;
}

export function tokens(count) {
  if (count === null || count === undefined) return UNKNOWN;
  const size = Math.abs(count);
  for (const [unit, letter] of SIZES) {
    if (size >= unit * 0.99995 && size >= 10_000) {
      const scaled = count / unit;
      const text = scaled.toFixed(Math.abs(scaled) >= 99.95 ? 0 : 1);
      return `${text.replace(/\.0$/, "")}${letter}`;
    }
  }
  return whole(count);
}

export function whole(count) {
  return count === null || count === undefined ? UNKNOWN : Math.round(count).toLocaleString("en-US");
}

// A share from 0 to 1; never 100% or 0% where it is not exactly that.
export function share(value) {
  if (value === null || value === undefined) return UNKNOWN;
  if (value > 0.9995 && value < 1) return ">99.9%";
  if (value > 0 && value < 0.0005) return "<0.1%";
  return `${(value * 100).toFixed(1)}%`;
}

// The error of an estimate needs no decimals.
export function roughly(value) {
  return `${Math.round(value * 100)}%`;
}

export function percent(value) {
  return value === null || value === undefined ? UNKNOWN : share(value / 100);
}

export function plural(count, one, many = `${one}s`) {
  return `${whole(count)} ${count === 1 ? one : many}`;
}

let zone;
// To make one takes far longer than to use it, and a session has thousands of times.
let formats = new Map();

export function useZone(name) {
  const known = isZone(name) ? name : undefined;
  if (known !== zone) formats = new Map();
  zone = known;
}

export function zoneName() {
  return zone ?? Intl.DateTimeFormat().resolvedOptions().timeZone;
}

function isZone(name) {
  try {
    return Boolean(name && new Intl.DateTimeFormat("en", { timeZone: name }));
  } catch {
    return false;
  }
}

function stamp(at, options) {
  if (!formats.has(options)) formats.set(options, new Intl.DateTimeFormat("en-GB", { timeZone: zone, ...options }));
  return formats.get(options).format(new Date(at));
}

const DAY = { day: "numeric", month: "short", year: "numeric" };
const MOMENT = { ...DAY, hour: "2-digit", minute: "2-digit" };
const CLOCK = { hour: "2-digit", minute: "2-digit", second: "2-digit" };

export function moment(at) {
  if (at === null || at === undefined) return UNKNOWN;
  return stamp(at, MOMENT);
}

export function clock(at) {
  return stamp(at, CLOCK);
}

export function day(at) {
  return stamp(at, DAY);
}

export function duration(milliseconds) {
  const minutes = Math.round(milliseconds / 60_000);
  if (minutes < 1) return "under a minute";
  if (minutes < 60) return `${minutes} min`;
  const hours = minutes / 60;
  return hours < 48 ? `${hours.toFixed(1).replace(/\.0$/, "")} h` : `${(hours / 24).toFixed(1)} days`;
}

// The end of a path tells the most, and the beginning of anything else.
export function shortName(text, most = 60) {
  if (!text || text.length <= most) return text;
  const at = text.search(/\S*\/\S+$/);
  if (at < 0) return `${text.slice(0, most - 1)}…`;
  return text.slice(0, at) + shortPath(text.slice(at), Math.max(most - at, 24));
}

export function shortPath(path, most = 44) {
  if (!path || path.length <= most) return path;
  const parts = path.split("/");
  let kept = parts.pop();
  while (parts.length && kept.length + parts[parts.length - 1].length + 3 <= most) {
    kept = `${parts.pop()}/${kept}`;
  }
  return kept.length > most ? `…${kept.slice(1 - most)}` : `…/${kept}`;
}
