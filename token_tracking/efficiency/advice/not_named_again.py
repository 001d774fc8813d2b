"""Files and documents that are carried after the turn in which they were loaded, and that no later
call names: within its turn, to read a file is its use."""

from collections.abc import Collection, Iterator
from typing import Final

from token_tracking.efficiency.advice.carriage import Carriage
from token_tracking.efficiency.advice.kinds import NOT_NAMED_AGAIN
from token_tracking.efficiency.advice.large_result import tool_of
from token_tracking.efficiency.advice.quarters import ByQuarter
from token_tracking.efficiency.advice.reread import is_load
from token_tracking.efficiency.advice.steps import Steps
from token_tracking.efficiency.advice.subjects import FILE_TOKENS
from token_tracking.efficiency.attribution import Attribution, Conversation, Entry
from token_tracking.shares import Finding

_FETCH: Final = "WebFetch"
_LIBRARY: Final = "content://"

_Call = tuple[int, int, str]
"""When it was called, its place among the results, and its key."""


def not_named_again(
    conversation: Conversation, steps: Steps, attribution: Attribution, carriage: Carriage
) -> Iterator[Finding]:
    """What carrying each load of at least `FILE_TOKENS` cost after its turn, by tool: of those
    whose path or URI no later call of the session names. A turn ends with the next thing that the
    user wrote. Commands and searches may be about a file without naming it in a way that is kept,
    and the model may look at it without a call: what was carried may have been of use."""
    found = ByQuarter(NOT_NAMED_AGAIN)
    last = _last_named(conversation, steps)
    for item in attribution.items:
        entry = last.get(item.id)
        if entry is None or (item.tokens or 0) < FILE_TOKENS or not item.cost_pico:
            continue
        for number, part in enumerate(carriage.after_turn(item)):
            found.add(tool_of(item), part.at, part.pico, part.tokens, int(not number), item.id)
    return found.findings()


def _last_named(conversation: Conversation, steps: Steps) -> dict[str, Entry]:
    """The loads, by their keys, that no later call names."""
    calls = [
        ((steps.messages[entry.call].at, entry.position, entry.key), entry)
        for entry in conversation.entries
        if entry.uri and entry.call in steps.messages
    ]
    last: dict[str, _Call] = {}
    for call, entry in calls:
        for name in _names(entry.uri or ""):
            last[name] = max(last.get(name, call), call)
    return {
        entry.key: entry
        for call, entry in calls
        if (is_load(entry) or entry.name == _FETCH)
        and all(last[name] == call for name in _names(entry.uri or ""))
    }


def _names(uri: str) -> Collection[str]:
    """What a path or URI names: of a library, any number of documents, or parts of them."""
    if not uri.startswith(_LIBRARY):
        return (uri,)
    return {name.split("#", 1)[0] for name in uri.split()}
