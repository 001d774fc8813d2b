"""When something in the folders changes."""

import asyncio
import logging
import os
import sys
from collections.abc import AsyncGenerator, Callable, Collection
from contextlib import aclosing
from typing import Final

from token_tracking_server.content.roots import NOT_CONTENT, Roots, Visited

_LOOK_MILLISECONDS: Final = 5_000
"""How often roots are looked for that are missing, or were replaced."""

_QUIET_MILLISECONDS: Final = 50
_LONGEST_MILLISECONDS: Final = 1_000
"""A change is told when nothing followed it for so long: editors write a file in steps."""

_POLL_SECONDS: Final = 2.0
_POLLS: Final = 30
"""Looks without a watch, before another watch is tried."""

_WHOLE_TREES: Final = sys.platform in {"darwin", "win32"}
"""These systems watch a folder with all below it at no cost, and follow no links. Others need a
watch for each folder: only those have one that the library looks into."""

_Folders = Collection[Visited]
_logger: Final = logging.getLogger(__name__)


async def changes(
    roots: Roots, visited: Callable[[], _Folders], stop: asyncio.Event
) -> AsyncGenerator[None]:
    """Yields each time that something may have happened in the folders that the last look visited,
    or that a root came or went, until `stop` is set: who iterates looks anew each time. To end it
    at once, set `stop` and go on iterating."""
    while not stop.is_set():
        folders = visited()
        if not folders:
            if await _wait(stop, _LOOK_MILLISECONDS / 1000):
                yield
            continue
        try:
            async with aclosing(_watched(roots, folders, stop)) as seen:
                async for _ in seen:
                    yield
                    if visited() != folders:
                        break
        except Exception as error:  # noqa: BLE001 (the watcher's own errors have no common base)
            # As a rule the system's limit on watches, a folder that went just now, or a name that
            # is no Unicode.
            _logger.warning("The library's folders are polled, as no watch is possible: %s", error)
            for _ in range(_POLLS):
                yield
                if not await _wait(stop, _POLL_SECONDS):
                    break


async def _watched(roots: Roots, folders: _Folders, stop: asyncio.Event) -> AsyncGenerator[None]:
    # A start without a library needs it not.
    from watchfiles._rust_notify import RustNotify  # noqa: PLC0415

    paths = sorted(each.path for each in folders)
    watched = _tops(paths) if _WHOLE_TREES else paths
    there = roots.identities()
    ended = _Ended(stop)
    loop = asyncio.get_running_loop()
    with await loop.run_in_executor(
        None,
        lambda: RustNotify(
            watched,
            debug=False,
            force_polling=False,
            poll_delay_ms=0,
            recursive=_WHOLE_TREES,
            ignore_permission_denied=True,
        ),
    ) as watcher:
        # What changed before there was a watch is seen now.
        yield
        while not stop.is_set():
            waiting = loop.run_in_executor(
                None,
                lambda: watcher.watch(
                    _LONGEST_MILLISECONDS, _QUIET_MILLISECONDS, _LOOK_MILLISECONDS, ended
                ),
            )
            try:
                seen = await asyncio.shield(waiting)
            except asyncio.CancelledError:
                ended.now = True
                await asyncio.wait({waiting})
                raise
            before, there = there, roots.identities()
            if there != before or _is_told(seen, set(paths)):
                yield


class _Ended:
    """What the watcher's thread asks whether to end."""

    def __init__(self, stop: asyncio.Event) -> None:
        self._stop = stop
        self.now = False

    def is_set(self) -> bool:
        return self.now or self._stop.is_set()


def _is_told(seen: set[tuple[int, str]] | str, folders: Collection[str]) -> bool:
    """Whether one of the folders changed, or an entry of one that is not hidden."""
    if isinstance(seen, str):
        return False
    return any(
        path in folders or (not _is_hidden(name) and folder in folders)
        for path in (path for _, path in seen)
        for folder, name in [os.path.split(path)]
    )


def _is_hidden(name: str) -> bool:
    return name.startswith(".") or name in NOT_CONTENT


def _tops(paths: list[str]) -> list[str]:
    """Of sorted folders those that stand in none of the others."""
    tops: list[str] = []
    for path in paths:
        if not any(path.startswith(top.rstrip(os.sep) + os.sep) for top in tops):
            tops.append(path)
    return tops


async def _wait(stop: asyncio.Event, seconds: float) -> bool:
    """Whether the time went by without a stop."""
    try:
        await asyncio.wait_for(stop.wait(), seconds)
    except TimeoutError:
        return True
    return False
