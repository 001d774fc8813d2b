"""The ledger brought up to date: what programs left on disk, and what is new in the transcripts."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from token_tracking.ingest import Ingested, Progress, ingest_claude_code
from token_tracking.recording import Drained, drain_spool
from token_tracking.store import TokenStore


class CaughtUp(NamedTuple):
    """What was brought in: sightings that programs had left on disk, and transcripts."""

    drained: Drained
    ingested: Ingested


async def catch_up(
    store: TokenStore,
    claude_dirs: Sequence[Path] = (),
    *,
    environment: Mapping[str, str] | None = None,
    progress: Progress | None = None,
) -> CaughtUp:
    """Bring the ledger up to date.

    Raises:
        SourceError: folders were given, and none of them can be read.
        StoreError: the ledger cannot be written. What was saved before stays.
    """
    drained = await drain_spool(store)
    return CaughtUp(
        drained,
        await ingest_claude_code(store, claude_dirs, environment=environment, progress=progress),
    )
