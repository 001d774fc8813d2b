"""What is done with a request before it is sent, and with its response: for sync and async alike.

Requests and responses are httpx2's; they are taken as they are, whatever package they come from.
"""

import time
from typing import Any, Final

from msgspec.structs import replace

from token_tracking.sources.replies import (
    REFUSALS,
    REQUEST_ID,
    Call,
    Form,
    Reading,
    Record,
    UsageHider,
    ask_for_usage,
    form_of_path,
    reader_for,
    refuses_usage,
)
from token_tracking.sources.sdk.values import Caller

_OWN: Final = {
    "x-token-tracking-session": "session_id",
    "x-token-tracking-user": "user",
    "x-token-tracking-agent": "agent",
    "x-token-tracking-project": "project",
}
"""Headers of a call that say who makes it, and what they replace. They are meant for us."""

GATEWAY_HEADER: Final = "x-token-tracking"
"""Stands in each response that came through our gateway, which records it too."""

_HERE: Final = frozenset({"127.0.0.1", "::1", "localhost"})


class Watching:
    """What all calls of one client share."""

    def __init__(self, form: Form, record: Record, caller: Caller) -> None:
        self._form: Form = form
        self._record = record
        self._caller = caller
        self._refusing: set[str] = set()
        self._gateways: set[str] = set(_HERE)

    def watch(self, request: Any) -> "Watch | None":
        """The watch over a request, or `None` where its response holds no usage."""
        path: str = request.url.path
        told = self._taken(request)
        if form_of_path(path) != self._form:
            return None
        caller = {name: told.get(name) or getattr(self._caller, name) for name in _OWN.values()}
        call = Call(
            started_at=time.time_ns() // 1_000_000,
            source="sdk",
            upstream=request.url.host,
            metadata=self._caller.metadata,
            **caller,
        )
        return Watch(self, path, call)

    def _taken(self, request: Any) -> dict[str, str]:
        """Our own headers. A gateway of ours wants them; a provider has no business with them."""
        told = {
            name: request.headers[header]
            for header, name in _OWN.items()
            if header in request.headers
        }
        if told and request.url.host not in self._gateways:
            for header in _OWN:
                request.headers.pop(header, None)
        return told

    def asking(self, request: Any) -> Any | None:
        """The request of a streamed completion that asks for its usage; `None` where it need not,
        or where the server refused to be asked."""
        is_asked = self._form == "openai" and request.url.path.endswith("/completions")
        content: bytes | None = getattr(request, "_content", None)  # None: a body that streams
        if not is_asked or content is None or request.url.host in self._refusing:
            return None
        body = ask_for_usage(content)
        if body is None:
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

    def was_refused(self, request: Any, response: Any, body: bytes) -> bool:
        """Whether the option was; such a server is not asked again."""
        if not refuses_usage(response.status_code, body):
            return False
        self._refusing.add(request.url.host)
        return True

    def reading(self, path: str, call: Call, response: Any) -> Reading | None:
        """What reads a response along, where that tells of usage."""
        headers = response.headers
        request_id = headers.get(REQUEST_ID[self._form])
        if GATEWAY_HEADER in headers:
            self._gateways.add(call.upstream or "")
            if self._form == "openai" and request_id is None:
                # Nothing would tell that the gateway's sighting is of the same message.
                return None
        reader = reader_for(
            self._form,
            path=path,
            status=response.status_code,
            content_type=headers.get("content-type", ""),
            content_encoding=headers.get("content-encoding", ""),
        )
        if reader is None:
            return None
        return Reading(reader, replace(call, request_id=request_id), self._record)


class Watch:
    """One call."""

    def __init__(self, watching: Watching, path: str, call: Call) -> None:
        self._watching = watching
        self._path = path
        self._call = call

    def bytes_of(self, response: Any, *, was_asked: bool) -> "Bytes | None":
        """What the response's bytes go through on their way; `None` where they need not."""
        reading = self._watching.reading(self._path, self._call, response)
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
