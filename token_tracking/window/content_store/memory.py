"""A content store in memory: gone with the process."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from datetime import timedelta

from msgspec import Struct

from token_tracking.window.content_store.contract import (
    MAX_BYTES,
    StoredContent,
    check_max_bytes,
    check_size,
    encoded,
    handles_of,
)


class _Kept(Struct):
    content: StoredContent
    size: int
    used_at: float


class MemoryContentStore:
    """Keeps texts in this process, at most `max_bytes` of them as UTF-8: what was used longest
    ago leaves first, and `get` gives `None` for it from then on.

    `clock` gives seconds. Calls take microseconds; a put hashes its text.
    """

    def __init__(
        self, max_bytes: int = MAX_BYTES, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._max_bytes = check_max_bytes(max_bytes)
        self._clock = clock
        self._kept: OrderedDict[str, _Kept] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()

    def put(self, text: str, *, tool: str | None = None, subject: str | None = None) -> str:
        """Keep a text; its handle.

        Raises:
            ContentStoreError: the text alone is larger than `max_bytes`.
        """
        data = encoded(text)
        check_size(data, self._max_bytes)
        with self._lock:
            handle = self._free_handle(text, data)
            self._forget(handle)
            content = StoredContent(handle, text, tool, subject)
            self._kept[handle] = _Kept(content, len(data), self._clock())
            self._bytes += len(data)
            while self._bytes > self._max_bytes:
                self._forget(next(iter(self._kept)))
        return handle

    def get(self, handle: str) -> StoredContent | None:
        """The text of a handle, which is the last to leave then; `None` where it is not kept."""
        with self._lock:
            kept = self._kept.get(handle)
            if kept is None:
                return None
            kept.used_at = self._clock()
            self._kept.move_to_end(handle)
            return kept.content

    def delete(self, handle: str) -> bool:
        """Forget a text; whether it was kept."""
        with self._lock:
            return self._forget(handle)

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._kept.clear()
            self._bytes = 0

    def expire(self, older_than: timedelta) -> int:
        """Forget what was neither put nor got for longer than this; how many texts that were."""
        with self._lock:
            limit = self._clock() - older_than.total_seconds()
            old = [handle for handle, kept in self._kept.items() if kept.used_at < limit]
            for handle in old:
                self._forget(handle)
        return len(old)

    def _free_handle(self, text: str, data: bytes) -> str:
        *short, longest = handles_of(data)
        for handle in short:
            kept = self._kept.get(handle)
            if kept is None or kept.content.text == text:
                return handle
        return longest

    def _forget(self, handle: str) -> bool:
        kept = self._kept.pop(handle, None)
        if kept is not None:
            self._bytes -= kept.size
        return kept is not None
