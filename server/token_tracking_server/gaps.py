"""What the ledger may lack: figures that are not up to date, and lines that were not read."""

from datetime import UTC, datetime, tzinfo
from typing import Final

from token_tracking.store import TokenStore
from token_tracking_server.answers.markdown import code
from token_tracking_server.answers.sums import counted, named
from token_tracking_server.freshness import Look

_MINUTE: Final = 60
_HOUR: Final = 3_600
_DAY: Final = 86_400


async def stale_note(store: TokenStore, look: Look, zone: tzinfo, now: datetime) -> str | None:
    """How old the figures are, and why; nothing where they are up to date."""
    if look.problem is None:
        return look.unsettled and f"> **Items are not up to date:** {look.unsettled}"
    as_of = look.last_at or await _newest_transcript(store)
    if as_of is None:
        held = "no transcript has been read yet"
    else:
        held = f"they hold what was written up to {as_of.astimezone(zone):%Y-%m-%d %H:%M}"
        held += f" ({age((now - as_of).total_seconds())} ago)"
    return f"> **These figures are not up to date:** {held}. Why: {look.problem}"


def age(seconds: float) -> str:
    """A time span in one unit."""
    for unit, length in (("day", _DAY), ("hour", _HOUR), ("minute", _MINUTE)):
        if seconds >= length:
            return counted(int(seconds // length), unit)
    return "less than a minute"


async def _newest_transcript(store: TokenStore) -> datetime | None:
    # When a file was last read is not kept; when what was read of it was written is.
    states = await store.file_states()
    newest = max((state.modified_ns for state in states.values()), default=None)
    return None if newest is None else datetime.fromtimestamp(newest / 1e9, UTC)


async def reading_notes(store: TokenStore, look: Look) -> list[str]:
    """Lines and files that are not in the figures, or why there are none at all."""
    files, lines, malformed, unusable = await store.line_counts()
    notes: list[str] = []
    if malformed or unusable:
        notes.append(
            f"{malformed + unusable:,} of {counted(lines, 'line')} skipped: {malformed:,} are no"
            f" valid JSON, {unusable:,} are answers without a valid usage."
        )
    if look.ingested is None:
        return notes
    if failures := look.ingested.failures:
        shown = named([f"{code(path, 60)} ({why})" for path, why in sorted(failures.items())])
        notes.append(f"{counted(len(failures), 'path')} could not be read: {shown}.")
    if not files:
        places = named([code(str(folder), 60) for folder in look.ingested.folders])
        notes.append(
            f"No transcripts of Claude Code were found {f'under {places}' if places else 'here'}."
            " Set CLAUDE_CONFIG_DIR to the folder that holds `projects`, or start the server with"
            " `--claude-dir`."
        )
    return notes
