"""When an edit of the history pays: the break-even of section 10 of the design, with what is known
of prices, of the cache and of how long conversations go on.

Amounts are in input tokens: what as many plain input tokens of the model cost.
"""

from typing import Final

from msgspec import Struct

from token_tracking.pricing import Rates

GUARD: Final = 1.025
"""No edit may raise the cost of the conversation so far above this share of leaving it alone, even
if it ended with this request. The rest to the promised 1.03 is for errors of estimates."""

MARGIN: Final = 2.0
"""An edit has to pay for itself as often as this by the expected remaining requests: of 1, 1.5, 2
and 3 the cheapest on the replays for five minutes and for an hour, but for 3, which edits least."""


class Ratios(Struct, frozen=True):
    """Prices in units of the plain input price: of a token that is read from the cache, and of one
    that is written to it."""

    read: float
    write: float


UNCACHED: Final = Ratios(1.0, 1.0)
"""Where nothing is cached, every token costs as much as the first time."""

USUAL: Final = {"5m": Ratios(0.1, 1.25), "1h": Ratios(0.1, 2.0)}
"""Taken for a model whose prices are not known: those of most Claude models."""


def ratios_of(rates: Rates | None, ttl: str | None) -> Ratios:
    """A model's ratios for a lifetime (`5m`, `1h`); `None` stands for no caching."""
    if ttl is None:
        return UNCACHED
    if rates is None or not rates.input:
        return USUAL[ttl]
    write = rates.cache_write_1h if ttl == "1h" else rates.cache_write_5m
    return Ratios(rates.cache_read / rates.input, write / rates.input)


FETCH_TOKENS: Final = 80
"""What a model writes to get one thing again: a call with a handle or a path."""

OUTPUT_RATIO: Final = 5.0
"""What a written token costs, in input tokens: the ratio of all current Claude models."""


class Decision(Struct, frozen=True):
    """Whether an edit pays. `now` is what it adds to the cost of this request (negative where it
    saves at once), `later` what it is expected to save afterwards, in input tokens."""

    pays: bool
    now: float
    later: float
    why: str


class Economics(Struct, kw_only=True):
    """What an edit is weighed with, for one request.

    `remaining` are the requests that are expected after this one. `spent` is what the conversation
    has cost so far as it was sent, `alone` what it would have cost unedited, this request
    included in both, as it would be sent without a further edit.
    """

    ratios: Ratios
    is_cached: bool
    remaining: float
    spent: float
    alone: float
    guard: float = GUARD
    margin: float = MARGIN
    charged: float = 0.0
    """What policies have spent beside the request: on summaries."""

    def fetching(self, tokens: int, prompt: int) -> float:
        """What it costs to get something back that was taken out of a prompt: one more request,
        and its tokens once more."""
        asked = OUTPUT_RATIO * FETCH_TOKENS
        return self.ratios.read * prompt + self.ratios.write * tokens + asked

    def carrying(self, tokens: int) -> float:
        """What it is expected to cost to leave something in, from this request on."""
        first = self.ratios.read if self.is_cached else self.ratios.write
        return (first + self.remaining * self.ratios.read) * tokens

    def weigh(
        self, *, removed_cached: int, removed_new: int, rewritten: int, regret: float = 0.0
    ) -> Decision:
        """An edit that takes out tokens, some of them cached and some sent for the first time, and
        has the provider write `rewritten` cached tokens again. `regret` is what it is expected to
        cost to get some of it back."""
        read, write = self.ratios.read, self.ratios.write
        removed = removed_cached + removed_new
        if not self.is_cached:
            later = self.remaining * read * removed - regret
            return Decision(removed > 0, -write * removed, later, "nothing of it is cached")
        now = (write - read) * rewritten - read * removed_cached - write * removed_new
        later = self.remaining * read * removed - regret
        if removed <= 0 or later <= self.margin * now:
            return Decision(False, now, later, "would not pay for writing the rest again")
        if self.spent + now > self.guard * self.alone and now > 0:
            return Decision(False, now, later, "not yet: it would cost too much if it ended here")
        return Decision(True, now, later, "pays by the requests that are expected")

    def spend(self, decision: Decision, price: float = 0.0) -> None:
        """Note that the edit is made, and what of it was paid beside the request."""
        self.spent += decision.now
        self.charged += price
