"""A host of MCP Apps, as small as the protocol allows (SEP-1865, 2026-01-26): a page that shows
the view in a sandbox and talks to it by postMessage."""

import json
from pathlib import Path
from typing import Any

_POLICY = (
    "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:;"
    " connect-src 'none'; base-uri 'none'"
)
_HOST = """<!doctype html>
<meta charset="utf-8">
<title>host</title>
<style>body { margin: 0 } iframe { width: 100%; height: 600px; border: 0 }</style>
<script>
const view = VIEW, result = RESULT, context = CONTEXT;
const received = [];
const frame = document.createElement("iframe");
frame.sandbox = "allow-scripts";
frame.srcdoc = view;
const send = (message) => frame.contentWindow.postMessage({ jsonrpc: "2.0", ...message }, "*");
const show = (params) => send({ method: "ui/notifications/tool-result", params });
addEventListener("message", ({ data, source }) => {
  if (source !== frame.contentWindow) return;
  received.push(data);
  if (data.method === "ui/initialize") send({ id: data.id, result: {
    protocolVersion: data.params.protocolVersion, hostInfo: { name: "test", version: "1" },
    hostCapabilities: {}, hostContext: context } });
  if (data.method === "ui/notifications/initialized") {
    send({ method: "ui/notifications/tool-input", params: { arguments: {} } });
    show(result);
  }
  if (data.method === "ui/notifications/size-changed")
    frame.style.height = `${data.params.height}px`;
});
addEventListener("DOMContentLoaded", () => document.body.append(frame));
</script>
<body></body>
"""


def write_host(
    path: Path, view: str, result: dict[str, Any], context: dict[str, Any] | None = None
) -> str:
    """The address of a host page that shows a view with the result of a tool."""
    policy = f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
    values = {
        "VIEW": view.replace("<head>", f"<head>{policy}", 1),
        "RESULT": result,
        "CONTEXT": context or {},
    }
    html = _HOST
    for name, value in values.items():
        html = html.replace(name, json.dumps(value).replace("<", "\\u003c"), 1)
    path.write_text(html, encoding="utf-8")
    return path.as_uri()
