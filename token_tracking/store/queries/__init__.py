"""The named queries: `.sql` files, read by aiosql."""

from functools import cache
from pathlib import Path
from typing import Any, Final

import aiosql

_FOLDER: Final = Path(__file__).parent
_LATER: Final = ("loads.sql", "share_reads.sql", "shares.sql")
"""Files that most reports need nothing of: to read one takes some milliseconds. They are read one
by one, in this order, until one of them has the query that was asked for."""


class _Queries:
    """The queries by name; those of `_LATER` are read when the first of them is asked for."""

    def __init__(self) -> None:
        files = sorted(file for file in _FOLDER.glob("*.sql") if file.name not in _LATER)
        self._now = _load(files)

    def __getattr__(self, name: str) -> Any:
        # Python asks here for what is not set: each query once.
        if name.startswith("_"):
            raise AttributeError(name)
        found = getattr(self._now, name, None) or _find(name)
        setattr(self, name, found)
        return found


@cache
def load_queries() -> Any:
    """All named queries, as aiosql gives them for aiosqlite."""
    return _Queries()


def _find(name: str) -> Any:
    for file in _LATER:
        found = getattr(_later(file), name, None)
        if found is not None:
            return found
    raise AttributeError(f"no query is named {name}")


@cache
def _later(file: str) -> Any:
    return _load([_FOLDER / file])


def _load(files: list[Path]) -> Any:
    load: Any = aiosql.from_str  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
    text = "\n\n".join(file.read_text(encoding="utf-8") for file in files)
    return load(text, "aiosqlite", mandatory_parameters=False)
