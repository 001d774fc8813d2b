"""A server that keeps no rules: bytes as a test wrote them, pauses, and broken connections."""

import select
import socket
import struct
import threading
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

import pytest

_TIMEOUT_SECONDS = 20
_READ = 65_536


@dataclass(frozen=True)
class Send:
    """Send these bytes, at once or each byte by itself."""

    data: bytes
    one_by_one: bool = False


@dataclass
class Hold:
    """Say nothing until the test opens it, or the caller leaves."""

    reached: threading.Event = field(default_factory=threading.Event)
    left: threading.Event = field(default_factory=threading.Event)
    _ends: tuple[socket.socket, socket.socket] = field(default_factory=socket.socketpair)

    def open(self) -> None:
        """Go on."""
        self._ends[0].send(b"x")

    def close(self) -> None:
        """Let go of what it holds."""
        for end in self._ends:
            end.close()

    def wait(self, connection: socket.socket) -> None:
        """Wait here. Raises `ConnectionError` where the caller left."""
        self.reached.set()
        ready, _, _ = select.select([connection, self._ends[1]], [], [], _TIMEOUT_SECONDS)
        if connection in ready and self._ends[1] not in ready:
            self.left.set()
            raise ConnectionAbortedError("the caller left")


@dataclass(frozen=True)
class Close:
    """End the connection: in order (FIN), or, where it `resets`, without (RST)."""

    resets: bool = False


Step = Send | Hold | Close
Behaviour = Sequence[Step]
"""What follows one request. Without a `Close` the connection is kept for the next one."""


@dataclass(frozen=True)
class RawRequest:
    """A request as its bytes came: the lines of its head, and its body."""

    lines: tuple[bytes, ...]
    body: bytes

    @property
    def target(self) -> bytes:
        """Path and query."""
        return self.lines[0].split(b" ")[1]

    def header(self, name: bytes) -> bytes | None:
        """The first header of this name, in lower case."""
        for line in self.lines[1:]:
            found, _, value = line.partition(b":")
            if found.lower() == name:
                return value.strip()
        return None


class Misbehaving:
    """What tests hold of it: `requests` are those that came, whole, and `connections` counts those
    that were opened; the last behaviour of the script stays for all that come after."""

    def __init__(self) -> None:
        self.base_url = ""
        self.requests: list[RawRequest] = []
        self.connections = 0
        self._script: list[Behaviour] = [[Close()]]
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._ended = threading.Condition()

    def script(self, *behaviours: Behaviour) -> None:
        """Say what follows each of the next requests; what was received is forgotten."""
        with self._lock:
            self._script = list(behaviours)
            self.requests = []

    def _next(self, request: RawRequest) -> Behaviour:
        with self._lock:
            self.requests.append(request)
            return self._script.pop(0) if len(self._script) > 1 else self._script[0]

    def serve(self, listening: socket.socket) -> None:
        """Take connections until the socket is closed."""
        while True:
            try:
                connection, _ = listening.accept()
            except OSError:
                return
            connection.settimeout(_TIMEOUT_SECONDS)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._open.add(connection)
            self.connections += 1
            threading.Thread(target=self._converse, args=(connection,), daemon=True).start()

    def hang_up(self) -> None:
        """End all connections."""
        for connection in list(self._open):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def _converse(self, connection: socket.socket) -> None:
        with connection, suppress(OSError):
            rest = b""
            while True:
                request, rest = _received(connection, rest)
                if request is None or not _behave(connection, self._next(request)):
                    break
        with self._ended:
            self._open.discard(connection)
            self._ended.notify_all()

    def has_ended_all(self) -> bool:
        """Whether every connection ends here, within some seconds."""
        with self._ended:
            return self._ended.wait_for(lambda: not self._open, _TIMEOUT_SECONDS)


def _behave(connection: socket.socket, behaviour: Behaviour) -> bool:
    for step in behaviour:
        match step:
            case Send(data, one_by_one):
                for piece in [data[n : n + 1] for n in range(len(data))] if one_by_one else [data]:
                    connection.sendall(piece)
            case Hold():
                step.wait(connection)
            case Close(resets):
                if resets:
                    # No lingering: what is not yet sent is dropped, and RST follows.
                    linger = struct.pack("ii", 1, 0)
                    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
                return False
    return True


def _received(connection: socket.socket, rest: bytes) -> tuple[RawRequest | None, bytes]:
    """One request with a content-length or none, and what came after it."""
    while b"\r\n\r\n" not in rest:
        data = connection.recv(_READ)
        if not data:
            return None, b""
        rest += data
    head, _, rest = rest.partition(b"\r\n\r\n")
    request = RawRequest(tuple(head.split(b"\r\n")), b"")
    length = int(request.header(b"content-length") or 0)
    while len(rest) < length:
        data = connection.recv(_READ)
        if not data:
            return None, b""
        rest += data
    return RawRequest(request.lines, rest[:length]), rest[length:]


@contextmanager
def misbehaves(port: int = 0) -> Generator[Misbehaving]:
    """The server, for as long as it is needed."""
    held = Misbehaving()
    with socket.create_server(("127.0.0.1", port)) as listening:
        held.base_url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        thread = threading.Thread(target=held.serve, args=(listening,), daemon=True)
        thread.start()
        try:
            yield held
        finally:
            # A thread in `accept` does not notice that its socket is closed.
            listening.shutdown(socket.SHUT_RDWR)
            held.hang_up()
    thread.join(_TIMEOUT_SECONDS)


@pytest.fixture
def misbehaving() -> Iterator[Misbehaving]:
    """A server of the test's own."""
    with misbehaves() as held:
        yield held
