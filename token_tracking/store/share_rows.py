"""What a session was attributed, as rows."""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from msgspec.json import encode
from msgspec.structs import astuple

from token_tracking.shares import (
    FACT_FIELDS,
    SHARE_FIELDS,
    Facts,
    Finding,
    ItemRecord,
    SessionShares,
    ShareSums,
)
from token_tracking.store.bulk import Bulk

Row = tuple[int, ...]

_ITEM: Final = (
    "session_id",
    "number",
    "message_id",
    "item",
    "label_id",
    "entered_at",
    "entered_with",
    "requests",
    "tokens",
    "prompt_tokens",
    "cost_pico",
    "no_cache_pico",
    "first_pico",
    "is_measured",
    "has_uri",
)
_QUARTER: Final = ("session_id", "quarter", "label_id", *SHARE_FIELDS)
_FACTS: Final = ("session_id", "quarter", *FACT_FIELDS)
NO_SUMS: Final = astuple(ShareSums())
_NO_FACTS: Final = astuple(Facts())


class ShareStatements:
    """The statements that take many rows at once."""

    def __init__(self, queries: Any) -> None:
        self.queries = queries
        self.item = Bulk(queries.insert_item_share.sql, _ITEM)
        self.quarter = Bulk(queries.insert_share_quarter.sql, _QUARTER)
        self.facts = Bulk(queries.insert_fact_quarter.sql, _FACTS)


class StoredSession(NamedTuple):
    """A session's row, that of its project, and whether something is stored of it."""

    row: int
    project: int
    is_stored: bool


def facts_by_quarter(shares: SessionShares) -> dict[int, Row]:
    """The facts by quarter, with a row for each quarter that there are sums of."""
    facts: dict[int, Row] = {quarter: _NO_FACTS for quarter, _ in shares.sums}
    for quarter, each in shares.facts.items():
        facts[quarter] = astuple(each)
    return facts


def attribution_row(
    shares: SessionShares, sessions: Mapping[str, StoredSession], version: int
) -> dict[str, Any]:
    """The row of `attributions`."""
    entered = [item.entered_at for item in shares.items if item.entered_at is not None]
    return {
        "session_id": sessions[shares.session_id].row,
        "version": version,
        "prompt_tokens": shares.prompt_tokens,
        "prompt_pico": shares.prompt_pico,
        "details": encode(shares.details).decode(),
        "problem": shares.problem,
        "first_at": min(entered, default=None),
        "last_at": max(entered, default=None),
        "top_cost": max((item.cost_pico or 0 for item in shares.items), default=0),
        "top_tokens": max((item.tokens or 0 for item in shares.items), default=0),
        "top_carried": max((item.prompt_tokens for item in shares.items), default=0),
    }


def entry_order(item: ItemRecord) -> tuple[bool, int, str]:
    """The order in which items entered; last those that never did."""
    return (item.entered_at is None, item.entered_at or 0, item.id)


def clustered(row: Row) -> tuple[int, int, int]:
    """The order in which rows stand in the table."""
    return (row[1], row[0], row[2])


def finding_row(session: int, number: int, finding: Finding, subject: int) -> dict[str, Any]:
    """A finding of the session in row `session`."""
    return {
        "session_id": session,
        "number": number,
        "kind": finding.kind,
        "subject_id": subject,
        "at": finding.at,
        "pico": finding.pico,
        "tokens": finding.tokens,
        "count": finding.count,
        "is_measured": int(finding.is_measured),
        "item": finding.item,
    }
