"""Server-sent events and lines: from bytes, split anywhere, to what each of them holds."""

from collections.abc import Callable
from typing import Final

LONGEST: Final = 1 << 25
"""32 MiB: a longer event, line or body is not held; nothing that it says of usage is known."""

_BOM: Final = b"\xef\xbb\xbf"

_LINE_OVERHEAD: Final = 64
"""Bytes that Python needs for a line beside its own: empty ones must not fill the memory either."""


class Lines:
    """Lines of a body, ended by LF, CR or both. One that is longer than `LONGEST` is left out."""

    def __init__(self, take: Callable[[bytes], None]) -> None:
        self.has_overlong = False
        self._take = take
        self._held = bytearray()
        self._is_after_cr = False
        self._is_skipping = False

    def feed(self, data: bytes) -> None:
        """Take the next bytes of the body."""
        if self._is_after_cr and data.startswith(b"\n"):
            data = data[1:]
            self._is_after_cr = False
        if not data:
            return
        self._is_after_cr = data.endswith(b"\r")
        if b"\r" in data:
            data = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        lines = data.split(b"\n")
        rest = lines.pop()
        if lines and (self._held or self._is_skipping):
            self._end_held(lines.pop(0))
        take = self._take
        for line in lines:
            take(line)
        if rest:
            self._hold(rest)

    def finish(self) -> None:
        """The body ended: what was held is its last line."""
        if self._held:
            self._end_held(b"")

    def _hold(self, part: bytes) -> None:
        if self._is_skipping:
            return
        if len(self._held) + len(part) > LONGEST:
            self._held.clear()
            self._is_skipping = self.has_overlong = True
            return
        self._held += part

    def _end_held(self, end: bytes) -> None:
        if not self._is_skipping:
            line = bytes(self._held) + end if self._held else end
            self._held.clear()
            self._take(line)
        self._is_skipping = False


class Events:
    """The data of each server-sent event (HTML standard, section 9.2); no other field matters.

    An event that no blank line ends is taken at the end nevertheless: whether it is whole shows
    when it is decoded.
    """

    def __init__(self, take: Callable[[bytes], None]) -> None:
        self._take = take
        self._lines = Lines(self._take_line)
        self._data: list[bytes] = []
        self._length = 0
        self._is_first = True

    @property
    def has_overlong(self) -> bool:
        """Whether an event was left out, since it was longer than `LONGEST`."""
        return self._lines.has_overlong

    def feed(self, data: bytes) -> None:
        """Take the next bytes of the stream."""
        self._lines.feed(data)

    def finish(self) -> None:
        """The stream ended or broke off."""
        self._lines.finish()
        self._take_line(b"")

    def _take_line(self, line: bytes) -> None:
        if self._is_first:
            line = line.removeprefix(_BOM)
            self._is_first = False
        if line.startswith(b"data:"):
            value = line[6:] if line.startswith(b"data: ") else line[5:]
            self._length += len(value) + _LINE_OVERHEAD
            if self._length > LONGEST:
                self._lines.has_overlong = True
                self._data.clear()
            else:
                self._data.append(value)
        elif not line:
            self._dispatch()

    def _dispatch(self) -> None:
        if self._data:
            data, self._data = self._data, []
            self._take(data[0] if len(data) == 1 else b"\n".join(data))
        self._length = 0
