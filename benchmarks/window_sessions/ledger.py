"""What was billed in a tree, each message once, and the session that owns it.

The ledger's own reader says it, so that both agree. Of a whole tree only this index is held.
"""

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from pathlib import Path

from token_tracking.merge import join_usage, owner
from token_tracking.reading import Reading, SessionSpan, join_spans
from token_tracking.sources.claude_code import read_file, transcripts
from token_tracking.usage import Usage, UsageEvent


@dataclass(slots=True)
class Billed:
    """The join of a message's sightings. `seen` names (session, unit) pairs that show it."""

    at: int
    usage: Usage
    model: str
    is_final: bool
    seen: set[tuple[str, str]]
    owner: str = ""


@dataclass(slots=True)
class Ledger:
    """`units` maps a session to its files; `skipped` counts lines that no replay can use."""

    billed: dict[str, Billed] = field(default_factory=dict[str, Billed])
    units: defaultdict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    skipped: defaultdict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))


def read_ledger(folder: Path) -> Ledger:
    """Read every file under a Claude Code folder, or its `projects`, once."""
    ledger, spans = Ledger(), dict[str, SessionSpan]()
    failures: dict[str, str] = {}
    for path in sorted(found.path for found in transcripts(folder, failures)):
        try:
            readings = list(read_file(path, None))
        except OSError as error:
            failures[path] = str(error)
            continue
        _take_file(ledger, spans, path, readings)
    if failures:
        ledger.skipped[""]["unreadable files"] = len(failures)
    for message in ledger.billed.values():
        message.owner = _owning_unit(message, spans)
    return ledger


def _take_file(
    ledger: Ledger, spans: dict[str, SessionSpan], path: str, readings: list[Reading]
) -> None:
    seen = [span for reading in readings for span in reading.sessions]
    for span in seen:
        known = spans.get(span.session_id)
        spans[span.session_id] = span if known is None else join_spans(known, span)
    unit = unit_of(path, {span.session_id for span in seen})
    ledger.units[unit].append(path)
    cursor = readings[-1].cursor
    ledger.skipped[unit]["malformed lines"] += cursor.malformed_lines
    ledger.skipped[unit]["answers without usage"] += cursor.unusable_lines
    for reading in readings:
        for event in reading.events:
            _take_event(ledger.billed, event, unit)


def _take_event(billed: dict[str, Billed], event: UsageEvent, unit: str) -> None:
    seen = {(place.session_id, unit) for place in event.places}
    is_final = event.stop_reason is not None
    known = billed.get(event.key)
    if known is None:
        model = event.model or ""
        billed[event.key] = Billed(event.timestamp, event.usage, model, is_final, seen)
        return
    known.at = min(known.at, event.timestamp)
    known.usage = join_usage(known.usage, event.usage)
    if (is_final, event.model or "") > (known.is_final, known.model):
        known.model = event.model or ""
    known.is_final |= is_final
    known.seen |= seen


def _owning_unit(message: Billed, spans: dict[str, SessionSpan]) -> str:
    """The unit of the owning session where it shows the message, else the first that does."""
    sessions = (spans[session] for session, _ in message.seen)
    owning = owner(
        (each.first_at if each.born is None else each.born, each.last_at, each.session_id)
        for each in sessions
    )
    return min((session != owning, unit != owning, unit) for session, unit in message.seen)[2]


def named_session(path: str) -> str:
    """The session that a file's place names: its own name, or of a subagent's file the folder's."""
    session, subagents, _ = path.replace("\\", "/").rpartition("/subagents/")
    return session.rpartition("/")[2] if subagents else Path(path).stem


def unit_of(path: str, sessions: set[str]) -> str:
    """The session that a file is read with: the one that it is named after, else its only one."""
    named = named_session(path)
    return next(iter(sessions)) if len(sessions) == 1 and named not in sessions else named
