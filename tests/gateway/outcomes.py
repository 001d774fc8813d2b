"""What a caller makes of the bytes that it heard."""

from typing import NamedTuple

from tests.gateway.raw import Heard, connected

_OF_ONE_CONNECTION = {b"connection", b"transfer-encoding", b"keep-alive", b"x-token-tracking"}


class Outcome(NamedTuple):
    """A response without its framing. Headers have lower-case names."""

    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes
    is_whole: bool


def ask(port: int, data: bytes) -> Heard:
    """What follows a request: a whole response, or all to the connection's end."""
    with connected(port) as raw:
        raw.send(data)
        while raw.hear():
            outcome = outcome_of(Heard(raw.heard, is_reset=True))
            if outcome is not None and outcome.is_whole:
                return Heard(raw.heard, is_reset=False)
        return Heard(raw.heard, raw.is_reset)


def outcome_of(heard: Heard) -> Outcome | None:
    """The response of which this is the framing; `None` where it is none."""
    data = heard.data
    while data.startswith(b"HTTP/1.1 1"):
        data = data.partition(b"\r\n\r\n")[2]
    head, end, rest = data.partition(b"\r\n\r\n")
    if not end or not head.startswith(b"HTTP/1.1 "):
        return None
    status = int(head.split(b" ")[1])
    headers = _headers(head)
    named = dict(headers)
    length = named.get(b"content-length")
    if b"chunked" in named.get(b"transfer-encoding", b""):
        body, is_whole = _unchunked(rest)
    elif status in {204, 304}:
        body, is_whole = b"", True
    elif length is None:
        body, is_whole = rest, not heard.is_reset
    elif not length.isdigit():
        return None
    else:
        body = rest[: int(length)]
        is_whole = len(body) == int(length)
    kept = [header for header in headers if header[0] not in _OF_ONE_CONNECTION]
    return Outcome(status, kept, body, is_whole)


def _headers(head: bytes) -> list[tuple[bytes, bytes]]:
    lines = head.replace(b"\r\n ", b" ").split(b"\r\n")[1:]
    return [
        (name.strip().lower(), value.strip())
        for name, _, value in (line.partition(b":") for line in lines)
    ]


def _unchunked(data: bytes) -> tuple[bytes, bool]:
    body = b""
    while data:
        size, end, data = data.partition(b"\r\n")
        if not end:
            break
        try:
            length = int(size, 16)
        except ValueError:
            break
        if length == 0:
            return body, True
        body += data[:length]
        data = data[length + 2 :]
    return body, False
