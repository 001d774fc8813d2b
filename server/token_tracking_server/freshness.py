"""The ledger as fresh as the transcripts at the time of each question."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Final, NamedTuple

from token_tracking.errors import TokenTrackingError
from token_tracking.ingest import Ingested, Progress
from token_tracking_server.rounds import Rounds

PATIENCE_SECONDS: Final = 10.0
"""A question waits no longer for the transcripts: clients give a tool call 60 seconds or less."""

_MEGABYTE: Final = 1_000_000
_FAULT: Final = "a fault in token-tracking, which stands in the server's log."
_logger: Final = logging.getLogger(__name__)


class Look(NamedTuple):
    """A look at the transcripts: what it brought, or why it did not, and when one last did.

    `unsettled` says why items may lack what it brought.
    """

    ingested: Ingested | None = None
    problem: str | None = None
    last_at: datetime | None = None
    unsettled: str | None = None


class Freshness:
    """Has the transcripts read, and what they brought attributed. What fails is told, never
    raised; what takes longer than a question waits goes on."""

    def __init__(
        self,
        ingest: Callable[[Progress], Awaitable[Ingested]],
        patience: float = PATIENCE_SECONDS,
        settle: Callable[[Progress], Awaitable[object]] | None = None,
    ) -> None:
        self._ingest = ingest
        self._patience = patience
        self._settle = settle
        self._reading = Rounds(self._read)
        self._settling = Rounds(self._attribute)
        self._last_at: datetime | None = None
        self._bytes = (0, 0)
        self._sessions = (0, 0)

    async def look(self) -> Look:
        """Bring the ledger up to date."""
        return await self._reading.wait(self._patience) or self._unfinished()

    async def settled(self) -> Look:
        """Bring the ledger up to date, and have all of it attributed."""
        clock = asyncio.get_running_loop().time
        until = clock() + self._patience
        look = await self.look()
        left = max(until - clock(), 0.0)
        problem = await self._settling.wait(left)
        return look._replace(unsettled=self._unattributed() if problem is None else problem or None)

    async def close(self) -> None:
        """End what is under way. What was saved stays."""
        await self._reading.close()
        await self._settling.close()

    async def _read(self) -> Look:
        self._bytes = (0, 0)
        now = datetime.now(UTC)
        try:
            ingested = await self._ingest(self._show_bytes)
        except TokenTrackingError as error:
            return Look(problem=str(error), last_at=self._last_at)
        except Exception:
            # The outermost edge: a fault of ours must not hide the figures either.
            _logger.exception("The transcripts could not be read")
            return Look(problem=_FAULT, last_at=self._last_at)
        self._last_at = now
        return Look(ingested=ingested, last_at=now)

    async def _attribute(self) -> str:
        """What kept it from being done; an empty text where it is done."""
        self._sessions = (0, 0)
        try:
            if self._settle is not None:
                await self._settle(self._show_sessions)
        except TokenTrackingError as error:
            return str(error)
        except Exception:
            _logger.exception("The sessions could not be attributed")
            return _FAULT
        return ""

    def _show_bytes(self, done: int, total: int) -> None:
        self._bytes = (done, total)

    def _show_sessions(self, done: int, total: int) -> None:
        self._sessions = (done, total)

    def _unfinished(self) -> Look:
        done, total = (size // _MEGABYTE for size in self._bytes)
        # At 0 of nothing it may wait its turn: other servers write the same ledger.
        far = f" ({done:,} of {total:,} MB)" if total else ", or another program holds the ledger"
        return Look(
            problem=f"the transcripts are still being read{far}. Ask again in a moment.",
            last_at=self._last_at,
        )

    def _unattributed(self) -> str:
        done, total = self._sessions
        far = f" ({done:,} of {total:,} sessions)" if total else ""
        return f"they are still being attributed{far}. Ask again in a moment."
