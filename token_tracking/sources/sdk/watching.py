"""What is done with a request before it is sent, and with its response: for sync and async alike.

Requests and responses are httpx2's; they are taken as they are, whatever package they come from.
"""

import time
from collections.abc import Mapping
from typing import Any, Final

from msgspec.structs import replace

from token_tracking.sources.replies import (
    REFUSALS,
    REQUEST_ID,
    Call,
    Form,
    Reading,
    Record,
    Refusals,
    UsageHider,
    ask_for_usage,
    form_of_path,
    model_of,
    readable_encodings,
    reader_for,
)
from token_tracking.sources.sdk.gateways import GATEWAY_HEADER, Gateways
from token_tracking.sources.sdk.values import Caller
from token_tracking.usage import UsageEvent

_OWN: Final = {
    "x-token-tracking-session": "session_id",
    "x-token-tracking-user": "user",
    "x-token-tracking-agent": "agent",
    "x-token-tracking-project": "project",
}
"""Headers of a call that say who makes it, and what they replace. They are meant for us."""


class Watching:
    """What all calls of one client share. `gateway` is the base URL of one of ours, where the
    client is known to ask that."""

    def __init__(
        self, form: Form, record: Record, caller: Caller, *, gateway: Any | None = None
    ) -> None:
        self.form: Form = form
        self.refusals = Refusals()
        self._record = record
        self._caller = caller
        self._gateways = Gateways(gateway)

    def watch(self, request: Any) -> "Watch | None":
        """The watch over a request, or `None` where its response holds no usage."""
        path: str = request.url.path
        is_watched = form_of_path(path) == self.form
        told = self._taken(request)
        if not is_watched:
            return None
        caller = {name: told.get(name) or getattr(self._caller, name) for name in _OWN.values()}
        if self._gateways.holds(request.url):
            _tell(request, caller)
        _narrow(request)
        call = Call(
            started_at=time.time_ns() // 1_000_000,
            source="sdk",
            upstream=request.url.host,
            metadata=self._caller.metadata,
            **caller,
        )
        return Watch(self, request, path, call)

    def _taken(self, request: Any) -> dict[str, str]:
        """Our own headers. A gateway of ours wants them; a provider has no business with them."""
        told = {
            name: request.headers[header]
            for header, name in _OWN.items()
            if header in request.headers
        }
        if told and not self._gateways.holds(request.url):
            for header in _OWN:
                request.headers.pop(header, None)
        return told

    def reading(
        self, request: Any, path: str, call: Call, response: Any, *, is_decoded: bool
    ) -> Reading | None:
        """What reads a response along, where that tells of usage."""
        headers = response.headers
        self._gateways.learn(request.url, response)
        reader = reader_for(
            self.form,
            path=path,
            status=response.status_code,
            content_type=headers.get("content-type", ""),
            content_encoding="" if is_decoded else headers.get("content-encoding", ""),
        )
        if reader is None:
            return None
        request_id = headers.get(REQUEST_ID[self.form])
        # Nothing would tell that the gateway's sighting is of the same message: of OpenAI's form
        # without a request's id, and of Anthropic's since each side knows a session of its own.
        is_alone = GATEWAY_HEADER not in headers or (self.form == "openai" and request_id)
        record = self._record if is_alone else self._record_global
        return Reading(reader, replace(call, request_id=request_id), record)

    def _record_global(self, event: UsageEvent) -> None:
        # Keys that are scoped have their parts divided by slashes.
        if "/" not in event.key:
            self._record(event)


def _tell(request: Any, caller: Mapping[str, str | None]) -> None:
    """Tell a gateway who calls, unless the call itself does."""
    told: list[tuple[bytes, bytes]] = []
    for header, name in _OWN.items():
        value = caller[name]
        # What no header can hold is not told: the call must not fail for it.
        if header not in request.headers and value and value.isprintable():
            told.append((header.encode(), value.strip().encode()))
    if told:
        # Headers are set in ASCII where the others are; names may need UTF-8.
        request.headers = type(request.headers)([*request.headers.raw, *told])


def _narrow(request: Any) -> None:
    """Accept only content codings that can be read here."""
    accepted = request.headers.get("accept-encoding")
    if accepted is not None:
        readable = readable_encodings(accepted)
        if readable != accepted:
            request.headers["accept-encoding"] = readable


class Watch:
    """One call."""

    def __init__(self, watching: Watching, request: Any, path: str, call: Call) -> None:
        self._watching = watching
        self._request = request
        self._path = path
        self._call = call
        self._model: str | None = None

    def asking(self, request: Any) -> Any | None:
        """The request of a streamed completion that asks for its usage; `None` where it need not,
        or where the server refused to be asked."""
        is_asked = self._watching.form == "openai" and self._path.endswith("/completions")
        content: bytes | None = getattr(request, "_content", None)  # None: a body that streams
        body = ask_for_usage(content) if is_asked and content is not None else None
        if body is None:
            return None
        self._model = model_of(body)
        if self._watching.refusals.holds(request.url.host, self._model):
            return None
        headers = request.headers.copy()
        del headers["content-length"]
        # Of what is compressed the usage could not be taken out again.
        headers["accept-encoding"] = "identity"
        return type(request)(
            request.method,
            request.url,
            headers=headers,
            content=body,
            extensions=request.extensions,
        )

    @staticmethod
    def may_refuse(response: Any) -> bool:
        """Whether the body has to tell if the option was refused."""
        return response.status_code in REFUSALS

    def went_without(self, status: int) -> None:
        """The request was refused with the option, and answered so without it."""
        self._watching.refusals.learn(self._request.url.host, self._model, status)

    def bytes_of(self, response: Any, *, was_asked: bool, is_decoded: bool) -> "Bytes | None":
        """What the response's bytes go through on their way; `None` where they need not.

        `is_decoded`: they come without their content coding.
        """
        reading = self._watching.reading(
            self._request, self._path, self._call, response, is_decoded=is_decoded
        )
        hider = None
        if was_asked and response.headers.get("content-encoding", "identity") == "identity":
            is_stream = "event-stream" in response.headers.get("content-type", "")
            hider = UsageHider() if is_stream and response.status_code == 200 else None
        if reading is None and hider is None:
            return None
        return Bytes(reading, hider)


class Bytes:
    """The body of a response on its way to the caller."""

    def __init__(self, reading: Reading | None, hider: UsageHider | None) -> None:
        self._reading = reading
        self._hider = hider

    def passed(self, data: bytes) -> bytes:
        """What goes on of the next bytes."""
        if self._reading is not None:
            self._reading.feed(data)
        return data if self._hider is None else self._hider.feed(data)

    def ended(self) -> bytes:
        """The body is over: what was held back. It is recorded before the caller sees the end."""
        self.close(is_complete=True)
        return b"" if self._hider is None else self._hider.finish()

    def close(self, *, is_complete: bool = False) -> None:
        """Record what is known; a second time it does nothing."""
        if self._reading is not None:
            self._reading.end(is_complete=is_complete)

    def __del__(self) -> None:
        # A stream that nobody closed.
        self.close()
