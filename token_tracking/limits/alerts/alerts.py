"""`Alerts`: delivers what quotas raised, each once, beside the requests."""

import asyncio
import logging
import os
import sqlite3
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

from token_tracking.errors import StoreError
from token_tracking.limits.alerts.records import claim, mark_told
from token_tracking.limits.alerts.sinks import AlertError, AlertSink, LogSink
from token_tracking.limits.alerts.values import Alert
from token_tracking.limits.database import limits_errors, opened, writing

CLAIM_SECONDS: Final = 300.0
"""How long other processes leave an alert to the one that took it: it may die on the way."""

OLDEST_SECONDS: Final = 86400.0
"""What nobody was there to tell of for a day is news no more; it still stands in the file."""

_PATIENCE_SECONDS: Final = 5.0

_log: Final = logging.getLogger(__name__)


class Alerts:
    """Delivers each alert of `limits.db` to every sink: once, whichever process raised it, and
    again where the process that was about to do so died. A sink that fails is logged, and never
    holds up the others or a request.

    Args:
        path: `limits.db`, as for `Quotas`.
        sinks: where alerts go; to the log by default.
        clock: seconds since 1970.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        sinks: Sequence[AlertSink] | None = None,
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._path = Path(path).expanduser()
        self._sinks: tuple[AlertSink, ...] = (LogSink(),) if sinks is None else tuple(sinks)
        self._clock = clock
        self._telling: asyncio.Task[None] | None = None
        self._is_asked = False

    def wake(self) -> None:
        """Deliver what was raised, in the background; for use on an event loop."""
        self._is_asked = True
        if self._telling is None or self._telling.done():
            self._telling = asyncio.create_task(self._tell_all())

    async def tell(self) -> int:
        """Deliver now what nobody delivered yet; how many alerts that were.

        Raises:
            StoreError: the file cannot be used.
        """
        alerts = await asyncio.to_thread(self._claim)
        for alert in alerts:
            await asyncio.gather(*(self._deliver(sink, alert) for sink in self._sinks))
            await asyncio.to_thread(self._mark, alert)
        return len(alerts)

    async def aclose(self) -> None:
        """Finish what is being delivered; what is not done within five seconds is left to another
        process."""
        telling, self._telling = self._telling, None
        if telling is None:
            return
        await asyncio.wait({telling}, timeout=_PATIENCE_SECONDS)
        telling.cancel()
        await asyncio.gather(telling, return_exceptions=True)

    async def _tell_all(self) -> None:
        while self._is_asked:
            self._is_asked = False
            try:
                await self.tell()
            except StoreError as error:
                _log.warning("Alerts cannot be delivered for now: %s", error)

    async def _deliver(self, sink: AlertSink, alert: Alert) -> None:
        try:
            await sink.tell(alert)
        except AlertError as error:
            _log.warning("An alert was not delivered: %s", error)
        except Exception as error:  # noqa: BLE001 (a sink may be the user's own code)
            # Neither its text nor its traceback: they may hold an address with a secret.
            _log.error("The sink %r failed with %s", sink, type(error).__name__)

    def _claim(self) -> list[Alert]:
        now = self._now()
        until, since = now + _ms(CLAIM_SECONDS), now - _ms(OLDEST_SECONDS)
        with self._writing() as connection:
            return claim(connection, now, until, since)

    def _mark(self, alert: Alert) -> None:
        with self._writing() as connection:
            mark_told(connection, alert.id, self._now())

    @contextmanager
    def _writing(self) -> Generator[sqlite3.Connection]:
        with (
            closing(opened(self._path)) as connection,
            limits_errors(self._path),
            writing(connection),
        ):
            yield connection

    def _now(self) -> int:
        return _ms(self._clock())


def _ms(seconds: float) -> int:
    return round(seconds * 1000)
