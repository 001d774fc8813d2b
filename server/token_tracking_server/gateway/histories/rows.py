"""Sessions as rows of the database."""

import json
from typing import Any, Final

from msgspec import convert

from token_tracking_server.gateway.histories.queries import BILLED, COLUMNS
from token_tracking_server.gateway.histories.values import Session

_JSON: Final = frozenset({"budget", "system", "tools"})


def as_json(value: Any) -> str:
    """A value as text that SQLite takes, and that decodes to the same value: halves of surrogate
    pairs, which tools do return, stay escaped."""
    return json.dumps(value, ensure_ascii=True, separators=(",", ":"))


def as_row(session: Session) -> tuple[Any, ...]:
    """The columns of a session that `add` writes."""
    return tuple(_stored(name, getattr(session, name)) for name in COLUMNS)


def as_session(row: tuple[Any, ...]) -> Session:
    """The session of a row."""
    named: dict[str, Any] = dict(zip((*COLUMNS, *BILLED), row, strict=True))
    for name in _JSON:
        named[name] = None if named[name] is None else json.loads(named[name])
    return convert(named, Session)


def _stored(name: str, value: Any) -> Any:
    return as_json(value) if name in _JSON and value is not None else value
