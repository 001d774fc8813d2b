"""The prompt of one request after another: items with a size each, which fill it exactly."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from token_tracking.efficiency.attribution.positions import (
    OTHER,
    RESULT,
    THINKING,
    Positions,
)
from token_tracking.efficiency.attribution.sizes import Sizes, shares
from token_tracking.efficiency.attribution.values import Entry, Message

BASE: Final = "base"
UNLISTED: Final = "unlisted"
ANSWER: Final = "answer"
TOOL: Final = "tool"

_MOST_OF_ESTIMATE: Final = 2
_UNSHOWN_TOKENS: Final = 200
"""What entered counts for up to twice its estimate and 200 tokens of what no line shows (reminders
and frames of the client): the rest of a growth is no item's that stands in a line. Of results that
entered alone, 99 of 100 were billed for less than 1.4 times their estimate."""

_OFF_BY: Final = (4, 3)
"""Nineteen of twenty results are at most about a third larger than estimated."""


class Label(NamedTuple):
    """What an item is called."""

    id: str
    kind: str
    name: str | None = None
    server: str | None = None
    uri: str | None = None


class Fresh(NamedTuple):
    """Something about to enter: its `billed` size, or `None` where only its `weight` is estimated,
    and `least` is what was billed for it at least. Of it, `shown` tokens are no thinking."""

    label: Label
    billed: int | None
    weight: int
    shown: int
    least: int = 0
    kind: int = OTHER


class Prompt:
    """The items of one session's prompts, and where they stand in the prompt of now."""

    def __init__(self, sizes: Sizes) -> None:
        self.positions = Positions()
        self.labels: list[Label] = []
        self._sizes = sizes
        self._items: dict[str, int] = {}
        self._slots: dict[int, int] = {}

    def clear(self) -> None:
        """Begin another conversation."""
        self.positions.clear()
        self._slots.clear()

    def answer(self, message: Message, model: str | None) -> Fresh:
        """An answer, in a prompt of `model`: exactly what was billed for it, where that is
        known."""
        billed = message.usage.output_tokens
        shown = self._sizes.of_bytes(message.visible_bytes, model)
        thinking = self._sizes.of_bytes(message.thinking_bytes, model)
        label = Label(message.key, ANSWER, message.model)
        if message.is_final:
            return Fresh(label, billed, billed, min(shown, billed))
        return Fresh(label, None, max(billed, shown + thinking), shown, billed)

    def entry(self, entry: Entry, model: str | None) -> Fresh:
        """A tool result, a text, an attachment, in a prompt of `model`."""
        label = Label(entry.key, entry.kind, entry.name, entry.server, entry.uri)
        weight = self._sizes.of_entry(entry, model)
        kind = RESULT if entry.kind == TOOL else OTHER
        return Fresh(label, None, weight, weight, kind=kind)

    def slot_of(self, item_id: str) -> int | None:
        """Where an item stands in the prompt of now; `None` where it does not."""
        item = self._items.get(item_id)
        slot = None if item is None else self._slots.get(item)
        return slot if slot is not None and self.positions.tokens(slot) else None

    def open(self, chain: str, fresh: Sequence[Fresh], prompt_tokens: int, read: int) -> None:
        """The first request of a conversation: what no entry accounts for was there before. What
        it read from the cache was there before as well."""
        wanted = sum(each.weight for each in fresh)
        base = min(prompt_tokens, max(prompt_tokens - wanted, read))
        self.add(_of_chain(BASE, chain), base, estimated=bool(fresh))
        self.share(fresh, prompt_tokens - base, chain)

    def enter(
        self, fresh: Sequence[Fresh], room: int, chain: str, *, is_growth: bool = True
    ) -> int:
        """Fill `room` tokens with what entered; how many of them no line shows. `is_growth` says
        that they are billed growth, and not what was left after an estimated removal."""
        rest = room - sum(each.least if each.billed is None else each.billed for each in fresh)
        if rest < 0:
            # Less than was billed for them: the answers' thinking is not there, or not all.
            self.share(fresh, room, chain)
            return 0
        growing = [each for each in fresh if each.billed is None]
        weights = [each.weight - each.least for each in growing]
        expected = sum(weights)
        surplus = 0
        if any(each.label.kind == ANSWER for each in growing):
            if rest * _OFF_BY[1] > expected * _OFF_BY[0]:
                # An answer without its final count hides most of what it was.
                weights = _with_more_answer(growing, weights, rest - expected)
        else:
            most = _MOST_OF_ESTIMATE * expected + _UNSHOWN_TOKENS if growing else 0
            surplus = max(0, rest - most)
        more = iter(shares(rest - surplus, weights))
        is_shared = len(growing) > 1 or surplus > 0 or not is_growth
        for each in fresh:
            if each.billed is None:
                self._add_fresh(each, each.least + next(more), estimated=is_shared)
            else:
                self._add_fresh(each, each.billed, estimated=False)
        if surplus:
            self.add(_of_chain(UNLISTED, chain), surplus, estimated=bool(growing) or not is_growth)
        return surplus

    def share(self, fresh: Sequence[Fresh], room: int, chain: str) -> None:
        """Fill `room` tokens with what entered, by its estimated sizes without thinking."""
        if not fresh:
            if room:
                self.add(_of_chain(UNLISTED, chain), room, estimated=True)
            return
        for each, size in zip(fresh, shares(room, [each.shown for each in fresh]), strict=True):
            self._add_fresh(each, size, estimated=len(fresh) > 1 or each.billed is not None)

    def add(self, label: Label, tokens: int, *, estimated: bool, kind: int = OTHER) -> None:
        """An item, or more of it, at the end of the prompt."""
        item = self._items.get(label.id)
        if item is None:
            item = self._items[label.id] = self.positions.item()
            self.labels.append(label)
        if tokens:
            self._slots[item] = self.positions.append(item, tokens, kind)
            if estimated:
                self.positions.items[item].is_estimated = True

    def take(self, want: int, start: int, kind: int = OTHER) -> int:
        """Remove up to `want` tokens, the first ones behind the position `start`, of results or
        thinking alone where one of these is named; how many were removed."""
        positions = self.positions
        taken = 0
        while taken < want:
            slot = positions.first_from(start, kind)
            if slot is None:
                break
            size, before = positions.tokens(slot), positions.start(slot)
            removed = min(want - taken, size - max(0, start - before))
            self.cut(slot, size - removed)
            taken += removed
        return taken

    def cut(self, slot: int, tokens: int) -> None:
        """Make a slot smaller, or remove it."""
        if tokens:
            self.positions.items[self.positions.item_of(slot)].is_estimated = True
        self.positions.resize(slot, tokens)

    def _add_fresh(self, fresh: Fresh, size: int, *, estimated: bool) -> None:
        if fresh.label.kind == ANSWER and size * _OFF_BY[1] > fresh.shown * _OFF_BY[0]:
            # More than what it shows can be.
            self.add(fresh.label, size - fresh.shown, estimated=estimated, kind=THINKING)
            size = fresh.shown
        self.add(fresh.label, size, estimated=estimated, kind=fresh.kind)


def _with_more_answer(growing: Sequence[Fresh], weights: Sequence[int], more: int) -> list[int]:
    """Weights with `more` for the answers among what enters."""
    answers = [each.label.kind == ANSWER for each in growing]
    parts = iter(shares(more, [1] * sum(answers)))
    return [
        weight + next(parts) if is_answer else weight
        for weight, is_answer in zip(weights, answers, strict=True)
    ]


def _of_chain(kind: str, chain: str) -> Label:
    return Label(f"{kind}:{chain}" if chain else kind, kind, chain or None)
