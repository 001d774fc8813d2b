"""Reads a response along while it passes, and records what it told."""

import logging
from collections.abc import Callable
from typing import Final

from msgspec.structs import replace

from token_tracking.sources.replies import Call, Reply, ReplyReader, sighting_of
from token_tracking.usage import UsageEvent
from token_tracking_server.gateway.exchanges.values import Headers

Record = Callable[[UsageEvent], None]

_LOG: Final = logging.getLogger(__name__)


class Reading:
    """One response. It records once: when the message is over, its body is, or it broke off.

    Whatever goes wrong in reading, the passing on goes on.
    """

    def __init__(
        self, reader: ReplyReader | None, call: Call, record: Record, replies: list[Reply]
    ) -> None:
        self._reader = reader
        self._call = call
        self._record = record
        self._replies = replies

    def feed(self, data: bytes) -> None:
        """Take the next bytes of the body, as they came."""
        reader = self._reader
        if reader is None:
            return
        reader.feed(data)
        # Clients stop reading there, and may be gone before the body's own end comes.
        if reader.is_over:
            self.end(is_complete=True)

    def end(self, *, is_complete: bool) -> None:
        """Record; a second time it does nothing."""
        reader, self._reader = self._reader, None
        if reader is None:
            return
        try:
            self._replies += reader.finish(is_complete=is_complete)
            for reply in self._replies:
                event = sighting_of(reply, self._call)
                if event is not None:
                    self._record(event)
        except Exception:  # noqa: BLE001 -- the edge of reading: the answer goes on
            _LOG.exception("A response could not be recorded.")


def with_request_id(call: Call, headers: Headers) -> Call:
    """The call with the id that the upstream gave it."""
    for name, value in headers:
        if name in {b"request-id", b"x-request-id"}:
            return replace(call, request_id=value.decode("latin-1"))
    return call
