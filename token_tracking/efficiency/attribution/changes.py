"""From the prompt of one request to that of the next: what left, and what entered."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import takewhile
from typing import Final, NamedTuple

from token_tracking.efficiency.attribution.arrivals import Arrival
from token_tracking.efficiency.attribution.positions import OTHER, RESULT, THINKING
from token_tracking.efficiency.attribution.prompt import BASE, Fresh, Prompt
from token_tracking.efficiency.attribution.values import Entry, Message, Removal
from token_tracking.usage import SYNTHETIC_MODEL

_TURN: Final = "user"


class Change(NamedTuple):
    """What a request's prompt says of what came before it, in tokens."""

    before: int = 0
    unlisted: int = 0
    is_said: bool = True
    """Whether a line or a user's turn tells why it shrank, if it did."""


def change(prompt: Prompt, request: Message, arrivals: Sequence[Arrival]) -> Change:
    """Make `prompt` that of `request`: exactly as large as was billed."""
    positions = prompt.positions
    before = positions.total
    removals = [each for each in arrivals if isinstance(each, Removal)]
    if before and removals:
        fresh = _remove(prompt, request, arrivals, removals)
    else:
        fresh = _fresh(prompt, request, arrivals)
    usage = request.usage
    size = usage.prompt_tokens
    if not before:
        prompt.open(request.chain, fresh, size, usage.cache_read_tokens)
        return Change()
    is_turn = any(each.label.kind == _TURN for each in fresh)
    _make_room(prompt, request, fresh, is_turn=is_turn)
    kept = positions.total
    unlisted = prompt.enter(fresh, size - kept, request.chain, is_growth=kept == before)
    return Change(before, unlisted, bool(removals) or is_turn)


def _remove(
    prompt: Prompt, request: Message, arrivals: Sequence[Arrival], removals: Iterable[Removal]
) -> list[Fresh]:
    """Take out what the client removed; what enters then."""
    whole = _last_whole(arrivals)
    fresh = _fresh(prompt, request, arrivals[whole + 1 :])
    if whole >= 0:
        removal = arrivals[whole]
        assert isinstance(removal, Removal)
        ended = _fresh(prompt, request, arrivals[:whole])
        fresh = _compact(prompt, request, removal, ended, fresh) + fresh
    gone = frozenset[str]().union(*(each.removed or () for each in removals))
    for key in gone:
        slot = prompt.slot_of(key)
        if slot is not None:
            prompt.cut(slot, 0)
    return [each for each in fresh if each.label.id not in gone]


def _last_whole(arrivals: Sequence[Arrival]) -> int:
    """Where the last compaction stands; -1 for nowhere."""
    for index in range(len(arrivals) - 1, -1, -1):
        each = arrivals[index]
        if isinstance(each, Removal) and each.removed is None:
            return index
    return -1


def _fresh(prompt: Prompt, request: Message, arrivals: Iterable[Arrival]) -> list[Fresh]:
    fresh: list[Fresh] = []
    for each in arrivals:
        if isinstance(each, Entry):
            fresh.append(prompt.entry(each, request.model))
        elif isinstance(each, Message) and each.model != SYNTHETIC_MODEL:
            fresh.append(prompt.answer(each, request.model))
    return fresh


def _compact(
    prompt: Prompt,
    request: Message,
    removal: Removal,
    ended: Sequence[Fresh],
    fresh: Sequence[Fresh],
) -> list[Fresh]:
    """Remove all but the base and what was kept; what of `ended`, which no request carried yet,
    was kept.

    A boundary names the lines it kept, and results and answers are not known by their lines: the
    newest ones are what it kept, as many as fit beside what is new.
    """
    positions = prompt.positions
    base_end = _base_end(prompt, request.chain)
    kept = {slot for key in removal.kept if (slot := prompt.slot_of(key)) is not None}
    stay = {each.label.id for each in ended} & removal.kept
    lines = removal.kept_lines - len(kept) - len(stay)
    wanted = sum(each.weight for each in fresh)
    wanted += sum(each.weight for each in ended if each.label.id in stay)
    room = request.usage.prompt_tokens - base_end - wanted
    room -= sum(positions.tokens(slot) for slot in kept)
    for each in reversed(ended):
        if lines <= 0 or each.weight > room or each.label.id in stay:
            break
        stay.add(each.label.id)
        room -= each.weight
        lines -= 1
    newest = takewhile(lambda slot: positions.start(slot) >= base_end, _from_the_end(prompt))
    for slot in newest:
        if lines <= 0 or positions.tokens(slot) > room:
            break
        kept.add(slot)
        room -= positions.tokens(slot)
        lines -= 1
    _clear(prompt, base_end, kept)
    return [each for each in ended if each.label.id in stay]


def _from_the_end(prompt: Prompt) -> Iterator[int]:
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
        if slot in kept:
            start = positions.start(slot) + positions.tokens(slot)
        else:
            prompt.cut(slot, 0)


def _base_end(prompt: Prompt, chain: str) -> int:
    slot = prompt.slot_of(f"{BASE}:{chain}" if chain else BASE)
    return 0 if slot is None else prompt.positions.tokens(slot)


def _make_room(prompt: Prompt, request: Message, fresh: Sequence[Fresh], *, is_turn: bool) -> None:
    """Remove what a smaller prompt cannot hold any more, or what a user's turn drops.

    What was read from the cache is the same, byte by byte, as it was: only what stands behind it
    can have gone. Thinking goes first, then tool results from the oldest on.
    """
    positions = prompt.positions
    size = request.usage.prompt_tokens
    read = min(request.usage.cache_read_tokens, positions.total)
    wanted = sum(each.weight for each in fresh)
    lack = wanted - (size - positions.total)
    has_shrunk = size < positions.total
    if lack > 0 and (has_shrunk or (is_turn and 2 * lack > wanted)):
        lack -= prompt.take(lack, read, THINKING)
    if lack > 0 and has_shrunk:
        lack -= prompt.take(lack, read, RESULT)
        lack -= prompt.take(lack, max(read, _base_end(prompt, request.chain)), OTHER)
        if positions.total >= size:
            # The base goes last: it is not what it was.
            prompt.take(lack, read, OTHER)
    prompt.take(positions.total - size, read, OTHER)
