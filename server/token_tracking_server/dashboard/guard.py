"""Keeps the page to this machine: what a browser may ask for, and what the page may load."""

from typing import Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from token_tracking_server.own_names import OwnNames

_HEADERS: Final = {
    # Charts size their canvas through the DOM, which needs no exception here.
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self';"
        " img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "Cache-Control": "no-store",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


class Guard:
    """Answers only requests that name this machine, and says so in each answer's headers.

    A web page that the user visits could otherwise read the ledger through their browser, by a
    name of its own that points here.
    """

    def __init__(self, app: ASGIApp, host: str) -> None:
        self._app = app
        self._names = OwnNames(host)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(_HEADERS)
            await send(message)

        refusal = self._refusal(Headers(scope=scope))
        await (refusal or self._app)(scope, receive, send_guarded)

    def _refusal(self, headers: Headers) -> PlainTextResponse | None:
        if not self._names.is_host(headers.get("host", "")):
            return PlainTextResponse("This address is not served here.", 421)
        origin = headers.get("origin")
        if origin is not None and not self._names.is_origin(origin):
            return PlainTextResponse("Other pages may not ask here.", 403)
        return None
