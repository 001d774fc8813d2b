"""Other libraries in the replay, from their own process."""

import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from benchmarks.window_peers.client import (
    PeerAnswer,
    PeerFailedError,
    PeerGaveUpError,
    PeerProcess,
    PeerSession,
)
from benchmarks.window_replay.subjects import Edited, Setting, Start, SubjectGaveUpError
from token_tracking.window.blocks import PlainMessage
from token_tracking.window.prompt_cache import CacheUse

NAMES = (
    "langchain_trim",
    "langchain_clear",
    "langchain_summary",
    "langchain_summary_fraction",
    "litellm_trim",
    "litellm_trim_100k",
)
SECONDS = {"langchain": (60.0, 300.0), "litellm": (5.0, 45.0)}
"""For one session and for all, of each library. LiteLLM counts the whole history again for each
message that it drops: at 100k tokens a request takes it seconds."""


@dataclass
class Time:
    """The seconds that one peer has left, in all and for each session; to start it counts only
    among all."""

    session_seconds: float
    left: float
    sessions: dict[str, float] = field(default_factory=dict[str, float])

    def for_session(self, session: str) -> float:
        """What a session may take still."""
        return min(self.left, self.sessions.setdefault(session, self.session_seconds))

    def spend(self, session: str, seconds: float) -> None:
        """Take what a request took."""
        self.left -= seconds
        self.sessions[session] -= seconds


class Peer:
    """One conversation through one peer."""

    ignores_lifetime = True

    def __init__(self, process: PeerProcess, name: str, left: Time, setting: Setting) -> None:
        self._process = process
        self._name = name
        self._time = left
        self._setting = setting
        self._session: PeerSession | None = None
        self._usage: dict[str, int] | None = None

    async def prepare(self, history: list[PlainMessage], kept: int, at_ms: int) -> Edited:
        """As `Subject.prepare`."""
        left = self._time.for_session(self._setting.session_id)
        try:
            session = self._session = self._session or self._open(left)
            before = session.budget_seconds = left
            try:
                answer = session.prepare(kept, history[kept:], self._usage_of(history[kept:]))
            finally:
                self._time.spend(self._setting.session_id, before - session.budget_seconds)
        except PeerGaveUpError as error:
            raise SubjectGaveUpError("its time was spent") from error
        except PeerFailedError as error:
            raise SubjectGaveUpError(str(error).splitlines()[-1]) from error
        return _edited(answer, history)

    def observe(self, used: dict[str, CacheUse], output_tokens: int) -> None:
        """As `Subject.observe`."""
        prompt = used["5m"].prompt_tokens
        self._usage = {"input_tokens": prompt, "output_tokens": output_tokens}

    def _open(self, seconds: float) -> PeerSession:
        if seconds <= 0:
            raise PeerGaveUpError
        start = time.perf_counter()
        session = self._process.open(
            self._name,
            model=self._setting.model,
            system_tokens=self._setting.base_tokens,
            budget_seconds=seconds,
        )
        self._time.left -= time.perf_counter() - start
        return session

    def _usage_of(self, added: list[PlainMessage]) -> dict[str, int] | None:
        has_answer = any(message["role"] == "assistant" for message in added)
        return self._usage if has_answer else None


def _edited(answer: PeerAnswer, history: list[PlainMessage]) -> Edited:
    seconds = answer.milliseconds / 1000
    if answer.messages is None:
        error = (answer.error or "").split(":")[0]
        return Edited(history, seconds, is_error=True, note=f"raised {error}")
    if not answer.messages:
        return Edited([], seconds, note=answer.note, is_refused=True)
    extra = answer.extra
    tokens = (extra.prompt_tokens, extra.output_tokens) if extra is not None else (0, 0)
    return Edited(answer.messages, seconds, extra=tokens, note=answer.note)


@contextmanager
def peers(
    cache: Path,
    names: tuple[str, ...] = NAMES,
    seconds: Mapping[str, tuple[float, float]] = SECONDS,
) -> Generator[dict[str, Start]]:
    """The peers by name, in one process for each library; installed into `cache` at first use.

    Raises:
        PeersMissingError: they cannot be installed.
    """
    libraries = {_library(name): PeerProcess.installed_in(cache) for name in names}
    try:
        yield {name: _start(name, libraries, seconds) for name in names}
    finally:
        for process in libraries.values():
            process.close()


def _start(
    name: str,
    libraries: Mapping[str, PeerProcess],
    seconds: Mapping[str, tuple[float, float]],
) -> Start:
    library = _library(name)
    return partial(Peer, libraries[library], name, Time(*seconds[library]))


def _library(name: str) -> str:
    return name.partition("_")[0]
