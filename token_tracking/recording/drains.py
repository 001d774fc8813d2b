"""Who saves what is drained: this process, or a child of it.

Measured on two idle cores, an event loop that answers 2,000 requests a second (16 in flight) and
records each: of its answers the slowest hundredth takes 2-6 ms where nothing is drained, 3-4 ms
where a child drains, 7-10 ms where a thread does (which holds the interpreter's lock for 100
microseconds a request); in saturation no answer takes more than 15 ms with the child, 72 ms with
the thread. At 300 a second there is no difference. Saving takes 40-100 microseconds a sighting in
batches of 500 and more, and 15-40 ms for a batch of few. A child takes half a second of one core to
start.
"""

import asyncio
import logging
import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Final, Protocol

import msgspec
from msgspec import Struct

from token_tracking.errors import StoreError, TokenTrackingError
from token_tracking.location import Location
from token_tracking.recording.leftovers import drain_spool
from token_tracking.recording.saving import save_segment
from token_tracking.recording.values import Drained
from token_tracking.store import TokenStore

_logger: Final = logging.getLogger(__name__)
_PACKAGES: Final = Path(__file__).parents[2]
_PATIENCE_SECONDS: Final = 5.0


class Drain(Protocol):
    """Saves segments, for one thread. What fails is tried again by the next call."""

    def take(self, segment: Path | None) -> Drained:
        """Save a segment and delete it; `None` stands for what dead processes left.

        Raises:
            TokenTrackingError: the ledger cannot be written: what was not saved stays on disk.
        """
        ...

    def abandon(self) -> None:
        """Make a call that hangs fail soon. Any thread may."""
        ...

    def close(self) -> None:
        """Let go of the ledger."""
        ...

    def leave_to_parent(self) -> None:
        """After a fork, in the child: nothing of it is ours."""
        ...


class LedgerDrain:
    """Saves in this thread, with an event loop and a connection of its own."""

    def __init__(self, location: Location, user_prices: Path | None) -> None:
        self._location = location
        self._user_prices = user_prices
        self._runner = asyncio.Runner()
        self._store: TokenStore | None = None

    def take(self, segment: Path | None) -> Drained:
        """See `Drain`."""
        return self._runner.run(self._take(segment))

    def abandon(self) -> None:
        """Nothing hangs for longer than the ledger is waited for: `connection.BUSY_SECONDS`."""

    def close(self) -> None:
        """See `Drain`."""
        self._runner.run(self._let_go())
        self._runner.close()

    def leave_to_parent(self) -> None:
        """See `Drain`."""

    async def _take(self, segment: Path | None) -> Drained:
        try:
            if self._store is None:
                self._store = await TokenStore.open(
                    self._location.path, user_prices=self._user_prices
                )
            if segment is None:
                return await drain_spool(self._store)
            return await save_segment(self._store, segment)
        except BaseException:
            # The ledger may have been moved, replaced or mended: next time it is opened anew.
            await self._let_go()
            raise

    async def _let_go(self) -> None:
        store, self._store = self._store, None
        if store is not None:
            await store.close()


class Answer(Struct, frozen=True):
    """What a child says of an order: what it drained, or why it could not."""

    drained: Drained | None = None
    problem: str | None = None


class ChildDrain:
    """Has a child process save (`__main__`), so that this one's interpreter is free. It ends with
    this one."""

    def __init__(self, location: Location, user_prices: Path | None) -> None:
        self._location = location
        self._user_prices = user_prices
        self._child: subprocess.Popen[bytes] | None = None

    def take(self, segment: Path | None) -> Drained:
        """See `Drain`."""
        try:
            answer = self._ask(msgspec.json.encode(None if segment is None else str(segment)))
        except (OSError, ValueError, msgspec.DecodeError) as error:
            self.close()
            raise StoreError(
                "The process that saves what was recorded ended. It is started again."
            ) from error
        if answer.drained is None:
            raise StoreError(answer.problem or "")
        if answer.drained.refused:
            _logger.warning("%d recorded lines could not be saved", answer.drained.refused)
        return answer.drained

    def abandon(self) -> None:
        """Kill the child. What it was saving is saved as a whole or not at all."""
        if (child := self._child) is not None:
            child.kill()

    def close(self) -> None:
        """See `Drain`."""
        child, self._child = self._child, None
        if child is None:
            return
        assert child.stdin is not None
        assert child.stdout is not None
        with suppress(OSError):
            child.stdin.close()
        try:
            child.wait(_PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
        child.stdout.close()

    def leave_to_parent(self) -> None:
        """See `Drain`."""
        child, self._child = self._child, None
        if child is not None and child.stdin is not None:
            # While this process held its input open, it would outlive the parent.
            child.stdin.close()
            child.returncode = 0

    def _ask(self, order: bytes) -> Answer:
        child = self._child = self._child or _start(self._location, self._user_prices)
        assert child.stdin is not None
        assert child.stdout is not None
        child.stdin.write(order + b"\n")
        return msgspec.json.decode(child.stdout.readline(), type=Answer)


def answer(drain: Drain, order: bytes) -> bytes:
    """The child's answer to a line of orders, as a line."""
    segment = msgspec.json.decode(order, type=str | None)
    try:
        told = Answer(drain.take(None if segment is None else Path(segment)))
    except TokenTrackingError as error:
        told = Answer(problem=str(error))
    except Exception as error:  # noqa: BLE001 (the outermost edge of a process: the other one tells)
        told = Answer(problem=f"A fault in token-tracking: {type(error).__name__}.")
    return msgspec.json.encode(told) + b"\n"


def _start(location: Location, user_prices: Path | None) -> "subprocess.Popen[bytes]":
    path = os.pathsep.join([str(_PACKAGES), *filter(None, [os.environ.get("PYTHONPATH")])])
    return subprocess.Popen(  # noqa: S603 (our own module)
        [
            sys.executable,
            "-P",  # nothing is imported from the folder that we happen to stand in
            "-m",
            "token_tracking.recording",
            str(location.path.absolute()),
            str(user_prices.absolute()) if user_prices else "",
        ],
        bufsize=0,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": path},
        creationflags=subprocess.CREATE_NO_WINDOW if sys.platform == "win32" else 0,
    )
