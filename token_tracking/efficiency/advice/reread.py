"""Files and documents that were loaded again although they stood in the prompt, unchanged."""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from operator import attrgetter
from typing import Final, NamedTuple

from token_tracking.efficiency.advice.carriage import Carriage
from token_tracking.efficiency.advice.kinds import REREAD
from token_tracking.efficiency.advice.quarters import ByQuarter
from token_tracking.efficiency.advice.steps import Steps
from token_tracking.efficiency.attribution import Attribution, Conversation, Entry
from token_tracking.shares import Finding

_READERS: Final = frozenset({"Read", "NotebookRead", "ReadMcpResourceTool", "ReadMcpResource"})
"""Tools whose subject is the whole of what they ask for: a search in the same folder may be for
anything."""

_LIBRARY: Final = "content://"
_EDITORS: Final = frozenset({"Edit", "MultiEdit", "Write", "NotebookEdit"})


class _Load(NamedTuple):
    at: int
    position: int
    line: int
    entry: Entry


def loaded_again(conversation: Conversation, steps: Steps) -> list[Entry]:
    """What stood in the prompt when it was loaded. That nothing changed is judged by its size, to
    the byte, and by the edits that the session made: another part of the same file, of exactly the
    same size, is taken for the same. What a compaction or a clearing came between is not
    counted."""
    return [load.entry for load in _again(conversation, steps)]


def rereads(
    again: Sequence[Entry], attribution: Attribution, carriage: Carriage
) -> Iterator[Finding]:
    """The whole cost of each later copy, by path or URI, when it was carried."""
    found = ByQuarter(REREAD)
    costs = {item.id: item for item in attribution.items} if again else {}
    for entry in again:
        item = costs.get(entry.key)
        if item is not None and item.cost_pico:
            for number, part in enumerate(carriage.parts(item)):
                is_first = int(not number)
                found.add(entry.uri or "", part.at, part.pico, part.tokens, is_first, entry.key)
    return found.findings()


def _again(conversation: Conversation, steps: Steps) -> Iterator[_Load]:
    """The loads of what stood in the prompt."""
    cleared = frozenset[str]().union(*(each.removed or () for each in conversation.removals))
    edits = _edits(conversation, steps)
    seen: dict[tuple[int, str | None, str | None, int | None], _Load] = {}
    for load in sorted(_loads(conversation, steps), key=attrgetter("at", "position", "entry.key")):
        entry = load.entry
        known = (load.line, entry.name, entry.uri, entry.bytes)
        first = seen.setdefault(known, load)
        if first is load:
            continue
        times = edits.get(entry.uri or "", ())
        if first.entry.key in cleared or _is_edited(times, first.at, load.at):
            seen[known] = load
        else:
            yield load


def _loads(conversation: Conversation, steps: Steps) -> Iterator[_Load]:
    for entry in conversation.entries:
        if not entry.bytes or entry.uri is None or entry.after not in steps.lines:
            continue
        if entry.call is not None and is_load(entry):
            line = steps.lines[entry.after]
            called = steps.messages.get(entry.call) or steps.messages[entry.after]
            yield _Load(called.at, entry.position, line, entry)


def is_load(entry: Entry) -> bool:
    """Whether it is a file or document: `entry.uri` is then what was asked for."""
    return entry.name in _READERS or (entry.uri or "").startswith(_LIBRARY)


def _edits(conversation: Conversation, steps: Steps) -> dict[str, list[int]]:
    """When each path was edited, in order."""
    edits: dict[str, list[int]] = {}
    for entry in conversation.entries:
        if entry.name in _EDITORS and entry.uri is not None and entry.call in steps.messages:
            edits.setdefault(entry.uri, []).append(steps.messages[entry.call].at)
    for times in edits.values():
        times.sort()
    return edits


def _is_edited(edits: Sequence[int], start: int, end: int) -> bool:
    index = bisect_left(edits, start)
    return index < len(edits) and edits[index] <= end
