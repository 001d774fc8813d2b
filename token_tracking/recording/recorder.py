"""`Recorder`: takes sightings, never blocks or fails its caller."""

import asyncio
import logging
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final, Self
from weakref import WeakSet

from token_tracking.location import Location, default_location, locate
from token_tracking.recording.drainer import Drainer
from token_tracking.recording.drains import ChildDrain, Drain, LedgerDrain
from token_tracking.recording.intake import Intake
from token_tracking.recording.segments import spool_folder
from token_tracking.recording.values import RecorderStats
from token_tracking.usage import UsageEvent

_logger: Final = logging.getLogger(__name__)


class Recorder:
    """Appends each sighting to a spool on disk; a thread drains that into the ledger.

    Any thread may use it, and a finalizer. A process that was forked has its own files.
    """

    def __init__(self, folder: Path, make_drain: Callable[[], Drain] | None) -> None:
        self._folder = folder
        self._make_drain = make_drain
        self._begin()
        _recorders.add(self)

    @classmethod
    def open(
        cls,
        database: str | os.PathLike[str] | None = None,
        *,
        user_prices: str | os.PathLike[str] | None = None,
        drain: bool = True,
        in_child: bool = False,
    ) -> Self:
        """Record into the ledger at a path or URL (by default as `TokenStore.open`), which need not
        be there, nor be writable.

        Without `drain` all stays on disk, until another process drains it after this one ended.
        `in_child` has a child process save: for a server that answers hundreds of requests a second
        (`drains` has figures).

        Raises:
            StoreError: the URL is of another kind, or names no file.
        """
        named = default_location(os.environ) if database is None else locate(database)
        location = Location(named.path.absolute())
        prices = None if user_prices is None else Path(user_prices).absolute()

        def make_drain() -> Drain:
            return (ChildDrain if in_child else LedgerDrain)(location, prices)

        return cls(spool_folder(location), make_drain if drain else None)

    @property
    def stats(self) -> RecorderStats:
        """What was done up to now."""
        intake, drainer = self._intake, self._drainer
        done = drainer.done if drainer else 0
        return RecorderStats(
            recorded=intake.accepted + intake.turned_away,
            drained=drainer.drained.events if drainer else 0,
            waiting=intake.accepted - intake.dropped - done,
            refused=drainer.drained.refused if drainer else 0,
            lost=intake.turned_away + intake.dropped + (drainer.vanished if drainer else 0),
            problem=intake.problem or (drainer.problem if drainer else None),
        )

    def record(self, event: UsageEvent) -> None:
        """Take a sighting: on disk when this returns, or in memory while the disk takes none.
        Nothing that goes wrong is raised: `stats` and the log tell of it."""
        try:
            self._intake.take(event)
            if self._drainer is not None:
                self._drainer.wake()
        except Exception:
            # The outermost edge: the caller's own answer matters more.
            _logger.exception("A message could not be recorded")

    def flush(self, timeout: float = 10.0) -> bool:
        """Wait until all that was recorded is in the ledger, at most `timeout` seconds; whether it
        is. It never will be where something was lost or refused."""
        target = self._intake.accepted
        self._intake.retry()
        if self._drainer is not None and target > self._drainer.done:
            self._drainer.wait(target, timeout)
        return self._is_saved(target)

    async def flushed(self, timeout: float = 10.0) -> bool:  # noqa: ASYNC109 (as `flush`)
        """`flush`, without holding the event loop."""
        return await asyncio.to_thread(self.flush, timeout)

    def close(self, timeout: float = 10.0) -> bool:
        """Drain within `timeout` seconds, and stop; whether all is in the ledger. What is not stays
        on disk for the next process, as does what is recorded later."""
        self._intake.retry()
        if self._drainer is not None:
            self._drainer.close(timeout)
        self._intake.close()
        return self._is_saved(self._intake.accepted)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _is_saved(self, target: int) -> bool:
        stats = self.stats
        done = self._drainer.done if self._drainer else 0
        return done >= target and not stats.lost and not stats.refused

    def _begin(self) -> None:
        self._intake = Intake(self._folder)
        drains = self._make_drain
        self._drainer = None if drains is None else Drainer(self._intake, drains)

    def after_fork(self) -> None:
        """In the child: what was recorded before is the parent's to save."""
        self._intake.leave_to_parent()
        if self._drainer is not None:
            self._drainer.leave_to_parent()
        self._begin()


_recorders: Final["WeakSet[Recorder]"] = WeakSet()


def _after_fork() -> None:
    for recorder in _recorders:
        recorder.after_fork()


if sys.platform != "win32":
    os.register_at_fork(after_in_child=_after_fork)
