"""From the prompt of one request to that of the next: what left, and what entered."""

from collections.abc import Iterator, Sequence
from itertools import takewhile
from typing import Final

from msgspec import Struct

from token_tracking.efficiency.attribution.arrivals import Arrival
from token_tracking.efficiency.attribution.prompt import Fresh, Prompt
from token_tracking.efficiency.attribution.slots import OTHER, RESULT, THINKING, Slot
from token_tracking.efficiency.attribution.values import Entry, Message, Removal

_TURN: Final = "user"


class Change(Struct, gc=False):
    """What a request's prompt says of what came before it, in tokens: how large the prompt was
    before, how much of its front stayed as it was, and how much entered that no line shows."""

    before: int = 0
    unchanged: int = 0
    unlisted: int = 0
    is_said: bool = True
    """Whether a line or a user's turn tells why it shrank, if it did."""


def change(prompt: Prompt, request: Message, size: int, arrivals: Sequence[Arrival]) -> Change:
    """Make `prompt` that of `request`: exactly of the `size` that was billed."""
    positions = prompt.positions
    before = prompt.unchanged = positions.total
    has_removals = Removal in map(type, arrivals)
    if before and has_removals:
        fresh = _remove(prompt, request, size, arrivals)
    else:
        fresh = prompt.fresh(arrivals, request.model)
    if not before:
        prompt.open(request.chain, fresh, size, request.usage.cache_read_tokens)
        return Change()
    wanted, is_turn = 0, False
    for each in fresh:
        wanted += each.weight
        source = each.source
        if type(source) is Entry and source.kind == _TURN:
            is_turn = True
    if wanted > size - positions.total:
        _make_room(prompt, request, size, wanted, is_turn=is_turn)
    kept = positions.total
    unlisted = prompt.enter(fresh, size - kept, request.chain, is_growth=kept == before)
    return Change(before, prompt.unchanged, unlisted, has_removals or is_turn)


def _remove(
    prompt: Prompt, request: Message, size: int, arrivals: Sequence[Arrival]
) -> list[Fresh]:
    """Take out what the client removed; what enters then."""
    whole = _last_whole(arrivals)
    fresh = prompt.fresh(arrivals[whole + 1 :], request.model)
    if whole >= 0:
        removal = arrivals[whole]
        assert isinstance(removal, Removal)
        ended = prompt.fresh(arrivals[:whole], request.model)
        base_end = prompt.base_end(request.chain)
        fresh = _compact(prompt, base_end, size - base_end, removal, ended, fresh) + fresh
    gone = frozenset[str]().union(
        *(each.removed or () for each in arrivals if isinstance(each, Removal))
    )
    for key in sorted(gone):
        slot = prompt.slot_of(key)
        if slot is not None:
            prompt.cut(slot, 0)
    return [each for each in fresh if each.source.key not in gone]


def _last_whole(arrivals: Sequence[Arrival]) -> int:
    """Where the last compaction stands; -1 for nowhere."""
    for index in range(len(arrivals) - 1, -1, -1):
        each = arrivals[index]
        if isinstance(each, Removal) and each.removed is None:
            return index
    return -1


def _compact(
    prompt: Prompt,
    base_end: int,
    room: int,
    removal: Removal,
    ended: Sequence[Fresh],
    fresh: Sequence[Fresh],
) -> list[Fresh]:
    """Remove all but the base and what was kept; what of `ended`, which no request carried yet,
    was kept. Behind its base the prompt has `room`.

    A boundary names the lines it kept, and results and answers are not known by their lines: the
    newest ones are what it kept, as many as fit beside what is new.
    """
    found = [slot for key in removal.kept if (slot := prompt.slot_of(key)) is not None]
    kept = {slot.index for slot in found}
    stay = {each.source.key for each in ended} & removal.kept
    lines = removal.kept_lines - len(kept) - len(stay)
    room -= sum(each.weight for each in fresh)
    room -= sum(each.weight for each in ended if each.source.key in stay)
    room -= sum(slot.tokens for slot in found)
    for each in reversed(ended):
        if lines <= 0 or each.weight > room or each.source.key in stay:
            break
        stay.add(each.source.key)
        room -= each.weight
        lines -= 1
    positions = prompt.positions
    newest = takewhile(lambda slot: positions.start(slot) >= base_end, _from_the_end(prompt))
    for slot in newest:
        if lines <= 0 or slot.tokens > room:
            break
        kept.add(slot.index)
        room -= slot.tokens
        lines -= 1
    _clear(prompt, base_end, kept)
    return [each for each in ended if each.source.key in stay]


def _from_the_end(prompt: Prompt) -> Iterator[Slot]:
    positions = prompt.positions
    end = positions.total
    while end > 0:
        slot = positions.first_from(end - 1)
        assert slot is not None
        end = positions.start(slot)
        yield slot


def _clear(prompt: Prompt, start: int, kept: set[int]) -> None:
    positions = prompt.positions
    while (slot := positions.first_from(start)) is not None:
        if slot.index in kept:
            start = positions.start(slot) + slot.tokens
        else:
            prompt.cut(slot, 0)


def _make_room(prompt: Prompt, request: Message, size: int, wanted: int, *, is_turn: bool) -> None:
    """Remove what a smaller prompt cannot hold any more, or what a user's turn drops.

    What was read from the cache is the same, byte by byte, as it was: only what stands behind it
    can have gone. Thinking goes first, then tool results from the oldest on.
    """
    positions = prompt.positions
    read = min(request.usage.cache_read_tokens, positions.total)
    lack = wanted - (size - positions.total)
    has_shrunk = size < positions.total
    if lack > 0 and (has_shrunk or (is_turn and 2 * lack > wanted)):
        lack -= prompt.take(lack, read, THINKING)
    if lack > 0 and has_shrunk:
        lack -= prompt.take(lack, read, RESULT)
        lack -= prompt.take(lack, max(read, prompt.base_end(request.chain)), OTHER)
        if positions.total >= size:
            # The base goes last: it is not what it was.
            prompt.take(lack, read, OTHER)
    prompt.take(positions.total - size, read, OTHER)
