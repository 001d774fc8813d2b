"""A caller that shows every byte: what libraries would mend or hide is seen here."""

import socket
from collections.abc import Generator
from contextlib import contextmanager
from typing import NamedTuple

_TIMEOUT_SECONDS = 5


class Heard(NamedTuple):
    """What came until the connection ended, and whether it was reset."""

    data: bytes
    is_reset: bool

    @property
    def status(self) -> int:
        """The status of the first response."""
        return int(self.data.split(b" ", 2)[1])

    @property
    def headers(self) -> list[tuple[bytes, bytes]]:
        """The headers of the first response."""
        lines = self.data.partition(b"\r\n\r\n")[0].split(b"\r\n")[1:]
        return [
            (name, value.strip()) for name, _, value in (line.partition(b":") for line in lines)
        ]

    @property
    def body(self) -> bytes:
        """What follows the first response's head, as it was sent."""
        return self.data.partition(b"\r\n\r\n")[2]


class Raw:
    """One connection."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self.heard = b""
        self.is_reset = False

    def send(self, data: bytes) -> None:
        """Send bytes."""
        self._connection.sendall(data)

    def hear(self) -> bool:
        """More bytes; whether there were any before the end."""
        try:
            data = self._connection.recv(65_536)
        except ConnectionResetError:
            self.is_reset = True
            return False
        self.heard += data
        return bool(data)

    def until(self, marker: bytes) -> bytes:
        """What was heard in all, once that has `marker`. Raises `EOFError` where it ends before."""
        while marker not in self.heard:
            if not self.hear():
                raise EOFError(self.heard)
        return self.heard

    def to_end(self) -> Heard:
        """All, until the other side ends the connection."""
        while self.hear():
            pass
        return Heard(self.heard, self.is_reset)


@contextmanager
def connected(port: int) -> Generator[Raw]:
    """A connection to this machine's port."""
    with socket.create_connection(("127.0.0.1", port), timeout=_TIMEOUT_SECONDS) as connection:
        yield Raw(connection)


def post(path: str, body: bytes, *headers: bytes, host: bytes = b"127.0.0.1") -> bytes:
    """A request as bytes; its connection ends after the answer."""
    return request(b"POST", path.encode(), body, *headers, host=host)


def request(
    method: bytes, path: bytes, body: bytes = b"", *headers: bytes, host: bytes = b"127.0.0.1"
) -> bytes:
    """A request as bytes; its connection ends after the answer."""
    length = [b"content-length: %d" % len(body)] if body else []
    lines = [
        b"%s %s HTTP/1.1" % (method, path),
        b"host: " + host,
        *headers,
        *length,
        b"connection: close",
    ]
    return b"\r\n".join(lines) + b"\r\n\r\n" + body
