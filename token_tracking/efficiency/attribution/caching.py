"""What became of what was written to the cache, request by request.

Caches are per model, and their entries last five minutes or an hour from when they were last used
(Anthropic's documentation of prompt caching).
"""

from typing import Final

from msgspec import Struct

from token_tracking.efficiency.attribution.values import Message
from token_tracking.pricing import Rates
from token_tracking.shares import QUARTER_MS, Facts

_FIVE_MINUTES_MS: Final = 5 * 60 * 1000
_HOUR_MS: Final = 60 * 60 * 1000


class _Write(Struct, gc=False):
    """What a request wrote, up to the position `end` of its prompt; `read` is how far another read
    it."""

    message: Message
    end: int
    read: int


class Cached(Struct, gc=False):
    """What a conversation has in the cache after a request: its prompt's front up to `end`, of
    which the part up to `hour_end` lasts an hour. `writes` are those that a request may still read
    or write anew."""

    request: Message | None = None
    end: int = 0
    hour_end: int = 0
    writes: tuple[_Write, ...] = ()


NOTHING: Final = Cached()
"""Before the first request."""


class Caching:
    """Facts of the own requests, by quarter of an hour (`shares.Facts`)."""

    def __init__(self) -> None:
        self._facts: dict[int, dict[str, int]] = {}
        self._writes: list[_Write] = []
        self._quarter: int | None = None
        self._now: dict[str, int] = {}

    def add(self, message: Message, before: Cached, unchanged: int, unseen: int) -> Cached:
        """One request, after those of its conversation that left `before` in the cache. The first
        `unchanged` tokens of the prompt before it stand in its own; `unseen` are the tokens that it
        read though no known request wrote them.

        Unseen writes are taken to be for five minutes, the client's rule; their premium is what
        the call that stands in no line paid for them above plain input.
        """
        read = message.usage.cache_read_tokens
        if message.is_own:
            facts = self._of(message)
            facts["requests"] += 1
            if read:
                facts["hit_requests"] += 1
            if unseen:
                _note(facts, "unseen_write", unseen, _premium(unseen, 0, message.rates))
            if read < before.end and before.request is not None:
                self._lost(facts, message, before, unchanged)
        return self._after(message, before)

    def facts(self) -> dict[int, Facts]:
        """Of all requests that were added, and what they wrote that no other read."""
        for write in self._writes:
            unread = write.end - write.read
            if unread:
                facts, usage = self._of(write.message), write.message.usage
                last = min(unread, usage.cache_write_5m_tokens)
                facts["unread_write_tokens"] += unread
                facts["unread_write_pico"] += _premium(last, unread - last, write.message.rates)
        self._writes.clear()
        return {quarter: Facts(**facts) for quarter, facts in sorted(self._facts.items())}

    def _of(self, message: Message) -> dict[str, int]:
        quarter = message.at // QUARTER_MS
        if quarter != self._quarter:
            if quarter not in self._facts:
                self._facts[quarter] = dict.fromkeys(_KEPT, 0)
            self._quarter, self._now = quarter, self._facts[quarter]
        return self._now

    def _lost(
        self, facts: dict[str, int], message: Message, before: Cached, unchanged: int
    ) -> None:
        """A request that did not read all that was in the cache had to pay again for what still
        stands in its prompt: what had lapsed by then, and what another model had cached. Where
        its own model's entries were alive and it did not read them, it is neither."""
        last = before.request
        assert last is not None
        read = message.usage.cache_read_tokens
        lost = min(before.end, unchanged) - read
        if lost <= 0:
            return
        gap = message.at - last.at
        alive = before.end if gap <= _FIVE_MINUTES_MS else before.hour_end if gap <= _HOUR_MS else 0
        living = min(lost, max(0, min(alive, unchanged) - read))
        is_switch = last.model != message.model
        if living and is_switch:
            _note(facts, "switch", living, _paid_again(message, 0, living), "switches")
        if living < lost and (is_switch or not living):
            _note(facts, "lapse", lost - living, _paid_again(message, living, lost - living))

    def _after(self, message: Message, before: Cached) -> Cached:
        usage = message.usage
        read, hour = usage.cache_read_tokens, usage.cache_write_1h_tokens
        written = usage.cache_write_5m_tokens + hour
        writes: list[_Write] = []
        for write in before.writes:
            if write.message.model != message.model:
                writes.append(write)
            elif read >= write.end:
                write.read = write.end
            else:
                write.read = max(write.read, read)
                if not written:
                    writes.append(write)
        if written and message.is_own:
            write = _Write(message, read + written, read)
            writes.append(write)
            self._writes.append(write)
        hour_end = read + hour if hour else min(before.hour_end, read)
        return Cached(message, read + written, hour_end, tuple(writes))


_KEPT: Final = (
    "requests",
    "hit_requests",
    "unread_write_tokens",
    "unread_write_pico",
    "lapses",
    "lapse_tokens",
    "lapse_pico",
    "switches",
    "switch_tokens",
    "switch_pico",
    "unseen_writes",
    "unseen_write_tokens",
    "unseen_write_pico",
)


def _note(facts: dict[str, int], name: str, tokens: int, pico: int, counts: str = "") -> None:
    facts[counts or f"{name}s"] += 1
    facts[f"{name}_tokens"] += tokens
    facts[f"{name}_pico"] += pico


def _premium(for_five_minutes: int, for_an_hour: int, rates: Rates | None) -> int:
    """What writing tokens costs above plain input, in pico-USD; 0 where no price is known."""
    if rates is None:
        return 0
    return for_five_minutes * (rates.cache_write_5m - rates.input) + for_an_hour * (
        rates.cache_write_1h - rates.input
    )


def _paid_again(message: Message, skipped: int, tokens: int) -> int:
    """What a request paid, for as many tokens behind what it read and `skipped` more, above
    reading them."""
    rates = message.rates
    if rates is None:
        return 0
    usage = message.usage
    paid = 0
    for size, rate in (
        (usage.cache_write_1h_tokens, rates.cache_write_1h),
        (usage.cache_write_5m_tokens, rates.cache_write_5m),
        (usage.input_tokens, rates.input),
    ):
        passed = min(skipped, size)
        taken = min(tokens, size - passed)
        skipped -= passed
        tokens -= taken
        paid += taken * (rate - rates.cache_read)
    return paid
