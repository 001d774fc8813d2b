// Light and dark: as the system has it, until the reader says otherwise.

const KEY = "token-tracking theme";
const changed = new Set();

export function onTheme(listener) {
  changed.add(listener);
}

export function startTheme() {
  setTheme(stored(), false);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", tell);
}

export function isDark() {
  const chosen = document.documentElement.dataset.theme;
  return chosen ? chosen === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
}

export function setTheme(name, keeps = true) {
  if (name === "light" || name === "dark") document.documentElement.dataset.theme = name;
  else delete document.documentElement.dataset.theme;
  if (keeps) keep(name);
  tell();
}

// A colour of the style sheet as it is now: a canvas knows no variables.
export function colour(name) {
  const probe = document.createElement("i");
  probe.style.color = `var(--${name})`;
  document.body.append(probe);
  const value = getComputedStyle(probe).color;
  probe.remove();
  return value;
}

function tell() {
  for (const listener of changed) listener();
}

// A page in a sandbox has no storage.
function stored() {
  try {
    return localStorage.getItem(KEY);
  } catch {
    return null;
  }
}

function keep(name) {
  try {
    localStorage.setItem(KEY, name);
  } catch {
    return;
  }
}
