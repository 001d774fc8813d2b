"""The whole of it: what changed under some folders, shared between two processes if it is much."""

import asyncio
import os
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

from msgspec import field

from token_tracking.errors import SourceError
from token_tracking.ingest.portion import UNSAVED_PORTIONS, Portion, ingest_portions
from token_tracking.ingest.worker import Worker, WorkerError
from token_tracking.reading import FoundFile, stored_path
from token_tracking.sources.claude_code import claude_folders, transcripts
from token_tracking.store import TokenStore

_PORTION_BYTES: Final = 1 << 23
_PARALLEL_BYTES: Final = 1 << 25
"""Below this a second process would start for longer than it helps."""
_GIVEN_AHEAD: Final = UNSAVED_PORTIONS + 1
"""The other process never waits for an order with something unsaved."""

Progress = Callable[[int, int], None]
"""Bytes done, and bytes in all."""


class Ingested(Portion, kw_only=True):
    """What one ingestion brought. `folders` were read; of the `found` files there, those
    `unchanged` had been read before."""

    folders: list[Path] = field(default_factory=list[Path])
    found: int = 0
    unchanged: int = 0


async def ingest_claude_code(
    store: TokenStore,
    folders: Sequence[Path] = (),
    *,
    environment: Mapping[str, str] | None = None,
    progress: Progress | None = None,
) -> Ingested:
    """Bring the ledger up to date with Claude Code's transcripts.

    `folders` replace the default ones (see `claude_folders`). Ingesting again, at the same time
    or from a copy changes nothing: each message counts once.

    Raises:
        SourceError: folders were given, and none of them can be read.
        StoreError: the database cannot be written. What was saved before stays.
    """
    failures: dict[str, str] = {}
    roots = claude_folders(folders, os.environ if environment is None else environment)
    present = [root for root in roots if root.is_dir()]
    if folders and not present:
        raise SourceError(
            f"{', '.join(map(str, roots))}: no such folder. Give the folder that holds `projects`."
        )
    found = [file for root in present for file in transcripts(root, failures)]
    states = await store.file_states()
    changed = [file for file in found if not file.is_unchanged(states.get(stored_path(file.path)))]
    result = Ingested(
        folders=present,
        found=len(found),
        unchanged=len(found) - len(changed),
        failures=failures,
    )
    if changed:
        await _Run(store, changed, states, progress).into(result)
    return result


class _Run:
    """The portions still to do, and who does them."""

    def __init__(
        self,
        store: TokenStore,
        changed: Sequence[FoundFile],
        states: Mapping[str, FoundFile],
        progress: Progress | None,
    ) -> None:
        self._store = store
        self._known = set(states)
        self._total = sum(_unread(file, states) for file in changed)
        self._todo = deque(_portions(changed, states))
        self._progress = progress
        self._done = 0

    async def into(self, result: Portion) -> None:
        """Do them all."""
        if self._progress is not None:
            self._progress(0, self._total)
        if self._total < _PARALLEL_BYTES or (os.cpu_count() or 1) < 2:
            await self._alone(result)
            return
        worker = await Worker.start(self._store)
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._with(worker, result))
                tasks.create_task(self._alone(result))
        except BaseExceptionGroup as group:
            raise group.exceptions[0] from group
        finally:
            await worker.stop()
        await self._alone(result)

    async def _alone(self, result: Portion) -> None:
        async def take() -> list[FoundFile] | None:
            return self._todo.popleft() if self._todo else None

        await ingest_portions(
            self._store, self._known, take, lambda portion: self._count(portion, result)
        )

    async def _with(self, worker: Worker, result: Portion) -> None:
        """Keep the worker busy: it reads one portion while it saves the one before."""
        given: deque[list[FoundFile]] = deque()
        finished = False
        try:
            while given or (self._todo and not finished):
                while self._todo and not finished and len(given) < _GIVEN_AHEAD:
                    given.append(self._todo.pop())
                    await worker.give(given[-1], self._known)
                if not self._todo and not finished:
                    finished = True
                    await worker.finish()
                self._count(await worker.answer(), result)
                given.popleft()
        except WorkerError:
            self._todo.extend(given)

    def _count(self, portion: Portion, result: Portion) -> None:
        result.add(portion)
        self._done += portion.bytes_read
        if self._progress is not None:
            self._progress(min(self._done, self._total), self._total)


def _unread(file: FoundFile, states: Mapping[str, FoundFile]) -> int:
    known = states.get(stored_path(file.path))
    return file.size if known is None or known.size > file.size else file.size - known.size


def _portions(files: Sequence[FoundFile], states: Mapping[str, FoundFile]) -> list[list[FoundFile]]:
    portions: list[list[FoundFile]] = [[]]
    size = 0
    for file in files:
        portions[-1].append(file)
        size += _unread(file, states)
        if size >= _PORTION_BYTES:
            portions.append([])
            size = 0
    return [portion for portion in portions if portion]
