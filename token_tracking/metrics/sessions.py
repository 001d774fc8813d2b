"""What is asked of one session."""

from typing import TYPE_CHECKING

from token_tracking.metrics.questions import Questions

if TYPE_CHECKING:
    from token_tracking.efficiency import Custom, Prices
    from token_tracking.efficiency.attribution import Attribution
    from token_tracking.efficiency.session_timeline import Timeline
    from token_tracking.metrics.session import SessionReport
    from token_tracking.metrics.session_efficiency import SessionEfficiency
    from token_tracking.shares import SessionShares


class SessionQuestions(Questions):
    """A session's messages, items and figures.

    All raise:
        UnknownSessionError: the ledger has no such session.
        StoreError: the ledger cannot be read, or written where it has to be settled.
    """

    async def get_session_data(
        self, session_id: str, *, prices: "Prices | None" = None
    ) -> "SessionReport":
        """A session: its own messages, what it inherited, its tools, and what just-in-time content
        did to it, at `prices` where others than the usual ones hold by now."""
        from token_tracking.efficiency import EfficiencyEngine  # noqa: PLC0415 (start-up)
        from token_tracking.metrics.session import session_report  # noqa: PLC0415 (start-up)

        data = await self.store.get_session_data(session_id)
        loads = await self.store.session_loads(session_id)
        # What was learned is wanted for loads alone.
        engine = await self.engine() if loads else self._efficiency or EfficiencyEngine()
        return session_report(data, loads, engine, prices or self._prices)

    async def get_session_attribution(self, session_id: str) -> "Attribution":
        """Which items of its prompts a session's tokens and money went to, to the token and to
        the pico-dollar, attributed now. Empty for a session that the ledger does not know."""
        from token_tracking.attributing import session_attribution  # noqa: PLC0415 (start-up)

        chains = await self.store.session_chains(session_id)
        engine = await self.engine()
        return session_attribution(chains, self.store.prices, engine.scale)

    async def get_session_shares(self, session_id: str, *, settle: bool = True) -> "SessionShares":
        """A session's items as the ledger keeps them, or why it cannot be attributed."""
        from token_tracking.metrics.timeline import session_shares  # noqa: PLC0415 (start-up)

        await self.settled(settle)
        return await session_shares(self.store, session_id)

    async def get_timeline(
        self,
        session_id: str,
        *,
        limit: int | None = None,
        items: int | None = None,
        settle: bool = True,
    ) -> "Timeline":
        """A session request by request, with what entered when, and its items by cost: the first
        `limit` requests, and the `items` dearest items, where it has more."""
        from token_tracking.metrics.timeline import timeline  # noqa: PLC0415 (start-up)

        await self.settled(settle)
        return await timeline(self.store, session_id, limit=limit, items=items)

    async def calculate_session_efficiency(
        self, session_id: str, *, custom: "Custom | None" = None
    ) -> "SessionEfficiency":
        """What a session saved against each baseline (`custom`: your own too), what caching did in
        it, and where its prompts' money went; as its messages are now.

        Raises:
            InvalidUsageError: your function failed.
        """
        from token_tracking.metrics.session_efficiency import (  # noqa: PLC0415 (start-up)
            session_efficiency,
        )

        data = await self.store.get_session_data(session_id)
        loads = await self.store.session_loads(session_id)
        chains = await self.store.session_chains(session_id)
        return session_efficiency(
            data, loads, chains, await self.engine(), self.store.prices, custom=custom
        )
