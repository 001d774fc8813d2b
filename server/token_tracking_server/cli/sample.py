"""The sample that ships with token-tracking, in a ledger that does not last."""

import shutil
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from secrets import token_hex
from typing import Final

from filelock import FileLock, Timeout
from msgspec.structs import replace

from token_tracking_server.settings import Settings

SAMPLE: Final = Path(__file__).parents[1] / "sample"


def samples_folder(settings: Settings) -> Path:
    """Where the sample's ledgers stand while they last: beside the user's own."""
    return settings.catalog_folder().parent / "samples"


@contextmanager
def sample_ledger(settings: Settings) -> Generator[Settings]:
    """The settings with an empty ledger of its own, which the sample is read into. What a process
    that was killed left of one is removed."""
    samples = samples_folder(settings)
    samples.mkdir(parents=True, exist_ok=True)
    _remove_abandoned(samples)
    lock = samples / f"{token_hex(8)}.lock"
    with FileLock(lock):
        try:
            folder = lock.with_suffix("")
            folder.mkdir()
            yield replace(settings, database=str(folder / "sample.db"), claude_dirs=(SAMPLE,))
        finally:
            _remove(lock)


def _remove_abandoned(samples: Path) -> None:
    """The lock of a process is gone with it, however it ended."""
    for path in samples.glob("*.lock"):
        lock = FileLock(path)
        try:
            with lock.acquire(blocking=False):
                _remove(path)
        except (OSError, Timeout):
            continue


def _remove(lock: Path) -> None:
    shutil.rmtree(lock.with_suffix(""), ignore_errors=True)
    try:
        lock.unlink(missing_ok=True)
    except OSError:
        return  # on Windows it is open: the next one removes it
