"""A progress bar, on a terminal only."""

import sys
from collections.abc import Generator
from contextlib import contextmanager
from typing import Literal

from token_tracking.ingest import Progress


@contextmanager
def progress_bar(
    what: str = "Reading transcripts", *, of: Literal["bytes", "files"] = "bytes"
) -> Generator[Progress | None]:
    """Shows how much is done on standard error; nothing where that is no terminal."""
    if not (sys.stderr and sys.stderr.isatty()):
        yield None
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        DownloadColumn,
        MofNCompleteColumn,
        TextColumn,
        TimeRemainingColumn,
    )
    from rich.progress import Progress as Bar

    with Bar(
        TextColumn(what),
        BarColumn(),
        DownloadColumn() if of == "bytes" else MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
    ) as bar:
        task = bar.add_task("", total=None)

        def show(done: int, total: int) -> None:
            bar.update(task, completed=done, total=total)

        yield show
