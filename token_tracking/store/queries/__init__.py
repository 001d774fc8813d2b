"""The named queries: `.sql` files, read by aiosql."""

import re
from functools import cache
from pathlib import Path
from typing import Any, Final

import aiosql

_FOLDER: Final = Path(__file__).parent
_LATER: Final = (
    "loads.sql",
    "share_reads.sql",
    "group_reads.sql",
    "shares.sql",
    "rollups.sql",
    "conversations.sql",
)
"""Files that most reports need nothing of: to read all of their queries takes some milliseconds, so
that each is read when it is asked for."""

_NAME: Final = re.compile(r"^-- name: (\w+)", re.MULTILINE)


class _Queries:
    """The queries by name; those of `_LATER` are read when they are asked for."""

    def __init__(self) -> None:
        files = sorted(file for file in _FOLDER.glob("*.sql") if file.name not in _LATER)
        self._now = _load("\n\n".join(file.read_text(encoding="utf-8") for file in files))

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
    text = _later().get(name)
    if text is None:
        raise AttributeError(f"no query is named {name}")
    return getattr(_load(text), name)


@cache
def _later() -> dict[str, str]:
    """The text of each query of `_LATER` by its name."""
    text = "\n\n".join((_FOLDER / name).read_text(encoding="utf-8") for name in _LATER)
    places = [(match[1], match.start()) for match in _NAME.finditer(text)]
    ends = [*(start for _, start in places[1:]), len(text)]
    return {name: text[start:end] for (name, start), end in zip(places, ends, strict=True)}


def _load(text: str) -> Any:
    load: Any = aiosql.from_str  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
    return load(text, "aiosqlite", mandatory_parameters=False)
