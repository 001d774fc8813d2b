"""A prompt as a row of slots, and what each request's billing of it cost every item.

An item takes one slot or several; a slot has a number of tokens, and its position is what stands
before it. A request bills the whole row, range by range, at one rate a range: all slots in the
first range pay alike (`accounts.Meter`), and the few behind it are charged one by one.
"""

from collections.abc import Sequence
from typing import Final

from token_tracking.efficiency.attribution.accounts import Group, Item, Meter
from token_tracking.efficiency.attribution.fenwick import Fenwick
from token_tracking.efficiency.attribution.slots import OTHER, Slot
from token_tracking.efficiency.attribution.steps import Steps
from token_tracking.efficiency.attribution.values import NotAttributableError
from token_tracking.pricing import Rates
from token_tracking.shares import QUARTER_MS, ShareLabel
from token_tracking.usage import Usage

_MOST_AT_ONCE: Final = 64
"""Slots behind the first range that are charged one by one: in most requests there are three or
four. More of them are charged together at the end of the quarter."""

_MOST_WORK: Final = 200_000_000
"""Slots that are charged at the ends of quarters, in all: a minute. Only a clock that goes to and
fro, in a session that never reads its cache to the end, comes near it."""

_Range = tuple[int, int]
"""Tokens that one request bills at one rate, and that rate (pico-USD a token)."""


class Positions:
    """The prompt of one request after another.

    Everything but billing can be taken back (`mark`, `rollback`): a conversation may branch.
    """

    def __init__(self) -> None:
        self.total = 0
        self.groups: dict[ShareLabel, Group] = {}
        self.is_branching = False
        """Whether there is something to come back to."""
        self._meter = Meter()
        self._quarter = 0
        self._open: list[Group] = []
        self._slots: list[Slot] = []
        self._new = 0
        self._row: Fenwick | None = None
        self._removable: dict[int, Fenwick] = {}
        self._far: Steps | None = None
        self._journal: list[tuple[Slot, int]] = []
        self._work = 0

    def enter(self, item_id: str, label: ShareLabel, tokens: int, kind: int = OTHER) -> Item:
        """A new item at the end of the prompt, in a slot of at least one token."""
        group, meter = self.groups.get(label), self._meter
        if group is None:
            group = self.groups[label] = Group(label)
        group.settle(meter)
        group.items += 1
        group.tokens += tokens
        item = Item(
            item_id, group, tokens, tokens, meter.requests, meter.priced, meter.rate, meter.plain
        )
        self._place(item, tokens, kind)
        return item

    def append(self, item: Item, tokens: int, kind: int = OTHER) -> None:
        """A new slot at the end of the prompt, of at least one token."""
        item.resize(tokens, self._meter)
        self._place(item, tokens, kind)

    def _place(self, item: Item, tokens: int, kind: int) -> None:
        slots, group = self._slots, item.group
        slot = Slot(item, tokens, kind, len(slots))
        slots.append(slot)
        self.total += tokens
        if self._row is not None:
            self._row.append(tokens)
            for each, row in self._removable.items():
                row.append(tokens if kind == each else 0)
            if self._far is not None:
                self._far.append()
                slot.since = self._far.last
        if self.is_branching:
            self._journal.append((slot, 0))
        if not group.is_open:
            group.is_open = True
            self._open.append(group)

    def resize(self, slot: Slot, tokens: int) -> None:
        """Give a slot this many tokens; those behind it shift."""
        if tokens != slot.tokens:
            if self.is_branching:
                self._journal.append((slot, slot.tokens))
            self._set(slot, tokens)

    def mark(self) -> int:
        """A point to come back to."""
        self.is_branching = True
        return len(self._journal)

    def rollback(self, mark: int) -> None:
        """Make the row what it was at `mark`."""
        while len(self._journal) > mark:
            self._set(*self._journal.pop())

    def forget(self) -> None:
        """Nothing will be taken back any more."""
        self.is_branching = False
        self._journal.clear()

    def first_from(self, position: int, kind: int = OTHER) -> Slot | None:
        """The first slot with tokens that ends behind `position`; of results or of thinking alone
        where one of them is named."""
        index, _ = self._sums().find(position)
        if kind != OTHER:
            row = self._removable.get(kind)
            if row is None:
                row = self._removable[kind] = Fenwick(
                    slot.tokens if slot.kind == kind else 0 for slot in self._slots
                )
            index, _ = row.find(row.sum(index))
        return self._slots[index] if index < len(self._slots) else None

    def slots(self) -> Sequence[Slot]:
        """All slots, closed ones too, in the order in which they stand."""
        return self._slots

    def start(self, slot: Slot) -> int:
        """How many tokens stand before a slot."""
        return self._sums().sum(slot.index)

    def bill(self, usage: Usage, rates: Rates | None, at: int, key: str) -> None:
        """The request `key` carries the row, of as many tokens as its prompt has. `rates` is `None`
        where no price is known.

        Anthropic's order of what is billed: read from the cache, written to it for an hour, for
        five minutes, and neither.
        """
        quarter = at // QUARTER_MS
        if quarter != self._quarter:
            self.end_quarter()
            self._quarter = quarter
        meter = self._meter
        meter.requests += 1
        ranges = [(self.total, 0)]
        if rates is not None:
            meter.priced += 1
            meter.plain += rates.input
            ranges = _ranges(usage, rates)
            meter.rate += ranges[0][1]
        self._charge(ranges, at, key)
        self._new = len(self._slots)

    def _charge(self, ranges: list[_Range], at: int, key: str) -> None:
        """Charge the slots behind the first range what they pay more than that, and note the items
        that no request carried before: from the end of the row on."""
        slots, number, new = self._slots, self._meter.requests, self._new
        front, common = ranges[0]
        tokens, rate = ranges.pop()
        end = self.total
        edge = end - tokens
        index = len(slots)
        last = min(index - _MOST_AT_ONCE, new)
        while index > new or (end > front and index > last):
            index -= 1
            slot = slots[index]
            size = slot.tokens
            if not size:
                continue
            start = end - size
            cost = 0
            while start < edge:
                cost += (end - edge) * rate
                end = edge
                tokens, rate = ranges.pop()
                edge -= tokens
            cost += (end - start) * rate
            end = start
            item = slot.item
            if cost != size * common:
                more = cost - size * common
                item.cost += more
                item.group.cost += more
            entered = item.entered
            if not entered:
                item.entered, item.entered_at, item.entered_with = number, at, key
                item.first = cost
            elif entered == number:
                item.first += cost
        if end > front:
            self._charge_far([*ranges, (end - edge, rate)], index)

    def _charge_far(self, ranges: list[_Range], until: int) -> None:
        """Charge what stands behind the first range, up to the slot `until`, when it is settled."""
        far = self._far
        if far is None:
            far = self._far = Steps(len(self._slots))
        row = self._sums()
        position, rate = ranges[0]
        for tokens, next_rate in ranges[1:]:
            change = next_rate - rate
            index, inside = row.find(position)
            if inside:
                slot = self._slots[index]
                more = (slot.tokens - inside) * change
                slot.item.cost += more
                slot.item.group.cost += more
                index += 1
            far.add_from(index, change)
            far.add_from(until, -change)
            position += tokens
            rate = next_rate

    def end_quarter(self) -> None:
        """Add up what was charged since the last quarter ended."""
        self._settle_far()
        for group in self._open:
            group.end(self._quarter, self._meter)
            group.is_open = group.items > 0
        self._open = [group for group in self._open if group.is_open]

    def clear(self) -> None:
        """Settle the prompt of now, and begin an empty one."""
        self._settle_far()
        self._row = None
        self._removable.clear()
        meter = self._meter
        for group in self._open:
            group.leave(meter)
        for slot in self._slots:
            slot.item.leave(meter)
        self._slots.clear()
        self.forget()
        self.total = self._new = 0

    def _settle_far(self) -> None:
        if self._far is None:
            return
        for slot, rate in zip(self._slots, self._far.all(), strict=True):
            _charge(slot, rate)
            slot.since = 0
        self._far = None
        self._work += len(self._slots)
        if self._work > _MOST_WORK:
            raise NotAttributableError(
                "Its requests go to and fro in time, with prompts of"
                f" {len(self._slots):,} parts that are not read from the cache."
            )

    def _set(self, slot: Slot, tokens: int) -> None:
        change = tokens - slot.tokens
        if self._far is not None:
            rate = self._far.at(slot.index)
            _charge(slot, rate)
            slot.since = rate
        if not slot.tokens:
            # A request may carry it for the first time now.
            self._new = min(self._new, slot.index)
        slot.tokens = tokens
        if self._row is not None:
            self._row.add(slot.index, change)
            row = self._removable.get(slot.kind)
            if row is not None:
                row.add(slot.index, change)
        self.total += change
        item = slot.item
        item.resize(change, self._meter)
        if not item.group.is_open:
            item.group.is_open = True
            self._open.append(item.group)

    def _sums(self) -> Fenwick:
        """The row as sums; most conversations never ask for them."""
        if self._row is None:
            self._row = Fenwick(slot.tokens for slot in self._slots)
        return self._row


def _ranges(usage: Usage, rates: Rates) -> list[_Range]:
    ranges: list[_Range] = []
    if usage.cache_read_tokens:
        ranges.append((usage.cache_read_tokens, rates.cache_read))
    if usage.cache_write_1h_tokens:
        ranges.append((usage.cache_write_1h_tokens, rates.cache_write_1h))
    if usage.cache_write_5m_tokens:
        ranges.append((usage.cache_write_5m_tokens, rates.cache_write_5m))
    if usage.input_tokens:
        ranges.append((usage.input_tokens, rates.input))
    return ranges


def _charge(slot: Slot, rate: int) -> None:
    """What the slot pays more than the common rate since it has its size."""
    more = slot.tokens * (rate - slot.since)
    if more:
        slot.item.cost += more
        slot.item.group.cost += more
