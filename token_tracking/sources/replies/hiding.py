"""Hiding the usage that `ask_for_usage` asked for from a caller who did not ask."""

import re
from collections.abc import Mapping
from typing import Any, Final

from token_tracking.sources.replies.json_values import decoded, mapping
from token_tracking.sources.replies.members import without

_LINE_END: Final = re.compile(rb"\r\n|\r|\n")
_USAGE: Final = b'"usage"'

_LAST_SCALARS: Final = re.compile(
    rb',"usage":null((?:,"[^"\\]*":(?:"[^"\\]*"|[a-z0-9.+-]+))*\}\s*)\Z'
)
"""`usage` as OpenAI writes it: only texts and numbers follow, so it is the object's own."""

_MOST_HELD: Final = 1 << 20
"""1 MiB: a longer line goes on as it is, with its usage, and is not held back."""


class UsageHider:
    """Takes the usage that `ask_for_usage` asked for out of the stream again: the chunk that holds
    nothing else, and the `"usage":null` of every other one.

    A usage beside choices stays: servers that tell it there (Mistral, DeepSeek, xAI) do so unasked.
    But Gemini tells it in every chunk, and only to who asks.

    Lines of data are held until they are whole, all else goes on at once. It reads bytes without a
    content coding: ask the provider for none (`accept-encoding: identity`).
    """

    def __init__(self) -> None:
        self._held = b""
        self._is_passing = False
        self._is_after_cr = False
        self._hides_blank = False
        self._hides_lf = False

    def feed(self, data: bytes) -> bytes:
        """What of the stream goes on to the caller now."""
        out: list[bytes] = []
        data = self._held + data
        self._held = b""
        if self._is_after_cr and data:
            if data.startswith(b"\n"):
                out += [] if self._hides_lf else [b"\n"]
                data = data[1:]
            self._is_after_cr = False
        begin = 0
        for end in _LINE_END.finditer(data):
            out.append(self._line(data[begin : end.start()], end.group()))
            begin = end.end()
        if data:
            self._is_after_cr = data.endswith(b"\r")
        out.append(self._begun(data[begin:]))
        return b"".join(out)

    def finish(self) -> bytes:
        """What was held back when the stream ended."""
        held, self._held = self._held, b""
        return _shown(held) or b""

    def _line(self, line: bytes, end: bytes) -> bytes:
        self._hides_lf = False
        if self._is_passing:
            self._is_passing = False
            return line + end
        if self._hides_blank and not line:
            self._hides_blank = False
            self._hides_lf = end == b"\r"
            return b""
        self._hides_blank = False
        shown = _shown(line)
        if shown is None:
            self._hides_blank = True
            self._hides_lf = end == b"\r"
            return b""
        return shown + end

    def _begun(self, rest: bytes) -> bytes:
        """The beginning of a line: held if it may have to be changed."""
        if self._is_passing:
            return rest
        is_data = b"data:".startswith(rest[:5])
        if not is_data or len(rest) > _MOST_HELD:
            self._is_passing = bool(rest)
            return rest
        self._held = rest
        return b""


def _shown(line: bytes) -> bytes | None:
    """The line as it would be had no one asked; `None` where it would not be there."""
    if _USAGE not in line or not line.startswith(b"data:"):
        return line
    last = _LAST_SCALARS.search(line)
    if last is not None and line.count(_USAGE) == 1:
        return line[: last.start()] + last[1]
    begin = line.index(b":") + 1
    chunk = mapping(decoded(line[begin:]))
    if chunk.get("choices") == [] and mapping(chunk.get("usage")):
        return None
    if "usage" not in chunk or not (chunk["usage"] is None or _is_gemini(chunk)):
        return line
    blank = len(line[begin:]) - len(line[begin:].lstrip())
    return line[: begin + blank] + without(line[begin + blank :], "usage")


def _is_gemini(chunk: Mapping[str, Any]) -> bool:
    model: object = chunk.get("model")
    return isinstance(model, str) and model.removeprefix("models/").startswith("gemini-")
