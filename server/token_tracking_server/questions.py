"""The questions that a client can ask, each answered in Markdown."""

from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, Self

from msgspec import structs

from token_tracking.counting.multipliers import Multiplier
from token_tracking.errors import UnknownSessionError
from token_tracking.loads import LibrarySize, Load
from token_tracking.metrics import By, parse_period
from token_tracking.system import TokenSystem, create_token_system
from token_tracking.tracker import TokenTracker, Tracked
from token_tracking_server.answers import (
    report_answer,
    session_answer,
    sessions_answer,
    summary_answer,
    tracked_answer,
)
from token_tracking_server.freshness import PATIENCE_SECONDS, Freshness, Look
from token_tracking_server.gaps import reading_notes, stale_note
from token_tracking_server.session_choice import Choice, choose_session
from token_tracking_server.settings import Settings
from token_tracking_server.writer import Writer

if TYPE_CHECKING:
    from token_tracking_server.efficiency_questions import EfficiencyQuestions

_SUMMARY_PERIODS: Final = ("today", "7d", "30d", "all")


class Questions:
    """An open ledger. Reading has a connection of its own: who asks does not wait for who writes,
    and a broken price file or a locked database takes only freshness away."""

    def __init__(
        self,
        system: TokenSystem,
        settings: Settings,
        environment: Mapping[str, str],
        patience: float = PATIENCE_SECONDS,
    ) -> None:
        self._system = system
        self._settings = settings
        self._environment = environment
        self._writer = Writer(settings, environment)
        self._freshness = Freshness(self._writer.ingest, patience, self._writer.settle)
        self._efficiency: EfficiencyQuestions | None = None

    @classmethod
    async def open(
        cls,
        settings: Settings,
        environment: Mapping[str, str],
        *,
        patience: float = PATIENCE_SECONDS,
    ) -> Self:
        """Open the ledger. A question waits `patience` seconds for the transcripts.

        Raises:
            TokenTrackingError: it cannot be opened.
        """
        system = await create_token_system(settings.database, timezone=settings.timezone)
        return cls(system, settings, environment, patience)

    async def close(self) -> None:
        """Finish what is being saved, and close."""
        async with AsyncExitStack() as stack:
            stack.push_async_callback(self._system.close)
            stack.push_async_callback(self._writer.close)
            await self._freshness.close()

    @property
    def efficiency(self) -> "EfficiencyQuestions":
        """The questions about where the money of the prompts went."""
        if self._efficiency is None:
            # Reports of periods do not wait for what these need.
            from token_tracking_server.efficiency_questions import (  # noqa: PLC0415
                EfficiencyQuestions,
            )

            self._efficiency = EfficiencyQuestions(self._system.metrics, self.settled)
        return self._efficiency

    async def settled(self) -> str | None:
        """Bring the ledger and the attribution of its sessions up to date; what is to be said where
        that failed."""
        return await self._stale(await self._freshness.settled())

    async def version(self) -> object:
        """Another value whenever the ledger has changed, whoever changed it."""
        return await self._system.store.data_version()

    async def report(self, period: str, by: By) -> str:
        """Totals of a period.

        Raises:
            InvalidPeriodError: there is no such period.
            StoreError: the ledger cannot be read.
        """
        metrics = self._system.metrics
        parse_period(period, metrics.zone)
        look = await self._freshness.look()
        report = await metrics.get_report(by, period)
        notes = await reading_notes(self._system.store, look) if period == "all" else []
        return report_answer(report, metrics.zone, notes=notes, stale=await self._stale(look))

    async def summary(self) -> str:
        """The ledger as a whole, beside its last days."""
        metrics = self._system.metrics
        look = await self._freshness.look()
        return summary_answer(
            [await metrics.get_summary(period) for period in _SUMMARY_PERIODS],
            notes=await reading_notes(self._system.store, look),
            stale=await self._stale(look),
        )

    async def sessions(self) -> str:
        """Every session, the newest first."""
        metrics = self._system.metrics
        look = await self._freshness.look()
        return sessions_answer(
            await metrics.get_report("session"),
            metrics.zone,
            notes=await reading_notes(self._system.store, look),
            stale=await self._stale(look),
        )

    async def session(self, session_id: str) -> str:
        """One session: an id, a beginning that only one has, `current` or `latest`.

        Raises:
            UnknownSessionError: there is none; the text says which there are.
            StoreError: the ledger cannot be read.
        """
        look = await self._freshness.settled()
        choice = await self.choose(session_id)
        metrics = self._system.metrics
        # The user's own prices belong to the connection that writes.
        data = await metrics.get_session_data(choice.session_id, prices=self._writer.prices)
        return session_answer(
            data,
            metrics.zone,
            items=await self.efficiency.top_items(choice.session_id),
            chosen=choice.reason,
            stale=await self._stale(look),
        )

    async def session_items(self, session_id: str) -> str:
        """One session, named as for `session`, by item.

        Raises:
            UnknownSessionError: there is none; the text says which there are.
            StoreError: the ledger cannot be read.
        """
        await self._freshness.look()
        choice = await self.choose(session_id)
        return await self.efficiency.items(choice.session_id, choice.reason)

    async def session_page(self, session_id: str) -> dict[str, Any]:
        """One session, named as for `session`, as the page has it."""
        choice = await self.choose(session_id)
        return await self.efficiency.session_page(choice.session_id)

    async def choose(self, session_id: str) -> Choice:
        """The session that is meant: an id, a beginning that only one has, `current` or `latest`.

        Raises:
            UnknownSessionError: there is none; the text says which there are.
        """
        return await choose_session(
            self._system.store, session_id, self._environment, self._settings.claude_dirs
        )

    async def session_ids(self, beginning: str, limit: int) -> list[str]:
        """Ids of sessions that begin so, the newest first."""
        await self._freshness.look()
        return await self._system.store.session_ids(beginning, limit)

    async def track(
        self, message_id: str, usage: Mapping[str, Any], metadata: Mapping[str, Any]
    ) -> str:
        """Record a message. Once it has begun it is finished, even if nobody waits for it.

        Raises:
            InvalidUsageError: the usage, id or metadata is not valid.
            StoreError: the ledger cannot be written.
        """
        tracked = await self._writer.finish(self._track(message_id, usage, metadata))
        return tracked_answer(tracked, str(metadata["model"]))

    async def record_loads(self, loads: Sequence[Load], library: LibrarySize | None) -> None:
        """Record what was loaded. Where the host names no session, the current one is meant.

        Raises:
            StoreError: the ledger cannot be written.
        """
        if any(not load.session_id for load in loads):
            current = await self._current_session()
            loads = [structs.replace(each, session_id=each.session_id or current) for each in loads]
        store = await self._writer.store()
        await self._writer.finish(store.save_loads(loads, library))

    async def loads_held(self, session_id: str) -> list[tuple[str, int, int]]:
        """What the main chain of a session loaded and no compaction took away: URI, tokens by
        o200k_base, and when.

        Raises:
            StoreError: the ledger cannot be read.
        """
        return [
            (load.uri, load.tokens, load.at)
            for load in await self._system.store.session_loads(session_id)
            if load.origin in {"server", "both"}
            and load.kind == "load"
            and load.tokens
            and load.left_at is None
            and not load.chain
        ]

    async def still_held(self, session_id: str | None, tool_use_id: str | None) -> set[int] | None:
        """When those loads were made that the context of a call still holds: in its own chain,
        with no compaction since. Milliseconds since 1970 UTC; `None` where no session is known.

        A session that followed in the same client, and a subagent, hold what they loaded alone.

        Raises:
            StoreError: the ledger cannot be read.
        """
        await self._freshness.look()
        store = self._system.store
        shown = None if tool_use_id is None else await store.session_of_call(tool_use_id)
        session, chain = shown or (session_id, "")
        if session is None:
            return None
        return {
            load.at
            for load in await store.session_loads(session)
            if load.origin in {"server", "both"} and load.left_at is None and load.chain == chain
        }

    async def multipliers(self) -> Mapping[str, Multiplier]:
        """What the ledger has learned of models' tokenizers.

        Raises:
            StoreError: the ledger cannot be read.
        """
        return await self._system.store.multipliers()

    async def _current_session(self) -> str:
        try:
            return (await self.choose("current")).session_id
        except UnknownSessionError:
            return ""

    async def _track(
        self, message_id: str, usage: Mapping[str, Any], metadata: Mapping[str, Any]
    ) -> Tracked:
        tracker = TokenTracker(await self._writer.store())
        return await tracker.track(message_id, usage, metadata)

    async def _stale(self, look: Look) -> str | None:
        return await stale_note(
            self._system.store, look, self._system.metrics.zone, datetime.now(UTC)
        )
