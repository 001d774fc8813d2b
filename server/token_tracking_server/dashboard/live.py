"""The figures of a real ledger, which is brought up to date while they are looked at."""

import asyncio
import os
from collections.abc import Mapping
from contextlib import AsyncExitStack
from datetime import tzinfo
from pathlib import Path
from typing import Final, Self

from token_tracking.efficiency.session_timeline import Timeline
from token_tracking.efficiency.snapshot import Advice, GroupBy, Groups, Snapshot, Trend
from token_tracking.errors import UnknownSessionError
from token_tracking.location import default_location, locate
from token_tracking.metrics import TokenMetrics
from token_tracking.pricing import usd
from token_tracking.shares import Metric
from token_tracking.sources.claude_code import claude_folders
from token_tracking.store import TokenStore
from token_tracking.system import TokenSystem, create_token_system
from token_tracking_server.dashboard.figures import (
    GroupItems,
    LedgerState,
    SessionPage,
    SessionRow,
)
from token_tracking_server.dashboard.group_items import group_items
from token_tracking_server.freshness import Freshness, Look
from token_tracking_server.limits import Limits, limits_file, read_limits, stamp
from token_tracking_server.settings import Settings
from token_tracking_server.writer import Writer

REQUESTS: Final = 2_000
ITEMS: Final = 1_000
"""Of one session; of one with more, the first requests and the dearest items."""

_PATIENCE_SECONDS: Final = 5.0
_FIRST_SECONDS: Final = 1.0
"""A page waits so long for the first look at the transcripts. One with nothing new is faster."""


class LiveFigures:
    """Questions to a ledger. A second connection writes, so that no question waits for it."""

    def __init__(
        self, system: TokenSystem, settings: Settings, environment: Mapping[str, str]
    ) -> None:
        self._system = system
        self._settings = settings
        self._environment = environment
        self._writer = Writer(settings, environment)
        self._freshness = Freshness(self._writer.ingest, _PATIENCE_SECONDS, self._writer.settle)
        self._look = Look(problem="the transcripts are being read for the first time.")
        self._first = asyncio.create_task(self.refresh())

    @classmethod
    async def open(cls, settings: Settings, environment: Mapping[str, str] | None = None) -> Self:
        """Open the ledger, and begin to bring it up to date.

        Raises:
            TokenTrackingError: it cannot be opened.
        """
        system = await create_token_system(settings.database, timezone=settings.timezone)
        return cls(system, settings, os.environ if environment is None else environment)

    @property
    def zone(self) -> tzinfo:
        """Whose days the figures are by."""
        return self._metrics.zone

    async def refresh(self) -> str:
        """Read what is new in the transcripts; the ledger's version after it."""
        self._look = await self._freshness.settled()
        return await self._version()

    async def state(self) -> LedgerState:
        """The ledger as it is now."""
        await asyncio.wait({self._first}, timeout=_FIRST_SECONDS)
        totals = await self._store.period_totals()
        newest = await self._store.sessions_page(limit=1)
        given = self._settings.database
        where = default_location(self._environment) if given is None else locate(given)
        return LedgerState(
            version=await self._version(),
            timezone=str(self.zone),
            messages=sum(each.messages for each in totals.values()),
            last_at=max((each.last_at for each in newest), default=None),
            database=str(where),
            claude_dirs=[
                str(folder)
                for folder in claude_folders(self._settings.claude_dirs, self._environment)
            ],
            problem=self._problem,
        )

    async def snapshot(self, period: str, project: str | None) -> Snapshot:
        """A period as a whole."""
        return await self._metrics.get_efficiency_snapshot(period, project=project, settle=False)

    async def trend(self, period: str, project: str | None) -> Trend:
        """A period in steps."""
        return await self._metrics.get_trend(period, project=project, settle=False)

    async def groups(
        self, by: GroupBy, period: str, project: str | None, metric: Metric, limit: int
    ) -> Groups:
        """Where the prompts' money went, the most first."""
        return await self._metrics.get_groups(
            by, period, metric=metric, limit=limit, project=project, settle=False
        )

    async def items(
        self, by: GroupBy, of: Mapping[str, str], period: str, project: str | None, limit: int
    ) -> GroupItems:
        """The dearest items of one group."""
        return await group_items(self._metrics, self._store, by, of, period, project, limit)

    async def advice(self, period: str, project: str | None) -> list[Advice]:
        """What to do, the most money first."""
        return await self._metrics.get_advice(period, project=project, settle=False)

    async def limits(self) -> Limits:
        """The gateway's quotas, and the newest alerts."""
        return await asyncio.to_thread(read_limits, self._limits_file)

    async def sessions(self, project: str | None, offset: int, limit: int) -> SessionPage:
        """Sessions, the newest first."""
        found = await self._store.sessions_page(project, limit + 1, offset)
        rows = [
            SessionRow(
                session_id=each.session_id,
                project=each.project,
                first_at=each.first_at,
                last_at=each.last_at,
                messages=each.sums.messages,
                prompt_tokens=each.sums.input_tokens
                + each.sums.cache_read_tokens
                + each.sums.cache_write_5m_tokens
                + each.sums.cache_write_1h_tokens,
                output_tokens=each.sums.output_tokens,
                cost_usd=None
                if each.sums.messages == each.sums.unpriced_messages
                else usd(each.sums.cost_pico),
                unpriced_messages=each.sums.unpriced_messages,
            )
            for each in found[:limit]
        ]
        return SessionPage(sessions=rows, next_offset=offset + limit if found[limit:] else None)

    async def timeline(self, session_id: str) -> Timeline:
        """One session, request by request."""
        try:
            return await self._metrics.get_timeline(
                session_id, limit=REQUESTS, items=ITEMS, settle=False
            )
        except UnknownSessionError:
            raise UnknownSessionError(
                f"The ledger has no session {session_id[:80]}. It may have been removed from it."
            ) from None

    async def close(self) -> None:
        """End what is under way, and close both connections."""
        async with AsyncExitStack() as stack:
            stack.push_async_callback(self._system.close)
            stack.push_async_callback(self._writer.close)
            self._first.cancel()
            await asyncio.gather(self._first, return_exceptions=True)
            await self._freshness.close()

    @property
    def _limits_file(self) -> Path:
        return limits_file(self._settings, self._environment)

    @property
    def _store(self) -> TokenStore:
        return self._system.store

    @property
    def _metrics(self) -> TokenMetrics:
        return self._system.metrics

    @property
    def _problem(self) -> str | None:
        return self._look.problem or self._look.unsettled

    async def _version(self) -> str:
        # A page also says why its figures are not those of now.
        version = await self._store.data_version()
        return f"{version} {stamp(self._limits_file)} {self._problem or ''}".strip()
