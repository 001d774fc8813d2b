"""When something in the folders changes."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from pathlib import Path
from typing import Any, Final

_LOOK_MILLISECONDS: Final = 5_000
"""How often folders that are missing are looked for."""

_QUIET_MILLISECONDS: Final = 50
_LONGEST_MILLISECONDS: Final = 1_000
"""A change is told when nothing followed it for so long: editors write a file in steps."""

_POLL_MILLISECONDS: Final = 2_000

_logger: Final = logging.getLogger(__name__)


async def changes(folders: Sequence[Path], stop: asyncio.Event) -> AsyncGenerator[None]:
    """Yields each time that something happened in the folders, or that one came or went, until
    `stop` is set. To end it at once, set `stop` and go on iterating."""
    polling = False
    while not stop.is_set():
        there = _existing(folders)
        if not there:
            await _wait(stop)
        else:
            try:
                async with aclosing(_watch(there, folders, stop, polling=polling)) as seen:
                    async for _ in seen:
                        yield
            except OSError as error:
                # As a rule the system's limit on watches; or a folder that went just now.
                polling = there == _existing(folders)
                _logger.warning("The library's folders cannot be watched: %s", error)
                await _wait(stop)
        if _existing(folders) != there:
            yield


async def _watch(
    there: Sequence[Path], folders: Sequence[Path], stop: asyncio.Event, *, polling: bool
) -> AsyncGenerator[None]:
    """Ends when a folder came or went."""
    # A start without a library needs it not.
    from watchfiles import awatch  # noqa: PLC0415  # pyright: ignore[reportUnknownVariableType]

    def is_content(_change: Any, path: str) -> bool:
        return any(_is_shown(Path(path), folder) for folder in there)

    async with aclosing(
        awatch(
            *there,
            watch_filter=is_content,
            debounce=_LONGEST_MILLISECONDS,
            step=_QUIET_MILLISECONDS,
            stop_event=stop,
            rust_timeout=_LOOK_MILLISECONDS,
            yield_on_timeout=True,
            force_polling=polling or None,
            poll_delay_ms=_POLL_MILLISECONDS,
            ignore_permission_denied=True,
        )
    ) as seen:
        async for changed in seen:
            if changed:
                yield
            if _existing(folders) != list(there):
                return


def _is_shown(path: Path, folder: Path) -> bool:
    """Whether no part of a path below the folder is hidden. Where a system tells other names than
    were asked for, better one look too many."""
    if not path.is_relative_to(folder):
        return True
    return not any(part.startswith(".") for part in path.relative_to(folder).parts)


def _existing(folders: Sequence[Path]) -> list[Path]:
    return [folder for folder in folders if folder.is_dir()]


async def _wait(stop: asyncio.Event) -> None:
    try:
        await asyncio.wait_for(stop.wait(), _LOOK_MILLISECONDS / 1000)
    except TimeoutError:
        return
