"""A server in a process of its own, spoken to line by line."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from typing import Any

SERVE = [sys.executable, "-m", "token_tracking_server.cli", "serve"]
_TIMEOUT_SECONDS = 30
_REVISION = "2025-11-25"


def server_environment(settings: Any, **more: str) -> dict[str, str]:
    """The environment in which a process has these settings."""
    return {
        **os.environ,
        "TOKEN_TRACKING_DB": settings.database,
        "TOKEN_TRACKING_CLAUDE_DIRS": os.pathsep.join(map(str, settings.claude_dirs)),
        "TOKEN_TRACKING_TIMEZONE": "UTC",
        **more,
    }


def request(number: int, method: str, **parameters: Any) -> bytes:
    """A request as a line."""
    message = {"jsonrpc": "2.0", "id": number, "method": method, "params": parameters}
    return json.dumps(message).encode() + b"\n"


def call(number: int, tool: str, **arguments: Any) -> bytes:
    """A call of a tool as a line."""
    return request(number, "tools/call", name=tool, arguments=arguments)


HANDSHAKE = (
    request(
        0,
        "initialize",
        protocolVersion=_REVISION,
        capabilities={},
        clientInfo={"name": "test", "version": "1"},
    )
    + b'{"jsonrpc":"2.0","method":"notifications/initialized"}\n'
)


class Process:
    """A server and its three streams."""

    def __init__(self, process: "subprocess.Popen[bytes]") -> None:
        assert process.stdin
        assert process.stdout
        assert process.stderr
        self.running = process
        self.stdin, self.stdout, self.stderr = process.stdin, process.stdout, process.stderr

    def send(self, *lines: bytes) -> None:
        """Write lines."""
        self.stdin.write(b"".join(lines))
        self.stdin.flush()

    def reply(self) -> dict[str, Any]:
        """The next message that answers one. News, such as of a library that was read, come when
        they do."""
        while "id" not in (message := json.loads(self.stdout.readline())):
            pass
        return message

    def end(self) -> tuple[int, bytes, bytes]:
        """Wait for its end: status, and what it still wrote to its output and to its log."""
        if not self.stdin.closed:
            self.stdin.close()
        rest = self.stdout.read() if not self.stdout.closed else b""
        log = self.stderr.read()
        return self.running.wait(), rest, log


@contextmanager
def started(environment: Mapping[str, str], command: list[str] | None = None) -> Generator[Process]:
    """A server that is killed if it has not ended by itself."""
    process = subprocess.Popen(
        command or SERVE,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    timer = threading.Timer(_TIMEOUT_SECONDS, process.kill)
    timer.start()
    try:
        with process:
            try:
                yield Process(process)
            finally:
                process.kill()
    finally:
        timer.cancel()
