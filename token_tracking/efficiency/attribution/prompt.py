"""The prompt of one request after another: items with a size each, which fill it exactly."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from msgspec import Struct

from token_tracking.efficiency.attribution.accounts import Item
from token_tracking.efficiency.attribution.arrivals import Arrival
from token_tracking.efficiency.attribution.positions import Positions
from token_tracking.efficiency.attribution.sizes import (
    FLAT_TOKENS,
    FRAME_TOKENS,
    Sizes,
    is_flat,
    shares,
)
from token_tracking.efficiency.attribution.slots import OTHER, RESULT, THINKING, Slot
from token_tracking.efficiency.attribution.values import MAIN, SUBAGENT, Entry, Message
from token_tracking.shares import ShareLabel
from token_tracking.usage import SYNTHETIC_MODEL

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


class Fresh(Struct, gc=False):
    """Something about to enter: its `billed` size, or `None` where only its `weight` is estimated,
    and `least` is what was billed for it at least. Of it, `shown` tokens are no thinking. It is an
    answer where `source` is a message."""

    source: Message | Entry
    billed: int | None
    weight: int
    shown: int
    least: int = 0
    kind: int = OTHER

    @property
    def is_answer(self) -> bool:
        """Whether a model wrote it."""
        return isinstance(self.source, Message)


class Prompt:
    """The items of one session's prompts, and where they stand in the prompt of now.

    `agents` are the types of subagents by chain. `unchanged` is how much of the prompt's front no
    removal touched since it was last set, in tokens. `implied` is `Attribution.implied_outputs`.
    """

    def __init__(self, sizes: Sizes, agents: Mapping[str, str]) -> None:
        self.positions = Positions()
        self.items: dict[str, Item] = {}
        self.implied: dict[str, int] = {}
        self.unchanged = 0
        self._sizes = sizes
        self._agents = agents
        self._places: dict[str, Slot] = {}
        self._placed = self._inherited = 0

    def fresh(self, arrivals: Iterable[Arrival], model: str | None) -> list[Fresh]:
        """What arrived, in a prompt of `model`, without removals. An answer takes exactly what was
        billed for it, where that is known."""
        of_a_byte = self._sizes.of_a_byte(model)
        found: list[Fresh] = []
        for each in arrivals:
            if type(each) is Entry:
                weight = (
                    FLAT_TOKENS
                    if is_flat(each)
                    else FRAME_TOKENS + round((each.bytes or 0) * of_a_byte)
                )
                kind = RESULT if each.kind == TOOL else OTHER
                found.append(Fresh(each, None, weight, weight, 0, kind))
            elif type(each) is Message and each.model != SYNTHETIC_MODEL:
                billed = each.usage.output_tokens
                shown = round(each.visible_bytes * of_a_byte)
                if each.is_final:
                    found.append(Fresh(each, billed, billed, min(shown, billed)))
                else:
                    seen = shown + round(each.thinking_bytes * of_a_byte)
                    found.append(Fresh(each, None, max(billed, seen), shown, billed))
        return found

    def clear(self) -> None:
        """Begin another conversation."""
        self.positions.clear()
        self._places.clear()
        self._placed = self._inherited = 0

    def inherit(self) -> None:
        """All in the prompt of now stood in that of another session's request."""
        slots = self.positions.slots()
        for slot in slots[self._inherited :]:
            slot.item.is_inherited = slot.item.is_inherited or not slot.item.entered
        self._inherited = len(slots)

    def slot_of(self, item_id: str) -> Slot | None:
        """Where an item stands in the prompt of now; `None` where it does not."""
        slots = self.positions.slots()
        for slot in slots[self._placed :]:
            self._places[slot.item.id] = slot
        self._placed = len(slots)
        slot = self._places.get(item_id)
        return slot if slot is not None and slot.tokens else None

    def base_end(self, chain: str) -> int:
        """How many tokens of the prompt of now are the base."""
        slot = self.slot_of(f"{BASE}:{chain}" if chain else BASE)
        return 0 if slot is None else slot.tokens

    def open(self, chain: str, fresh: Sequence[Fresh], prompt_tokens: int, read: int) -> None:
        """The first request of a conversation: what no entry accounts for was there before. What
        it read from the cache was there before as well."""
        wanted = sum(each.weight for each in fresh)
        base = min(prompt_tokens, max(prompt_tokens - wanted, read))
        self._add_of_chain(BASE, chain, base, estimated=bool(fresh))
        self.share(fresh, prompt_tokens - base, chain)

    def enter(
        self, fresh: Sequence[Fresh], room: int, chain: str, *, is_growth: bool = True
    ) -> int:
        """Fill `room` tokens with what entered; how many of them no line shows. `is_growth` says
        that they are billed growth, and not what was left after an estimated removal."""
        rest, expected, answers = room, 0, 0
        growing: list[Fresh] = []
        for each in fresh:
            if each.billed is None:
                rest -= each.least
                expected += each.weight - each.least
                growing.append(each)
                answers += type(each.source) is Message
            else:
                rest -= each.billed
        if rest < 0:
            # Less than was billed for them: the answers' thinking is not there, or not all.
            self.share(fresh, room, chain)
            return 0
        surplus = 0
        if not answers:
            most = _MOST_OF_ESTIMATE * expected + _UNSHOWN_TOKENS if growing else 0
            surplus = max(0, rest - most)
        more = iter(_parts(growing, rest - surplus, expected, answers))
        is_shared = len(growing) > 1 or surplus > 0 or not is_growth
        for each in fresh:
            if each.billed is None:
                size = each.least + next(more)
                self._add_fresh(each, size, chain, estimated=is_shared)
                if answers == 1 and is_growth and type(each.source) is Message:
                    self.implied.setdefault(each.source.key, size)
            else:
                self._add_fresh(each, each.billed, chain, estimated=False)
        if surplus:
            is_estimated = bool(growing) or not is_growth
            self._add_of_chain(UNLISTED, chain, surplus, estimated=is_estimated)
        return surplus

    def share(self, fresh: Sequence[Fresh], room: int, chain: str) -> None:
        """Fill `room` tokens with what entered, by its estimated sizes without thinking."""
        if not fresh:
            if room:
                self._add_of_chain(UNLISTED, chain, room, estimated=True)
            return
        for each, size in zip(fresh, shares(room, [each.shown for each in fresh]), strict=True):
            estimated = len(fresh) > 1 or each.billed is not None
            self._add_fresh(each, size, chain, estimated=estimated)

    def take(self, want: int, start: int, kind: int = OTHER) -> int:
        """Remove up to `want` tokens, the first ones behind the position `start`, of results or
        thinking alone where one of these is named; how many were removed."""
        positions = self.positions
        taken = 0
        while taken < want:
            slot = positions.first_from(start, kind)
            if slot is None:
                break
            size, before = slot.tokens, positions.start(slot)
            removed = min(want - taken, size - max(0, start - before))
            self._cut(slot, size - removed, before)
            taken += removed
        return taken

    def cut(self, slot: Slot, tokens: int) -> None:
        """Make a slot smaller, or remove it."""
        self._cut(slot, tokens, self.positions.start(slot))

    def _cut(self, slot: Slot, tokens: int, start: int) -> None:
        if tokens:
            slot.item.is_estimated = True
        self.unchanged = min(self.unchanged, start + tokens)
        self.positions.resize(slot, tokens)

    def _add_fresh(self, fresh: Fresh, size: int, chain: str, *, estimated: bool) -> None:
        source, shown = fresh.source, fresh.shown
        if size * _OFF_BY[1] > shown * _OFF_BY[0] and type(source) is Message:
            # More than what it shows can be.
            self._add(source, size - shown, THINKING, chain, estimated=estimated)
            size = shown
        if size:
            self._add(source, size, fresh.kind, chain, estimated=estimated)

    def _add(
        self, source: Message | Entry, size: int, kind: int, chain: str, *, estimated: bool
    ) -> None:
        """An item, or more of it, at the end of the prompt."""
        item = self.items.get(source.key)
        if item is None:
            agent = self._agent(chain) if chain else ""
            if isinstance(source, Entry):
                label = ShareLabel(source.kind, source.name, source.server, source.uri, agent)
            else:
                label = ShareLabel(ANSWER, source.model, None, None, agent)
            item = self.items[source.key] = self.positions.enter(source.key, label, size, kind)
        else:
            self.positions.append(item, size, kind)
        if estimated:
            item.is_estimated = True

    def _add_of_chain(self, kind: str, chain: str, tokens: int, *, estimated: bool) -> None:
        if not tokens:
            return
        item_id = f"{kind}:{chain}" if chain else kind
        item = self.items.get(item_id)
        if item is None:
            label = ShareLabel(kind, None, None, None, self._agent(chain))
            item = self.items[item_id] = self.positions.enter(item_id, label, tokens)
        else:
            self.positions.append(item, tokens)
        item.is_estimated = item.is_estimated or estimated

    def _agent(self, chain: str) -> str:
        return "" if chain == MAIN else self._agents.get(chain, SUBAGENT)


def _parts(growing: Sequence[Fresh], room: int, expected: int, answers: int) -> list[int]:
    """What each takes of `room`, beyond what was billed for it: by what was expected of it."""
    if len(growing) < 2:
        return [room] * len(growing)
    weights = [each.weight - each.least for each in growing]
    if answers and room * _OFF_BY[1] > expected * _OFF_BY[0]:
        # An answer without its final count hides most of what it was.
        more = iter(shares(room - expected, [1] * answers))
        weights = [
            weight + next(more) if each.is_answer else weight
            for each, weight in zip(growing, weights, strict=True)
        ]
    return shares(room, weights)
