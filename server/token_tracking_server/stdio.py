"""The server on standard input and output.

The SDK reads in a thread that nothing can interrupt but an end of input, and at an end of input
drops the requests that it has not answered yet. So pipes of our own stand between it and the
client: a signal becomes an end of input, and an end of input waits for the answers.
"""

import contextlib
import os
import threading
from collections.abc import Callable
from typing import Any, Final

import msgspec
from mcp.server import MCPServer
from msgspec import Struct

from token_tracking_server.shutdown import Shutdown

ANSWER_SECONDS: Final = 20.0
"""How long what was asked before the end of input may still take."""

_CHUNK: Final = 1 << 16
_END: Final = b"\0"
"""Ends the output: no message holds it, as JSON escapes control characters."""


class _Parameters(Struct):
    requestId: int | str | None = None  # noqa: N815 -- the protocol's name


class _Message(Struct):
    id: int | str | None = None
    method: str | None = None
    params: _Parameters | None = None


_LISTEN: Final = "subscriptions/listen"


class Unanswered:
    """The requests that came in and whose answers did not go out."""

    def __init__(self) -> None:
        self._ids: set[int | str] = set()
        self._changed = threading.Condition()
        self._decode = msgspec.json.Decoder(_Message).decode

    def asked(self, line: bytes) -> None:
        """A line that came in: a request, or the cancelling of one, which is never answered."""
        message = self._read(line)
        if message is None or message.method is None:
            return
        with self._changed:
            if message.id is not None:
                # Who listens for changes is answered when the server ends: nobody waits for that.
                if message.method != _LISTEN:
                    self._ids.add(message.id)
            elif message.params and message.params.requestId is not None:
                self._forget(message.params.requestId)

    def answered(self, line: bytes) -> None:
        """A line that went out."""
        message = self._read(line)
        if message is not None and message.method is None and message.id is not None:
            with self._changed:
                self._forget(message.id)

    def wait(self, seconds: float) -> bool:
        """Wait until all are answered; whether they were in time."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._ids, seconds)

    def clear(self) -> None:
        """Nobody waits for answers any more."""
        with self._changed:
            self._ids.clear()
            self._changed.notify_all()

    def _forget(self, request: int | str) -> None:
        self._ids.discard(request)
        self._changed.notify_all()

    def _read(self, line: bytes) -> _Message | None:
        with contextlib.suppress(msgspec.DecodeError, UnicodeDecodeError):
            return self._decode(line)
        return None


class _Lines:
    """Puts chunks together to lines, for `see`."""

    def __init__(self, see: Callable[[bytes], None]) -> None:
        self._see = see
        self._begun: list[bytes] = []

    def add(self, chunk: bytes) -> None:
        *ended, rest = chunk.split(b"\n")
        for line in ended:
            self._see(b"".join([*self._begun, line]))
            self._begun = []
        if rest:
            self._begun.append(rest)


class Wire:
    """Standard input and output as pipes of our own, between the client and the SDK."""

    def __init__(self) -> None:
        self._unanswered = Unanswered()
        self._client_in, self._to_sdk = _replace(0)
        self._client_out, self._from_sdk = _replace(1)
        self._output = threading.Thread(target=self._pump_out, name="stdout", daemon=True)
        self._shutdown = Shutdown(self._end_input)

    def serve(self, run: Callable[[], None]) -> None:
        """Run the SDK's server until the client or a signal ends it."""
        self._shutdown.on_signals()
        self._output.start()
        threading.Thread(target=self._pump_in, name="stdin", daemon=True).start()
        try:
            run()
        finally:
            # The SDK gave standard output back: what print left in a buffer goes to the log.
            with contextlib.suppress(OSError):
                os.write(1, _END)
            os.dup2(2, 1)
            self._output.join()

    def _end_input(self) -> None:
        # Replaces the only end that is written to, atomically: late writes of the pump are lost.
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, self._to_sdk)
        os.close(null)

    def _pump_in(self) -> None:
        lines = _Lines(self._unanswered.asked)
        with contextlib.suppress(OSError):
            while chunk := os.read(self._client_in, _CHUNK):
                lines.add(chunk)
                _write(self._to_sdk, chunk)
        self._unanswered.wait(ANSWER_SECONDS)
        self._shutdown.begin()

    def _pump_out(self) -> None:
        lines = _Lines(self._unanswered.answered)
        ended = False
        while not ended and (chunk := os.read(self._from_sdk, _CHUNK)):
            chunk, end, _ = chunk.partition(_END)
            ended = bool(end)
            try:
                _write(self._client_out, chunk)
            except OSError:
                # The client is gone. Go on reading: a full pipe would block the SDK.
                self._unanswered.clear()
                self._shutdown.begin()
            lines.add(chunk)


def _replace(standard: int) -> tuple[int, int]:
    """Put a pipe in the place of standard input (0) or output (1): the client's descriptor, and
    our end of the pipe."""
    client = os.dup(standard)
    ends = os.pipe()
    os.dup2(ends[standard], standard)
    os.close(ends[standard])
    return client, ends[1 - standard]


def _write(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def run_stdio(server: MCPServer[Any]) -> None:
    """Serve standard input and output until the client or a signal ends it."""
    Wire().serve(lambda: server.run("stdio"))
