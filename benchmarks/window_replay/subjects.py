"""Who edits the conversations: our policies, what others do, and nobody."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from token_tracking.window.blocks import PlainMessage
from token_tracking.window.errors import DoesNotFitError
from token_tracking.window.policies.policy import Policy
from token_tracking.window.prompt_cache import CacheUse
from token_tracking.window.window import ContextWindow


class SubjectGaveUpError(RuntimeError):
    """The time for a conversation is spent."""


@dataclass
class Edited:
    """What would be sent, how long it took (seconds), and the tokens of other requests that it
    needed (prompt and output). Where it is refused, or was an error, that is the whole history."""

    messages: list[PlainMessage]
    seconds: float
    extra: tuple[int, int] = (0, 0)
    is_refused: bool = False
    is_error: bool = False
    note: str | None = None


class Subject(Protocol):
    """One conversation in the hands of a policy."""

    ignores_lifetime: bool
    """Whether it does the same for both lifetimes: then it is run once."""

    async def prepare(self, history: list[PlainMessage], kept: int, at_ms: int) -> Edited:
        """The next request; the first `kept` messages are those of the one before.

        Raises:
            SubjectGaveUpError: its time is spent.
        """
        ...

    def observe(self, used: dict[str, CacheUse], output_tokens: int) -> None:
        """What the request was billed for."""
        ...


@dataclass
class Setting:
    """What a subject knows of the conversation at its start. Where prompts passed the window that
    is known of the model, it was the larger one."""

    model: str
    window: int
    base_tokens: int
    ttl: str
    session_id: str = ""


Start = Callable[[Setting], Subject]


class Windowed:
    """A `ContextWindow` of ours."""

    def __init__(self, setting: Setting, policy: Sequence[Policy] | None) -> None:
        self._now = 0.0
        self._ttl: Any = setting.ttl
        self.ignores_lifetime = policy is not None and not policy
        self._window = ContextWindow(
            setting.model,
            policy=policy,
            caching=self._ttl,
            window=setting.window,
            form="anthropic",
            clock=lambda: self._now,
        )

    async def prepare(self, history: list[PlainMessage], kept: int, at_ms: int) -> Edited:
        """As `Subject.prepare`."""
        self._now = at_ms / 1000
        start = time.perf_counter()
        try:
            prepared = await self._window.prepare(None, history)
        except DoesNotFitError:
            return Edited(history, time.perf_counter() - start, is_refused=True)
        return Edited(prepared.messages, time.perf_counter() - start)

    def observe(self, used: dict[str, CacheUse], output_tokens: int) -> None:
        """As `Subject.observe`."""
        use = used[self._ttl]
        written = use.write_5m + use.write_1h
        self._window.observe(
            {
                "input_tokens": use.uncached,
                "cache_read_input_tokens": use.read,
                "cache_creation_input_tokens": written,
                "cache_creation": {"ephemeral_1h_input_tokens": use.write_1h},
                "output_tokens": output_tokens,
            }
        )


class Rule:
    """A rule without a memory: what it sends depends on the conversation alone."""

    ignores_lifetime = True

    def __init__(self, edit: Callable[[list[PlainMessage]], list[PlainMessage]]) -> None:
        self._edit = edit

    async def prepare(self, history: list[PlainMessage], kept: int, at_ms: int) -> Edited:
        """As `Subject.prepare`."""
        start = time.perf_counter()
        messages = self._edit(history)
        return Edited(messages, time.perf_counter() - start)

    def observe(self, used: dict[str, CacheUse], output_tokens: int) -> None:
        """It learns nothing."""
