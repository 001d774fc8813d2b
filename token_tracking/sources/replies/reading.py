"""A response that is read along while it passes to its caller, and recorded once."""

import logging
from collections.abc import Callable
from typing import Final

from token_tracking.sources.replies.reader import ReplyReader
from token_tracking.sources.replies.sighting import sighting_of
from token_tracking.sources.replies.values import Call, Reply
from token_tracking.usage import UsageEvent

Record = Callable[[UsageEvent], None]

_logger: Final = logging.getLogger(__name__)


class Reading:
    """One response. It records once: when its message is over, or its body, or where that broke
    off. `replies` say what it told, from then on.

    Whatever goes wrong in reading is logged, and never raised: the response goes on.
    """

    def __init__(self, reader: ReplyReader | None, call: Call, record: Record) -> None:
        self._reader = reader
        self._call = call
        self._record = record
        self.replies: list[Reply] = []

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
            self.replies += reader.finish(is_complete=is_complete)
            for reply in self.replies:
                if reply.problem is not None:
                    _logger.warning(
                        "What %s billed for a message is not known: %s",
                        self._call.upstream or "a provider",
                        reply.problem,
                    )
                event = sighting_of(reply, self._call)
                if event is not None:
                    self._record(event)
        except Exception:
            # The outermost edge: the caller's own answer matters more.
            _logger.exception("A response could not be recorded")
