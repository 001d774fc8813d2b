"""What the model is to say, told beforehand or worked out from each request."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.upstream.gates import Gate
from tests.upstream.received import Received


@dataclass(frozen=True)
class ToolUse:
    """A call of a tool; without an `id` it is given a new one."""

    name: str
    input: Mapping[str, Any] = field(default_factory=dict[str, Any])
    id: str | None = None


@dataclass(frozen=True)
class Answer:
    """One answer of the model: thinking, text and calls, in this order, where there are any.

    Without a `stop_reason` it is `tool_use` where tools are called and else `end_turn`; without
    `output_tokens` the blocks are counted. More than the request's `max_tokens` is cut short.
    `summary` is what a compaction says, where one is due; None makes it fail. `breaks_after` is
    the number of events after which a stream ends with an error. `gates` hold it until a test
    opens them. `cached_tokens` of the prompt are told in OpenAI's form, whose thinking is told as
    reasoning tokens and not shown.
    """

    text: str = ""
    tools: tuple[ToolUse, ...] = ()
    thinking: str = ""
    stop_reason: str | None = None
    output_tokens: int | None = None
    summary: str | None = "A summary of the conversation so far."
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    breaks_after: int | None = None
    gates: tuple[Gate, ...] = ()
    cached_tokens: int = 0


@dataclass(frozen=True)
class Failure:
    """An error instead of an answer. Without a message it is what the API says at this status."""

    status: int
    message: str = ""
    retry_after: float | None = None
    headers: Mapping[str, str] = field(default_factory=dict[str, str])

    @property
    def all_headers(self) -> dict[str, str]:
        """The headers, `retry-after` (seconds) among them."""
        after = {} if self.retry_after is None else {"retry-after": f"{self.retry_after:g}"}
        return {**after, **self.headers}


Turn = Answer | Failure | str
"""One step of a script; a string is an answer with that text."""

Source = Iterable[Turn] | Callable[[Received], Turn]


class ScriptEndedError(AssertionError):
    """More was asked of the model than its script has."""


class Script:
    """The steps of a model, one for each request for a message that is valid."""

    def __init__(self, source: Source) -> None:
        self._steps = None if callable(source) else iter(source)
        self._function = source if callable(source) else None

    def next(self, received: Received) -> Answer | Failure:
        """The next step. Raises `ScriptEndedError`, and whatever the script's function raises."""
        turn = self._function(received) if self._function else self._step()
        return Answer(turn) if isinstance(turn, str) else turn

    def _step(self) -> Turn:
        assert self._steps is not None
        for turn in self._steps:
            return turn
        raise ScriptEndedError("the script has no more answers")


def greeting(received: Received) -> Turn:
    """The script of a server that was given none: it repeats how many messages it read."""
    return f"This is message {len(received.messages) + 1} of the conversation."
