"""What came of a scenario, as one value that can be compared."""

import re
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, cast

import httpx2
from pydantic import BaseModel

from tests.upstream.misbehaving import RawRequest
from tests.upstream.received import Received

_IDS = re.compile(
    r"\b(msg|toolu|req|chatcmpl|call|resp|item|msgbatch|batch_req)_01([0-9a-f]{22})\b"
)
_ADDRESSES = re.compile(r"127\.0\.0\.1:\d+")
_MOMENTARY = frozenset({b"host", b"accept-encoding", b"connection"})
"""Headers of a request that belong to one connection and not to what is asked."""

_PASSING = frozenset({"date", "connection", "keep-alive", "x-token-tracking"})
"""Headers of a response that say when, over which connection and through what it came."""

Header = tuple[str, str]


class Names:
    """Ids are new in every run: here they are numbered as they appear."""

    def __init__(self) -> None:
        self._numbers: dict[str, str] = {}

    def _numbered(self, found: re.Match[str]) -> str:
        name = found.group()
        return self._numbers.setdefault(name, f"<{found.group(1)} {len(self._numbers)}>")

    def text(self, text: str) -> str:
        """The text without what differs from run to run."""
        return _ADDRESSES.sub("ADDRESS", _IDS.sub(self._numbered, text))

    def value(self, value: Any) -> Any:
        """Any value of a result, as plain ones."""
        match value:
            case bytes():
                return self.text(value.decode("latin-1"))
            case str():
                return self.text(value)
            case BaseModel():
                return type(value).__name__, self.value(value.model_dump(exclude_unset=True))
            case httpx2.Headers():
                return self.headers(value.multi_items())
            case _:
                return self._container(value)

    def _container(self, value: Any) -> Any:
        if isinstance(value, Mapping):
            items = cast("Mapping[Any, Any]", value).items()
            return {name: self.value(each) for name, each in items}
        if isinstance(value, list | tuple):
            return [self.value(each) for each in cast("Sequence[Any]", value)]
        return value

    def headers(self, headers: Iterable[Header]) -> list[Header]:
        """A response's headers, but for those of the connection."""
        kept = [(name.lower(), value) for name, value in headers if name.lower() not in _PASSING]
        return [(name, self.text(value)) for name, value in kept]

    def error(self, error: BaseException) -> Any:
        """What was raised. The words for what is broken are those of the HTTP and JSON libraries,
        and may differ; the kinds of error do not."""
        package = type(error).__module__.partition(".")[0]
        name = f"{package}.{type(error).__name__}"
        if package not in ("anthropic", "openai"):
            return name
        fields = ("status_code", "body", "request_id", "code", "param", "type")
        told = {field: self.value(getattr(error, field, None)) for field in fields}
        response: httpx2.Response | None = getattr(error, "response", None)
        if response is not None:
            told["headers"] = self.headers(response.headers.multi_items())
            with suppress(httpx2.ResponseNotRead):
                told["content"] = self.value(response.content)
        cause = error.__cause__
        return name, self.text(str(error)), told, cause and type(cause).__name__

    def request(self, received: Received | RawRequest) -> Any:
        """What the upstream was sent: method, target, headers in their order, body."""
        if isinstance(received, RawRequest):
            line, *headers = received.lines
            pairs = [tuple(header.split(b": ", 1)) for header in headers]
            return self._request(line.rpartition(b" ")[0], pairs, received.body)
        target = received.path + (f"?{received.query}" if received.query else "")
        line = f"{received.method} {target}".encode()
        return self._request(line, received.raw_headers, received.body)

    def _request(self, line: bytes, headers: Iterable[tuple[bytes, ...]], body: bytes) -> Any:
        kept = [(name.lower(), value) for name, value in headers if name.lower() not in _MOMENTARY]
        return self.value(line), self.value(kept), self.value(body)


@dataclass(frozen=True)
class Outcome:
    """The result or the error, what the upstream was sent, and how long the client meant to wait
    before each further attempt (`None`: a time of its own choice)."""

    result: Any
    error: Any
    requests: list[Any]
    waits: list[float | None]

    @property
    def error_name(self) -> str | None:
        """The type of what was raised, without its module."""
        if self.error is None:
            return None
        name = self.error if isinstance(self.error, str) else self.error[0]
        return name.rpartition(".")[2]
