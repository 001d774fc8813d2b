// Where the figures come from: the program's own API, the host of an MCP App, or this very file.
import { useZone } from "./format.js";

const KEY = "token-tracking/report";
const PROTOCOL = "2026-01-26";

export function findSource() {
  const held = document.getElementById("data");
  if (held) return new Held(JSON.parse(held.textContent));
  return window.parent === window ? new Api() : new Host();
}

// The program that serves this page.
class Api {
  isAlone = false;

  async get(path, query = {}) {
    const asked = new URLSearchParams(Object.entries(query).filter(([, value]) => value !== null && value !== undefined));
    let answer;
    try {
      answer = await fetch(`api/${path}?${asked}`, { headers: { Accept: "application/json" } });
    } catch {
      throw new Error("The dashboard's program does not answer. Start it again: token-tracking dashboard");
    }
    const value = await answer.json().catch(() => ({ error: `The program answered with status ${answer.status}.` }));
    if (!answer.ok) throw new Error(value.error);
    if (value.timezone) useZone(value.timezone);
    return value;
  }

  listen(changed, connected) {
    const news = new EventSource("api/events");
    news.addEventListener("open", () => connected(true));
    news.addEventListener("error", () => connected(false));
    news.addEventListener("change", () => changed());
  }
}

// A report that stands in this file.
class Held {
  isAlone = true;

  constructor(report) {
    this.report = report;
    useZone(report.timezone);
  }

  listen() {}
}

// The host of an MCP App: JSON-RPC by postMessage (SEP-1865).
class Host {
  isAlone = true;
  isFramed = true;
  report = null;
  #waiting = new Map();
  #next = 1;

  listen(changed) {
    this.changed = changed;
    addEventListener("message", (event) => {
      if (event.source === window.parent) this.#receive(event.data);
    });
    this.#request("ui/initialize", {
      protocolVersion: PROTOCOL, appInfo: { name: "token-tracking", version: "1" },
      appCapabilities: { availableDisplayModes: ["inline", "fullscreen"] },
    }).then((result) => {
      this.#adapt(result.hostContext);
      this.#send({ method: "ui/notifications/initialized", params: {} });
      this.#tellSize();
    }, (error) => { this.failure = error.message; changed(); });
  }

  #receive(message) {
    if (message?.jsonrpc !== "2.0") return;
    if (message.id !== undefined && message.method === undefined) this.#settle(message);
    else if (message.method === "ui/notifications/tool-result") this.#show(message.params);
    else if (message.method === "ui/notifications/tool-cancelled") this.#fail("The tool was cancelled: there is nothing to show.");
    else if (message.method === "ui/notifications/host-context-changed") this.#adapt(message.params);
    else if (message.method === "ui/resource-teardown" || message.method === "ping") this.#send({ id: message.id, result: {} });
    else if (message.id !== undefined) this.#send({ id: message.id, error: { code: -32601, message: "Method not found" } });
  }

  #show(result) {
    const data = result?._meta?.[KEY] ?? result?.structuredContent?.[KEY] ?? result?.structuredContent;
    const text = (result?.content ?? []).filter((each) => each.type === "text").map((each) => each.text).join("\n");
    if (data?.kind === "snapshot" || data?.kind === "timeline") {
      this.report = data;
      useZone(data.timezone);
    } else {
      this.report = { kind: "text", text };
    }
    this.failure = null;
    this.changed();
  }

  #fail(text) {
    this.failure = text;
    this.changed();
  }

  #adapt(context) {
    const root = document.documentElement;
    if (context?.theme === "light" || context?.theme === "dark") {
      root.dataset.theme = context.theme;
      dispatchEvent(new Event("host-theme"));
    }
    const font = context?.styles?.variables?.["--font-sans"];
    if (font) root.style.setProperty("--sans", font);
    const insets = context?.safeAreaInsets;
    if (insets) document.body.style.padding = ["top", "right", "bottom", "left"].map((side) => `${insets[side] ?? 0}px`).join(" ");
  }

  #tellSize() {
    let told = "";
    const tell = () => {
      const size = { width: Math.ceil(document.documentElement.scrollWidth), height: Math.ceil(document.body.getBoundingClientRect().height) };
      if (`${size.width} ${size.height}` === told) return;
      told = `${size.width} ${size.height}`;
      this.#send({ method: "ui/notifications/size-changed", params: size });
    };
    new ResizeObserver(tell).observe(document.body);
    tell();
  }

  #request(method, params) {
    const id = this.#next++;
    this.#send({ id, method, params });
    return new Promise((resolve, reject) => this.#waiting.set(id, { resolve, reject }));
  }

  #settle({ id, result, error }) {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (error) waiting?.reject(new Error(error.message));
    else waiting?.resolve(result);
  }

  #send(message) {
    // The host's origin is not known to a page in its sandbox; nothing secret is in these messages.
    window.parent.postMessage({ jsonrpc: "2.0", ...message }, "*");
  }
}
