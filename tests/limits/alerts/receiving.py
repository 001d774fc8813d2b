"""A webhook's other end, on a thread: answers what a test says, and keeps what came."""

import json
import threading
from collections.abc import Generator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Receiver(ThreadingHTTPServer):
    """Answers with `statuses` in turn, then 200; 0 stands for silence until the end."""

    daemon_threads = True

    def __init__(self, *statuses: int) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.statuses = list(statuses)
        self.bodies: list[Any] = []
        self.headers: list[dict[str, str]] = []
        self.ended = threading.Event()

    @property
    def address(self) -> str:
        """Where it listens, with a secret in the path and the query."""
        return f"http://127.0.0.1:{self.server_port}/hooks/s3cret?token=s3cret"


class _Handler(BaseHTTPRequestHandler):
    server: Receiver  # pyright: ignore[reportIncompatibleVariableOverride]

    def do_POST(self) -> None:
        length = int(self.headers["content-length"])
        self.server.bodies.append(json.loads(self.rfile.read(length)))
        self.server.headers.append({name.lower(): value for name, value in self.headers.items()})
        status = self.server.statuses.pop(0) if self.server.statuses else 200
        if not status:
            self.server.ended.wait(10)
            return
        self.send_response(status)
        if 300 <= status < 400:
            self.send_header("location", self.server.address)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_: Any) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Nothing on the terminal."""


@contextmanager
def received(*statuses: int) -> Generator[Receiver]:
    """A receiver that listens as long as the context lasts."""
    server = Receiver(*statuses)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server
    finally:
        server.ended.set()
        server.shutdown()
        thread.join()
        server.server_close()
