"""The named queries: `.sql` files, read by aiosql."""

from functools import cache
from pathlib import Path
from typing import Any

import aiosql


@cache
def load_queries() -> Any:
    """All named queries, as aiosql gives them for aiosqlite."""
    load: Any = aiosql.from_path  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
    return load(Path(__file__).parent, "aiosqlite", mandatory_parameters=False)
