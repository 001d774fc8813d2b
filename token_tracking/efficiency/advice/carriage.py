"""When the money of an item was spent: its cost by quarter of an hour."""

from collections.abc import Iterable, Iterator

from msgspec import Struct

from token_tracking.efficiency.advice.requests import Requests, Span
from token_tracking.efficiency.attribution import Attribution, Conversation, ItemShare
from token_tracking.shares import QUARTER_MS, ShareLabel, quarter_of


class Part(Struct, frozen=True, gc=False):
    """What an item cost in a quarter of an hour (pico-USD), of which `carry` for other requests
    than its first, and the prompt `tokens` that it had in them. `at` is in that quarter; the first
    part is where it entered."""

    at: int
    pico: int
    carry: int
    tokens: int


class Carriage:
    """The items of a session by quarter of an hour.

    The first request of an item is known, with its cost; of the others it is known how many there
    were. What they cost together is shared by what each of them paid a token, but no quarter gets
    more than attribution found for the item's label in it: so an item that has its label for
    itself is exact, and no items together cost more in a quarter than its requests did.
    """

    def __init__(self, conversation: Conversation, attribution: Attribution) -> None:
        self._conversation = conversation
        self._attribution = attribution
        self._known: dict[str, list[Part]] = {}
        self._rooms: dict[ShareLabel, dict[int, int]] | None = None
        self._requests: Requests | None = None

    def parts(self, item: ItemShare) -> list[Part]:
        """Its cost by quarter, the sum of which is the whole; empty where it has none."""
        known = self._known.get(item.id)
        if known is None:
            known = self._known[item.id] = list(self._parts(item))
        return known

    def after_turn(self, item: ItemShare) -> list[Part]:
        """What carrying it cost after the turn in which it entered: from the first request on that
        the user asked for anew. Empty where it was not carried so long."""
        start = self._order.index(item.entered_with)
        if start is None:
            return []
        end = start + item.requests
        later = _by_quarter(self._order.spans(self._order.turn_after(start), end))
        if not later:
            return []
        whole = _by_quarter(self._order.spans(start + 1, end))
        costs = {quarter_of(part.at): part.carry for part in self.parts(item)}
        return [
            _later(costs.get(span.quarter, 0), item, whole[span.quarter], span)
            for span in later.values()
        ]

    @property
    def _order(self) -> Requests:
        if self._requests is None:
            self._requests = Requests(self._conversation)
        return self._requests

    def _parts(self, item: ItemShare) -> Iterator[Part]:
        if item.cost_pico is None or item.entered_at is None:
            return
        first = item.first_pico or 0
        entered = quarter_of(item.entered_at)
        spans = {entered: Span(entered, item.entered_at, 1, 0)}
        start = self._order.index(item.entered_with)
        if start is not None:
            carried = self._order.spans(start + 1, start + item.requests)
            spans = _by_quarter([*spans.values(), *carried])
        carry = self._carry(item, item.cost_pico - first, spans, entered)
        tokens = scaled(
            [spans[quarter].requests if quarter in spans else 0 for quarter in carry],
            item.prompt_tokens,
            sum(span.requests for span in spans.values()),
        )
        for (quarter, pico), size in zip(carry.items(), tokens, strict=True):
            at = spans[quarter].at if quarter in spans else quarter * QUARTER_MS
            yield Part(at, pico + (first if quarter == entered else 0), pico, size)

    def _carry(
        self, item: ItemShare, pico: int, spans: dict[int, Span], entered: int
    ) -> dict[int, int]:
        """By quarter, the one in which it entered first."""
        room = self._room(item)
        weights = [span.weight for span in spans.values()]
        wanted = scaled(weights, pico, sum(weights))
        found = dict.fromkeys(spans, 0)
        left = pico
        for quarter, most in zip(spans, wanted, strict=True):
            left -= _take(found, quarter, most, room)
        for quarter in [*spans, *sorted(room or ())] if left else ():
            left -= _take(found, quarter, left, room)
        found[entered] += left
        return found

    def _room(self, item: ItemShare) -> dict[int, int] | None:
        """What is left of the cost of carrying its label, by quarter; `None` where that is not
        known."""
        if self._rooms is None:
            self._rooms = {}
            for (quarter, label), sums in self._attribution.sums.items():
                self._rooms.setdefault(label, {})[quarter] = sums.carry_pico
        label = ShareLabel(item.kind, item.name, item.server, item.uri, item.agent)
        return self._rooms.get(label)


def scaled(values: Iterable[int], total: int, whole: int, phase: int = 0) -> list[int]:
    """Values whose sum is `whole`, so that it is `total`: rounded as they add up, so that nothing
    is lost. All of `total` is the first one's where `whole` is 0.

    With a `total` of 1/n of the whole, the n phases from 0 on together make up the values.
    """
    found: list[int] = []
    done = before = 0
    for value in values:
        done += value
        now = (done * total + phase) // whole if whole else total
        found.append(now - before)
        before = now
    return found


def _take(found: dict[int, int], quarter: int, most: int, room: dict[int, int] | None) -> int:
    if room is not None:
        most = min(most, room.get(quarter, 0))
        room[quarter] = room.get(quarter, 0) - most
    if most:
        found[quarter] = found.get(quarter, 0) + most
    return most


def _by_quarter(spans: Iterable[Span]) -> dict[int, Span]:
    found: dict[int, Span] = {}
    for span in spans:
        known = found.get(span.quarter)
        found[span.quarter] = span if known is None else known.with_more(span)
    return found


def _later(carry: int, item: ItemShare, whole: Span, later: Span) -> Part:
    pico = carry * later.weight // whole.weight if whole.weight else 0
    return Part(later.at, pico, pico, item.prompt_tokens * later.requests // item.requests)
