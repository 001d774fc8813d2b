"""Talks to the process that runs the peers, and ends it where a session takes too long."""

import json
import os
import queue
import subprocess
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import IO, Any

from benchmarks.window_peers.environment import environment
from token_tracking.window.blocks import PlainMessage

REPOSITORY = Path(__file__).parents[2]
OPEN_SECONDS = 120.0
"""How long a peer may take to be imported: 3 seconds each where the disk is warm."""

KEPT_VARIABLES = ("PATH", "HOME", "LANG", "TMPDIR", "TEMP", "SYSTEMROOT", "USERPROFILE")
OFFLINE = {
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",  # else it fetches its prices at import
    "LANGSMITH_TRACING": "false",
    "PYTHONUTF8": "1",
}


class PeerFailedError(RuntimeError):
    """The process of the peers ended, or could not open a peer; the text ends with its stderr."""


class PeerGaveUpError(RuntimeError):
    """A session took longer than its budget; what was answered before still counts."""


@dataclass(frozen=True, slots=True)
class ExtraRequest:
    """A request of the peer's own (a summary's), in tokens by the peer's own estimate."""

    prompt_tokens: int
    output_tokens: int


@dataclass(frozen=True, slots=True)
class PeerAnswer:
    """What a peer would send, or why there is nothing.

    `messages` are in Anthropic's form, None where the peer raised (`error`); one that is as it was
    is the very object that was given, and `origins` holds its number in the history (None for any
    other). `milliseconds` are those inside the library's call. `note` tells a trap it fell into.
    """

    messages: list[PlainMessage] | None
    origins: list[int | None]
    milliseconds: float
    extra: ExtraRequest | None
    note: str | None
    error: str | None


class PeerProcess:
    """The process of the peers; it starts when a session opens, and anew after one that gave up."""

    def __init__(self, command: Sequence[str], variables: Mapping[str, str] = OFFLINE) -> None:
        kept = {name: os.environ[name] for name in KEPT_VARIABLES if name in os.environ}
        self._command, self._variables = list(command), {**kept, **variables}
        self._process: subprocess.Popen[str] | None = None
        self._lines: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._stderr: IO[bytes] | None = None

    @classmethod
    def installed_in(cls, cache: Path) -> "PeerProcess":
        """The real peers, installed into `cache` where they are not yet; may raise
        PeersMissingError."""
        return cls([str(environment(cache)), "-m", "benchmarks.window_peers"])

    def __enter__(self) -> "PeerProcess":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def open(
        self, peer: str, *, model: str, system_tokens: int, budget_seconds: float
    ) -> "PeerSession":
        """Begin a session, which ends any that was open before.

        `system_tokens` is the size of the system prompt. Raises PeerFailedError if the peer cannot
        be opened.
        """
        request = {"op": "open", "peer": peer, "model": model, "system_tokens": system_tokens}
        answer = self.ask(request, OPEN_SECONDS)
        if answer is None or answer["error"]:
            self.close()
            reason = answer["error"] if answer else "no answer"
            raise PeerFailedError(f"{peer} could not be opened: {reason}")
        return PeerSession(self, peer, answer["settings"], answer["versions"], budget_seconds)

    def ask(self, request: Mapping[str, Any], seconds: float) -> dict[str, Any] | None:
        """One answer, or None if it took more than `seconds`: the process is then ended.

        Raises PeerFailedError if the process ended by itself.
        """
        process = self._running()
        assert process.stdin
        try:
            process.stdin.write(json.dumps(request) + "\n")
            process.stdin.flush()
            line = self._lines.get(timeout=seconds)
        except queue.Empty:
            self.close()
            return None
        except OSError:
            line = ""
        if not line:
            raise PeerFailedError(f"the peers' process ended:\n{self._last_words(process)}")
        return json.loads(line)

    def close(self) -> None:
        """End the process, if there is one."""
        process, self._process = self._process, None
        if process:
            process.kill()
            process.wait()
            self._reader.join()
            for stream in (process.stdin, process.stdout, self._stderr):
                _close(stream)

    def _running(self) -> subprocess.Popen[str]:
        if self._process is None:
            self._stderr = tempfile.TemporaryFile()  # noqa: SIM115 (it lives as long as the process)
            self._process = subprocess.Popen(
                self._command,
                cwd=REPOSITORY,
                env=self._variables,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._stderr,
                text=True,
                encoding="utf-8",
            )
            self._lines = queue.SimpleQueue()
            arguments = (self._process.stdout, self._lines)
            self._reader = threading.Thread(target=_read, args=arguments, daemon=True)
            self._reader.start()
        return self._process

    def _last_words(self, process: subprocess.Popen[str]) -> str:
        process.kill()
        process.wait()
        assert self._stderr
        self._stderr.seek(0)
        words = self._stderr.read()[-2_000:].decode(errors="replace")
        self.close()
        return words


@dataclass(slots=True)
class PeerSession:
    """One conversation through one peer; requests in order.

    `budget_seconds` are for all requests together, conversion and pipes included. `settings` and
    `versions` say what was run.
    """

    _process: PeerProcess
    peer: str
    settings: str
    versions: dict[str, str]
    budget_seconds: float
    history: list[PlainMessage] = field(default_factory=list[PlainMessage])
    requests: int = 0
    gave_up: bool = False

    def prepare(
        self, keep: int, add: Sequence[PlainMessage], usage: Mapping[str, int] | None = None
    ) -> PeerAnswer:
        """What the peer sends where the history is its first `keep` messages and `add`.

        `usage` (`input_tokens`: all prompt tokens; `output_tokens`) is what the last answer in
        `add` was billed for what this peer had sent; only the summaries' trigger uses it. Raises
        PeerGaveUpError once the budget is spent, and PeerFailedError if the process ends.
        """
        if self.gave_up or self.budget_seconds <= 0:
            self.gave_up = True
            raise PeerGaveUpError(self._gave_up())
        self.history[keep:] = add
        request = {"op": "prepare", "keep": keep, "add": list(add), "usage": usage}
        started = time.perf_counter()
        answer = self._process.ask(request, self.budget_seconds)
        self.budget_seconds -= time.perf_counter() - started
        if answer is None:
            self.gave_up = True
            raise PeerGaveUpError(self._gave_up())
        self.requests += 1
        return self._resolved(answer)

    def _resolved(self, answer: dict[str, Any]) -> PeerAnswer:
        if answer["error"]:
            return PeerAnswer(None, [], 0.0, None, None, answer["error"])
        origins: list[int | None] = [message.get("ref") for message in answer["messages"]]
        messages: list[PlainMessage] = [
            message if origin is None else self.history[origin]
            for message, origin in zip(answer["messages"], origins, strict=True)
        ]
        extra = ExtraRequest(**answer["extra"]) if answer["extra"] else None
        return PeerAnswer(messages, origins, answer["ms"], extra, answer["note"], None)

    def _gave_up(self) -> str:
        return f"{self.peer} gave up after {self.requests} requests: its time was spent"


def _read(stream: IO[str], lines: "queue.SimpleQueue[str]") -> None:
    for line in stream:
        lines.put(line)
    lines.put("")  # the end


def _close(stream: IO[Any] | None) -> None:
    try:
        if stream:
            stream.close()
    except BrokenPipeError:  # what it had not read yet
        pass
