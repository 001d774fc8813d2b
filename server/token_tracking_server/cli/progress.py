"""A progress bar, on a terminal only."""

import sys
from collections.abc import Generator
from contextlib import contextmanager

from token_tracking.ingest import Progress


@contextmanager
def progress_bar() -> Generator[Progress | None]:
    """Shows bytes done on standard error; nothing where that is no terminal."""
    if not (sys.stderr and sys.stderr.isatty()):
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    with Bar(
        TextColumn("Reading transcripts"),
        BarColumn(),
        DownloadColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
    ) as bar:
        task = bar.add_task("", total=None)

        def show(done: int, total: int) -> None:
            bar.update(task, completed=done, total=total)

        yield show
