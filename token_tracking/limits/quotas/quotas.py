"""`Quotas`: what each may use, reserved before a request and settled after it."""

import asyncio
import logging
import os
import secrets
import sqlite3
import time
from asyncio import CancelledError
from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import tzinfo
from decimal import Decimal
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Final, Self

from token_tracking.errors import StoreError
from token_tracking.limits.quotas.accounts import Hold, clear_away, renew
from token_tracking.limits.quotas.amounts import Cost, cost
from token_tracking.limits.quotas.booking import (
    Entry,
    Refusal,
    Reserved,
    Settlement,
    reserve,
    settle,
)
from token_tracking.limits.quotas.calendar import window_of
from token_tracking.limits.quotas.definitions import write_rules
from token_tracking.limits.quotas.errors import UnpricedModelError
from token_tracking.limits.quotas.refusing import exceeded
from token_tracking.limits.quotas.rules import Applied, Rules
from token_tracking.limits.quotas.spending import Spending
from token_tracking.limits.quotas.status import statuses
from token_tracking.limits.quotas.transactions import Transactions
from token_tracking.limits.quotas.values import Quota, QuotaStatus, Spender

if TYPE_CHECKING:
    from token_tracking.limits.alerts import Alerts

LIFETIME_SECONDS: Final = 120.0
"""How long the reservations of a process that died still count."""
RENEW_SECONDS: Final = 30.0

LONGEST_SECONDS: Final = 2 * 3600.0
"""No request takes longer: a reservation that is older was forgotten."""

KEPT_SECONDS: Final = 62 * 86400.0
"""How long accounts are kept after their window: two months."""

_log: Final = logging.getLogger(__name__)


class Quotas:
    """The quotas of one `limits.db`, which any number of processes may share: what they reserve and
    use together never passes a hard quota, but where a request uses more than was reserved for it.

    Accounts begin when their quota is set: what was used before is not in them. `SIGKILL` loses
    nothing that was booked; a power failure may lose the last moments. What a process that died had
    reserved counts for two more minutes, then no more.

    Leave it with `aclose`, or use it as an `async with`.
    """

    def __init__(
        self,
        file: Transactions | None,
        rules: Rules,
        zone: tzinfo | None,
        alerts: "Alerts | None",
        clock: Callable[[], float],
    ) -> None:
        self._file = file
        self._rules = rules
        self._zone = zone
        self._alerts = alerts
        self._clock = clock
        self._holder = secrets.token_hex(8)
        self._owed: list[Settlement] = []
        self._renewing = None if file is None else asyncio.create_task(self._keep_renewing())

    @classmethod
    async def open(
        cls,
        path: str | os.PathLike[str],
        quotas: Iterable[Quota],
        *,
        timezone: tzinfo | None = None,
        alerts: "Alerts | None" = None,
        clock: Callable[[], float] = time.time,
    ) -> Self:
        """Open the file, made where there is none, and note the quotas in it, so that other
        programs can show them.

        Args:
            path: `limits.db` beside the ledger (`limits.database.beside`).
            quotas: without any, nothing is limited, and no file made.
            timezone: whose days, weeks and months they are; the machine's own by default.
            alerts: told of each level that is reached.
            clock: seconds since 1970.

        Raises:
            StoreError: the file cannot be used.
            InvalidQuotaError: two quotas are for the same name and period.
        """
        rules, where = Rules(quotas), Path(path).expanduser()
        if not rules.quotas and not where.exists():
            return cls(None, rules, timezone, alerts, clock)
        file = await Transactions.open(where)
        try:
            await file.run(partial(write_rules, rules=rules, zone=timezone))
            return cls(file, rules, timezone, alerts, clock)
        except BaseException:
            await file.aclose()
            raise

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.aclose()

    async def reserve(self, spender: Spender, *, tokens: int, usd: Decimal | None) -> Spending:
        """Hold what a request may use at most, in every account that it counts in, or in none.

        Args:
            spender: whose request it is.
            tokens: of the prompt, and the longest answer.
            usd: what that costs; `None` where no price is known.

        Raises:
            QuotaExceededError: it would pass a hard quota.
            UnpricedModelError: its price is not known, and a hard quota of dollars applies.
            InvalidQuotaError: an amount is none.
            StoreError: the file cannot be used: then nothing can be let through.
        """
        applied, asked = self._rules.of(spender), cost(tokens, usd)
        if not applied or self._file is None:
            return Spending(self._book, asked)
        _refuse_unpriced(applied, asked)
        now = self._now()
        entries = tuple(
            Entry(each, window_of(each.quota.period, now, self._zone)) for each in applied
        )
        until = now + _ms(LIFETIME_SECONDS)
        held = Hold(secrets.randbits(62), self._holder, asked, now, until)
        found = await self._reserved(self._file, entries, held)
        if isinstance(found, Refusal):
            self._tell(is_news=found.is_news)
            raise exceeded(found, self._zone)
        held_now = Settlement(entries, found.accounts, held.reservation, None)
        return Spending(self._book, asked, held_now)

    async def status(self) -> list[QuotaStatus]:
        """How far each account is used, and when it will be at its limit.

        Raises:
            StoreError: the file cannot be used.
        """
        if self._file is None:
            return []
        read = partial(statuses, rules=self._rules, zone=self._zone, now=self._now())
        return await self._file.run(read)

    async def renew(self) -> None:
        """Keep what this process holds, book what could not be booked, and clear away what is old.
        Done every half a minute by itself.

        Raises:
            StoreError: the file cannot be used.
        """
        if self._file is None:
            return
        now = self._now()
        await self._file.run(partial(self._renew, now=now))
        owed, self._owed = self._owed, []
        for settlement in owed:
            await self._book(settlement)

    async def aclose(self) -> None:
        """Close the file. What is still reserved then is let go by and by."""
        if self._renewing is not None:
            self._renewing.cancel()
            await asyncio.gather(self._renewing, return_exceptions=True)
        if self._file is not None:
            file, self._file = self._file, None
            await file.aclose()

    async def _reserved(
        self, file: Transactions, entries: tuple[Entry, ...], held: Hold
    ) -> Reserved | Refusal:
        future = file.run(partial(reserve, entries=entries, asked=held))
        try:
            return await asyncio.shield(future)
        except CancelledError:
            # The thread goes on: what it is about to reserve is given back.
            future.add_done_callback(partial(self._give_back, entries, held.reservation))
            raise

    def _give_back(
        self,
        entries: tuple[Entry, ...],
        reservation: int,
        future: "asyncio.Future[Reserved | Refusal]",
    ) -> None:
        if future.cancelled() or future.exception() is not None or self._file is None:
            return
        found = future.result()
        if isinstance(found, Reserved):
            done = Settlement(entries, found.accounts, reservation, None)
            self._file.run(partial(settle, done=done, now=self._now())).add_done_callback(_seen)

    async def _book(self, done: Settlement) -> None:
        """A request that was answered is not failed for its booking: that is done later then."""
        if self._file is None:
            _log.warning("Quotas were closed before a request was settled: it is not counted.")
            return
        try:
            is_news = await asyncio.shield(
                self._file.run(partial(settle, done=done, now=self._now()))
            )
        except StoreError as error:
            self._owed.append(done)
            _log.warning("A request is not counted in its quotas yet: %s", error)
        else:
            self._tell(is_news=is_news)

    def _renew(self, connection: sqlite3.Connection, now: int) -> None:
        renew(connection, self._holder, now + _ms(LIFETIME_SECONDS), now - _ms(LONGEST_SECONDS))
        clear_away(connection, now, now - _ms(KEPT_SECONDS))

    async def _keep_renewing(self) -> None:
        while True:
            await asyncio.sleep(RENEW_SECONDS)
            try:
                await self.renew()
            except StoreError as error:
                _log.warning("Reservations of quotas could not be renewed: %s", error)

    def _tell(self, *, is_news: bool) -> None:
        if is_news and self._alerts is not None:
            self._alerts.wake()

    def _now(self) -> int:
        return _ms(self._clock())


def _refuse_unpriced(applied: Iterable[Applied], asked: Cost) -> None:
    if asked.pico is not None:
        return
    for quota, _ in applied:
        if quota.is_hard and quota.usd is not None and not quota.allows_unpriced:
            raise UnpricedModelError(
                f"The hard quota of {quota} is in dollars, and no price of this model is known,"
                " or none on the terms that the request asks for. Add one to the price file, or set"
                " allows_unpriced on the quota.",
                quota=quota,
            )


def _seen(future: "asyncio.Future[bool]") -> None:
    """A refund that failed expires; its error needs no traceback."""
    with suppress(CancelledError):
        future.exception()


def _ms(seconds: float) -> int:
    return round(seconds * 1000)
