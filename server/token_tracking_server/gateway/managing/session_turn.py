"""A request of a session and its answer, on their way into the history and its figures."""

import logging
from typing import Any, Final

from msgspec.structs import replace

from token_tracking.errors import StoreError
from token_tracking.usage import Usage
from token_tracking_server.gateway.exchanges import Answer, Ask, Exchanges
from token_tracking_server.gateway.histories import (
    Histories,
    Session,
    SessionChangedError,
    SessionFullError,
)
from token_tracking_server.gateway.managing.assembling import Said
from token_tracking_server.gateway.metrics import Gauges

_LOG: Final = logging.getLogger(__name__)


class SessionTurn:
    """One turn: it sends what the upstream is asked for it, summaries too, and keeps what came."""

    def __init__(
        self,
        exchanges: Exchanges,
        histories: Histories,
        gauges: Gauges,
        session: Session,
        new: list[Any],
    ) -> None:
        self.session: Final = session
        self._exchanges = exchanges
        self._histories = histories
        self._gauges = gauges
        self._new = new
        self._unbilled: list[Answer] = []
        self._is_stored = session.created_at > 0

    async def send(self, ask: Ask) -> Answer:
        """As `Exchanges.send`; what it is billed comes to the session."""
        answer = await self._exchanges.send(ask)
        self._unbilled.append(answer)
        return answer

    async def keep(self, message: Said | None) -> None:
        """Add it to the history, and what it was billed, where that is known by now."""
        messages = [*self._new, *([message] if message else [])]
        try:
            await self._add(messages)
        except (StoreError, SessionChangedError, SessionFullError) as error:
            # The answer is on its way: whoever reads it goes on without this turn.
            self._gauges.error("history_not_kept")
            _LOG.warning("A turn is not in its session's history: %s", error)
        await self._bill([answer for answer in self._unbilled if answer.replies])

    async def bill(self) -> None:
        """Add to the session's figures what was billed and does not stand there yet. A session that
        was to begin with this turn does so without a message, where anything was billed."""
        await self._bill(list(self._unbilled))

    async def _add(self, messages: list[Any]) -> None:
        try:
            await self._histories.add(self.session, messages)
        except SessionChangedError:
            # Another gateway went on with it meanwhile: both turns are whole.
            await self._histories.add_behind(self.session, messages)
        self._is_stored = True

    async def _bill(self, answers: list[Answer]) -> None:
        billed: list[Usage | None] = []
        for answer in answers:
            self._unbilled.remove(answer)
            if answer.status == 200:
                billed += [reply.usage for reply in answer.replies] or [None]
        try:
            if not self._is_stored and any(usage is not None for usage in billed):
                await self._begin()
            for usage in billed:
                await self._histories.bill(self.session.id, usage)
        except StoreError as error:
            _LOG.warning("What a session was billed is not in its figures: %s", error)

    async def _begin(self) -> None:
        self._is_stored = True
        try:
            await self._histories.add(replace(self.session, system=None, tools=None), [])
        except SessionChangedError:
            _LOG.debug("Another gateway began the session %s meanwhile.", self.session.id)
