"""Server-sent events, as their bytes come."""

import json
from typing import Any, Final, cast

from token_tracking_server.gateway.managing.assembling.values import Said

DONE: Final[Said] = {"done": True}
"""Stands for OpenAI's `[DONE]`."""


class Events:
    """The JSON objects of a stream's `data` lines. What is no JSON object is passed over."""

    def __init__(self) -> None:
        self._rest = b""
        self._data: list[bytes] = []

    def feed(self, data: bytes) -> list[Said]:
        """The events that these bytes complete."""
        lines = (self._rest + data).split(b"\n")
        self._rest = lines.pop()
        found = (self._line(line.removesuffix(b"\r")) for line in lines)
        return [event for event in found if event is not None]

    def _line(self, line: bytes) -> Said | None:
        if line.startswith(b"data:"):
            self._data.append(line[5:].removeprefix(b" "))
            return None
        if line or not self._data:
            return None
        data, self._data = b"\n".join(self._data), []
        return DONE if data.strip() == b"[DONE]" else read_object(data)


def read_object(data: bytes | str) -> Said | None:
    """A JSON object; `None` where it is none."""
    try:
        found: Any = json.loads(data)
    except (ValueError, RecursionError):
        return None
    return cast("Said", found) if isinstance(found, dict) else None
