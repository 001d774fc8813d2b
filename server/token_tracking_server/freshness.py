"""The ledger as fresh as the transcripts at the time of each question."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Final, NamedTuple

from token_tracking.errors import TokenTrackingError
from token_tracking.ingest import Ingested, Progress

PATIENCE_SECONDS: Final = 10.0
"""A question waits no longer for the transcripts: clients give a tool call 60 seconds or less."""

_MEGABYTE: Final = 1_000_000
_logger: Final = logging.getLogger(__name__)


class Look(NamedTuple):
    """A look at the transcripts: what it brought, or why it did not, and when one last did."""

    ingested: Ingested | None = None
    problem: str | None = None
    last_at: datetime | None = None


class Freshness:
    """Has the transcripts read, one time after the other.

    Who asks while a look is under way waits for the next one, as files may have grown since it
    began; all who wait share that one.
    """

    def __init__(
        self,
        ingest: Callable[[Progress], Awaitable[Ingested]],
        patience: float = PATIENCE_SECONDS,
    ) -> None:
        self._ingest = ingest
        self._patience = patience
        self._turn = asyncio.Lock()
        self._next: asyncio.Task[Look] | None = None
        self._looks: set[asyncio.Task[Look]] = set()
        self._last_at: datetime | None = None
        self._progress = (0, 0)

    async def look(self) -> Look:
        """Bring the ledger up to date. What fails is told in `problem`, never raised."""
        if self._next is None:
            self._next = asyncio.create_task(self._run())
            self._looks.add(self._next)
            self._next.add_done_callback(self._looks.discard)
        task = self._next
        # A question that is cancelled must not take the look from the others.
        await asyncio.wait({task}, timeout=self._patience)
        return task.result() if task.done() else self._unfinished()

    async def close(self) -> None:
        """End what is under way. What was saved stays."""
        looks = list(self._looks)
        for look in looks:
            look.cancel()
        await asyncio.gather(*looks, return_exceptions=True)

    async def _run(self) -> Look:
        async with self._turn:
            self._next = None
            self._progress = (0, 0)
            now = datetime.now(UTC)
            try:
                ingested = await self._ingest(self._show)
            except TokenTrackingError as error:
                return Look(problem=str(error), last_at=self._last_at)
            except Exception:
                # The outermost edge: a fault of ours must not hide the figures either.
                _logger.exception("The transcripts could not be read")
                problem = "a fault in token-tracking, which stands in the server's log."
                return Look(problem=problem, last_at=self._last_at)
            self._last_at = now
            return Look(ingested=ingested, last_at=now)

    def _show(self, done: int, total: int) -> None:
        self._progress = (done, total)

    def _unfinished(self) -> Look:
        done, total = (size // _MEGABYTE for size in self._progress)
        # At 0 of nothing it may wait its turn: other servers write the same ledger.
        far = f" ({done:,} of {total:,} MB)" if total else ", or another program holds the ledger"
        return Look(
            problem=f"the transcripts are still being read{far}. Ask again in a moment.",
            last_at=self._last_at,
        )
