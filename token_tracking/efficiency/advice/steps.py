"""The requests of a session as steps, each from the request before it, in lines along which the
prompt only grows."""

from copy import copy
from operator import attrgetter
from typing import Final, NamedTuple

from msgspec import Struct

from token_tracking.efficiency.attribution import Conversation, Message

FIVE_MINUTES: Final = 5 * 60 * 1000
ONE_HOUR: Final = 60 * 60 * 1000
"""How long the cache keeps what was written or read, in milliseconds (Anthropic's documentation of
prompt caching)."""

_STILL_THE_SAME: Final = (9, 10)
"""A prompt that shrank by more than a tenth is another one: something was taken out of it. One in
250 shrinks at all, most by the thinking that a user's turn drops."""


class Step(Struct, frozen=True, gc=False):
    """A request, and the one `before` it in its conversation, `None` where it opens one.

    `tokens` is the size of its prompt, `tokens_before` that of the one before, and `gap` are the
    milliseconds between them. Whether it `continues` that prompt, or begins another. Of what it
    continues, `cached` tokens were in the cache after the request before it, and `kept` are those
    that the cache still held by its lifetime. `line` is the line that it stands in: it continues
    all earlier steps of that line.
    """

    request: Message
    before: Message | None
    line: int
    tokens: int
    tokens_before: int = 0
    gap: int = 0
    continues: bool = False
    cached: int = 0
    kept: int = 0


class Steps(NamedTuple):
    """The steps that a session itself paid for at known prices, in order of time, all messages by
    their keys, and the line that each stands in."""

    own: list[Step]
    messages: dict[str, Message]
    lines: dict[str, int]


def steps_of(conversation: Conversation) -> Steps:
    """The steps of a conversation. A message that hangs on a later one opens a conversation, so
    that a wrong clock or a cycle hides findings and makes none; so does a second branch."""
    walk = _Walk(conversation)
    for message in sorted(walk.messages.values(), key=attrgetter("at", "key")):
        walk.add(message)
    return Steps(walk.own, walk.messages, walk.lines)


class _State(Struct, gc=False):
    """A message as the next one finds it: the last request, its prompt, what of it is in the cache
    and up to where for one hour, and whether a compaction came since."""

    line: int
    request: Message | None = None
    tokens: int = 0
    cached: int = 0
    hour_end: int = 0
    is_cut: bool = False
    has_next: bool = False


class _Walk:
    def __init__(self, conversation: Conversation) -> None:
        self.messages = {message.key: message for message in conversation.messages}
        self.own: list[Step] = []
        self.lines: dict[str, int] = {}
        self._compacted = {
            each.after for each in conversation.removals if each.removed is None and each.after
        }
        self._states: dict[str, _State] = {}
        self._last: dict[str, _State] = {}
        self._count = 0

    def add(self, message: Message) -> None:
        """One message, after all that are earlier."""
        key = message.key
        parent = self._parent(message)
        if message.usage.prompt_tokens:
            state = self._request(message, parent)
        elif parent is None or parent.has_next:
            state = _State(self._new_line())
        else:
            state = copy(parent)
        if parent is not None:
            parent.has_next = True
        if key in self._compacted:
            state.is_cut = True
        self.lines[key] = state.line
        self._states[key] = self._last[message.chain] = state

    def _request(self, message: Message, parent: _State | None) -> _State:
        usage = message.usage
        read, hour = usage.cache_read_tokens, usage.cache_write_1h_tokens
        left = read + hour + usage.cache_write_5m_tokens
        tokens = left + usage.input_tokens
        before = None if parent is None else parent.request
        if parent is None or before is None:
            step = Step(message, None, self._new_line(), tokens)
            hour_end = 0
        else:
            step = self._next(message, before, parent, tokens)
            hour_end = min(parent.hour_end, read) if step.continues else 0
        if message.is_own and message.rates is not None:
            self.own.append(step)
        if hour:
            # An entry of the cache is the whole prompt up to its end.
            hour_end = read + hour
        return _State(step.line, message, tokens, left, hour_end)

    def _next(self, message: Message, before: Message, parent: _State, tokens: int) -> Step:
        gap = message.at - before.at
        was = parent.tokens
        if parent.is_cut or tokens * _STILL_THE_SAME[1] < was * _STILL_THE_SAME[0]:
            return Step(message, before, self._new_line(), tokens, was, gap)
        cached = min(parent.cached, tokens)
        kept = cached
        if gap > FIVE_MINUTES:
            kept = min(parent.hour_end, cached) if gap <= ONE_HOUR else 0
        line = self._new_line() if parent.has_next else parent.line
        return Step(message, before, line, tokens, was, gap, True, cached, kept)

    def _parent(self, message: Message) -> _State | None:
        given = None if message.parent is None else self.messages.get(message.parent)
        if given is not None and given.chain == message.chain:
            return self._states.get(given.key)
        return None if message.is_linked else self._last.get(message.chain)

    def _new_line(self) -> int:
        self._count += 1
        return self._count
