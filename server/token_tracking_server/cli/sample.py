"""The sample that ships with token-tracking, in a ledger that does not last."""

import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from msgspec.structs import replace

from token_tracking_server.settings import Settings

SAMPLE: Final = Path(__file__).parents[1] / "sample"


@contextmanager
def sample_ledger(settings: Settings) -> Generator[Settings]:
    """The settings with an empty ledger of its own, which the sample is read into."""
    with tempfile.TemporaryDirectory() as folder:
        database = str(Path(folder) / "sample.db")
        yield replace(settings, database=database, claude_dirs=(SAMPLE,))
