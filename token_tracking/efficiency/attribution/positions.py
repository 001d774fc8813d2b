"""A prompt as a row of slots, and what each request's billing of it cost every item.

An item takes one slot or several; a slot has a number of tokens, and its position is what stands
before it. A request bills the whole row, range by range, at one rate a range: that changes two or
three numbers, however long the row is, and a slot's share is read off when the slot changes.
"""

from typing import Final, NamedTuple

from token_tracking.efficiency.attribution.fenwick import Fenwick
from token_tracking.efficiency.attribution.steps import Steps

RESULT: Final = 0
"""A tool result: clients and servers clear these first."""
THINKING: Final = 1
"""Thinking, which some models drop from later prompts."""
OTHER: Final = 2


class Range(NamedTuple):
    """Tokens that one request bills at one rate (pico-USD a token)."""

    tokens: int
    rate: int


class _Item:
    """What was added up of one item, and what stands of it in the prompt of now."""

    __slots__ = (
        "cost",
        "is_estimated",
        "largest",
        "paid",
        "requests",
        "since",
        "since_priced",
        "size",
        "tokens",
    )

    def __init__(self) -> None:
        self.size = self.largest = 0
        self.since = self.since_priced = 0
        self.requests = self.paid = 0
        self.tokens = self.cost = 0
        self.is_estimated = False


class Positions:
    """The prompt of one request after another.

    Slots are numbered in the order in which they stand; a closed one has no tokens. Everything
    but billing can be taken back (`mark`, `rollback`): a conversation may branch.
    """

    def __init__(self) -> None:
        self.items: list[_Item] = []
        self._tokens: list[int] = []
        self._item: list[int] = []
        self._kind: list[int] = []
        self._since: list[int] = []
        self._since_cost: list[int] = []
        self._row = Fenwick()
        self._removable: dict[int, Fenwick] = {}
        self._rates = Steps()
        self._front_rate = 0
        self._requests = 0
        self._priced = 0
        self._journal: list[tuple[int, int]] = []
        self.total = 0

    def item(self) -> int:
        """A new item, without slots."""
        self.items.append(_Item())
        return len(self.items) - 1

    def append(self, item: int, tokens: int, kind: int = OTHER) -> int:
        """A new slot at the end of the prompt."""
        slot = len(self._tokens)
        self._tokens.append(tokens)
        self._item.append(item)
        self._kind.append(kind)
        self._since.append(self._requests)
        self._row.append(tokens)
        self._rates.append()
        self._since_cost.append(self._front_rate + self._rates.last)
        if self._removable:
            for each, row in self._removable.items():
                row.append(tokens if kind == each else 0)
        self._journal.append((slot, 0))
        self.total += tokens
        if tokens:
            self._grow(self.items[item], tokens)
        return slot

    def resize(self, slot: int, tokens: int) -> None:
        """Give a slot this many tokens; those behind it shift."""
        before = self._tokens[slot]
        if tokens == before:
            return
        self._journal.append((slot, before))
        self._set(slot, tokens)

    def tokens(self, slot: int) -> int:
        """The size of a slot."""
        return self._tokens[slot]

    def item_of(self, slot: int) -> int:
        """The item that a slot is of."""
        return self._item[slot]

    def kind_of(self, slot: int) -> int:
        """`RESULT`, `THINKING` or `OTHER`."""
        return self._kind[slot]

    def mark(self) -> int:
        """A point to come back to."""
        return len(self._journal)

    def rollback(self, mark: int) -> None:
        """Make the row what it was at `mark`."""
        while len(self._journal) > mark:
            self._set(*self._journal.pop())

    def first_from(self, position: int, kind: int = OTHER) -> int | None:
        """The first slot with tokens that ends behind `position`; of results or of thinking alone
        where one of them is named."""
        slot, _ = self._row.find(position)
        if kind != OTHER:
            row = self._removable.get(kind)
            if row is None:
                row = self._removable[kind] = self._row_of(kind)
            slot, _ = row.find(row.sum(slot))
        return slot if slot < len(self._tokens) else None

    def start(self, slot: int) -> int:
        """How many tokens stand before a slot."""
        return self._row.sum(slot)

    def bill(self, ranges: tuple[Range, ...] | None) -> None:
        """One request carries the row. `ranges` make up all of it, from its start on; `None` where
        no price is known."""
        self._requests += 1
        if ranges is None:
            return
        self._priced += 1
        position = rate = 0
        is_front = True
        for tokens, next_rate in ranges:
            if not tokens:
                continue
            change = next_rate - rate
            if is_front:
                self._front_rate += change
                is_front = False
            elif change:
                self._change_rate(position, change)
            rate = next_rate
            position += tokens
        if position != self.total:
            raise AssertionError(f"{position} tokens are billed, and {self.total} are there")

    def clear(self) -> None:
        """Add up what the slots of now were billed, and begin an empty prompt."""
        for slot, (tokens, rate) in enumerate(zip(self._tokens, self._rates.all(), strict=True)):
            if tokens:
                item = self.items[self._item[slot]]
                self._pay(item, slot, tokens, self._front_rate + rate)
                self._grow(item, -tokens)
        for each in (self._tokens, self._item, self._kind, self._since, self._since_cost):
            each.clear()
        self._journal.clear()
        self._removable.clear()
        self._row, self._rates = Fenwick(), Steps()
        self._front_rate = self.total = 0

    def _change_rate(self, position: int, change: int) -> None:
        """From `position` on, the request pays `change` more a token."""
        slot, inside = self._row.find(position)
        if inside:
            self.items[self._item[slot]].cost += (self._tokens[slot] - inside) * change
            slot += 1
        self._rates.add_from(slot, change)

    def _row_of(self, kind: int) -> Fenwick:
        row = Fenwick()
        for slot, tokens in enumerate(self._tokens):
            row.append(tokens if self._kind[slot] == kind else 0)
        return row

    def _set(self, slot: int, tokens: int) -> None:
        before = self._tokens[slot]
        item = self.items[self._item[slot]]
        cost = self._front_rate + self._rates.at(slot)
        if before:
            self._pay(item, slot, before, cost)
        self._since[slot] = self._requests
        self._since_cost[slot] = cost
        self._tokens[slot] = tokens
        change = tokens - before
        self._row.add(slot, change)
        row = self._removable.get(self._kind[slot])
        if row is not None:
            row.add(slot, change)
        self.total += change
        self._grow(item, change)

    def _pay(self, item: _Item, slot: int, tokens: int, cost: int) -> None:
        """Add what the slot was billed since it has this size. `cost` is what a token would have
        cost that stood there from the start."""
        item.tokens += tokens * (self._requests - self._since[slot])
        item.cost += tokens * (cost - self._since_cost[slot])

    def _grow(self, item: _Item, change: int) -> None:
        """A carried item counts each request once, however many slots it has."""
        if not item.size:
            item.since, item.since_priced = self._requests, self._priced
        item.size += change
        item.largest = max(item.largest, item.size)
        if not item.size:
            item.requests += self._requests - item.since
            item.paid += self._priced - item.since_priced
