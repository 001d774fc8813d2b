"""What a session was attributed, as rows."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from msgspec.json import encode
from msgspec.structs import astuple

from token_tracking.shares import (
    FACT_FIELDS,
    QUARTER_MS,
    SHARE_FIELDS,
    Facts,
    Finding,
    ItemRecord,
    SessionShares,
    ShareSums,
)
from token_tracking.store.bulk import Bulk
from token_tracking.store.spans import DAY_QUARTERS

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
_QUARTER: Final = ("quarter", "session_id", "label_id", *SHARE_FIELDS)
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
    items = shares.items
    entered = [item.entered_at for item in items if item.entered_at is not None]
    return {
        "session_id": sessions[shares.session_id].row,
        "version": version,
        "prompt_tokens": shares.prompt_tokens,
        "prompt_pico": shares.prompt_pico,
        "details": encode(shares.details).decode(),
        "problem": shares.problem,
        "first_at": min(entered, default=None),
        "last_at": max(entered, default=None),
        "top_cost": max([item.cost_pico or 0 for item in items], default=0),
        "top_tokens": max([item.tokens or 0 for item in items], default=0),
        "top_carried": max([item.prompt_tokens for item in items], default=0),
    }


def entry_order(item: ItemRecord) -> tuple[bool, int, str]:
    """The order in which items entered; last those that never did."""
    return (item.entered_at is None, item.entered_at or 0, item.id)


def finding_rows(
    session: int, findings: Sequence[Finding], subjects: Mapping[str, int]
) -> list[dict[str, Any]]:
    """The findings of the session in row `session`."""
    first: dict[tuple[str, str], tuple[int, int]] = {}
    for number, each in enumerate(findings):
        key = (each.kind, each.subject)
        first[key] = min(first.get(key, (each.at, number)), (each.at, number))
    return [
        {
            "session_id": session,
            "number": number,
            "kind": each.kind,
            "subject_id": subjects[each.subject],
            "at": each.at,
            "pico": each.pico,
            "tokens": each.tokens,
            "count": each.count,
            "is_measured": int(each.is_measured),
            "item": each.item,
            "is_first": int(first[each.kind, each.subject] == (each.at, number)),
        }
        for number, each in enumerate(findings)
    ]


def finding_key(row: Mapping[str, Any]) -> tuple[int, str, int]:
    """The day, kind and subject of a finding's row."""
    return (row["at"] // (DAY_QUARTERS * QUARTER_MS), row["kind"], row["subject_id"])


def finding_sums(row: Mapping[str, Any]) -> Row:
    """What a finding's row adds to the kept sums."""
    return (row["pico"], row["tokens"], row["count"], 1, row["is_measured"], row["is_first"])
