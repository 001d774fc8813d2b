"""What is due, settled by two processes at once: no session by both."""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from typing import Final

from token_tracking.attributing.settler import MESSAGES_AT_ONCE, Settled, Settler
from token_tracking.attributing.worker import SettlingProcess
from token_tracking.store import Due, TokenStore

_PARTS: Final = 4
_LEAST_MESSAGES: Final = 500
"""A portion is a quarter of what is left, so that both are done at about the same time."""


async def settle_with_another(
    store: TokenStore,
    settler: Settler,
    due: Sequence[Due],
    done: Callable[[Settled], None],
) -> None:
    """Settle sessions together with a second process, and tell what was settled. Should that one
    fail or be killed, what it had not answered for is still due.

    Raises:
        StoreError: the ledger cannot be written. What was saved before stays so.
    """
    portions = await _Portions.of(store, due)
    worker = await SettlingProcess.start(store)
    try:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(_give(worker, portions, done))
            tasks.create_task(settler.settle(portions.next, done))
    except BaseExceptionGroup as group:
        raise group.exceptions[0] from group
    finally:
        await worker.stop()


class _Portions:
    """Sessions in portions, each of which is given once."""

    def __init__(self, due: Sequence[Due], sizes: dict[str, int]) -> None:
        self._due = deque(due)
        self._sizes = sizes
        self._left = sum(sizes.values())

    @classmethod
    async def of(cls, store: TokenStore, due: Sequence[Due]) -> "_Portions":
        return cls(due, await store.session_sizes([each.session_id for each in due]))

    async def next(self) -> Sequence[Due] | None:
        """The next sessions; `None` where there are no more."""
        most = min(MESSAGES_AT_ONCE, max(_LEAST_MESSAGES, self._left // _PARTS))
        taken: list[Due] = []
        messages = 0
        while self._due:
            size = self._sizes.get(self._due[0].session_id, 0)
            if taken and messages + size > most:
                break
            taken.append(self._due.popleft())
            messages += size
        self._left -= messages
        return taken or None


async def _give(
    worker: SettlingProcess, portions: _Portions, done: Callable[[Settled], None]
) -> None:
    """Answer each line of the other process with a portion, one ahead of what it asked for."""
    due = await portions.next()
    await worker.give(due)
    while True:
        if due is not None:
            due = await portions.next()
            await worker.give(due)
        settled = await worker.answer()
        if settled is None:
            break
        done(settled)
