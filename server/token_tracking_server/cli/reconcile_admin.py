"""`token-tracking reconcile --admin`: the ledger against the organisation's reports."""

import os
import time
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, Final

from token_tracking.metrics import parse_period
from token_tracking.pricing import usd
from token_tracking_server.cli import output
from token_tracking_server.cli.fitting import shortened, width_of
from token_tracking_server.cli.ledger import bring_up_to_date, opened
from token_tracking_server.cli.output import plain
from token_tracking_server.figures import money, tokens
from token_tracking_server.settings import Settings

if TYPE_CHECKING:
    from token_tracking.admin import AdminClient, Comparison, DayModel
    from token_tracking.admin.comparison import Reason
    from token_tracking.store import Sums

_DAY_MS: Final = 86_400_000
_LONGEST_DAYS: Final = 365
"""What the Usage and Cost Analytics API looks back, at most."""
_HEADINGS: Final = ("UTC day", "Model", "Ledger", "Reported", "USD", "Reported", "Why")
_MODEL: Final = 1
_LEAST_MODEL: Final = 12
_NAMES: Final = {
    "analytics": "the Usage and Cost Analytics API",
    "reports": "the usage and cost reports",
}


async def run(settings: Settings, *, period: str, as_json: bool, ingest: bool) -> int:
    """Bring the ledger up to date, ask for the reports, and show both.

    Raises:
        AdminError: there is no admin key, it is refused, or nothing answers as it should.
    """
    from token_tracking.admin import AdminClient, Credentials, ledger_days

    credentials = Credentials.from_environment(os.environ)
    async with opened(settings) as (store, metrics):
        chosen = parse_period(period, metrics.zone)
        if ingest:
            await bring_up_to_date(store, settings)
        cells = ledger_days(await store.totals("quarter"))
    first, end = _days(chosen.start, chosen.end, min((day for day, _ in cells), default=None))
    async with AdminClient(credentials) as client:
        found = await _compared(client, cells, first, end)
    if as_json:
        output.json({"host": credentials.host, **_fields(found)})
    else:
        _print(found)
        _name_host(credentials.host)
    return 0


async def _compared(
    client: "AdminClient", cells: "dict[tuple[int, str], Sums]", first: int, end: int
) -> "Comparison":
    from token_tracking.admin import (
        AdminError,
        claude_code_rows,
        compare,
        organization_report,
        unsettled_days,
        with_users,
    )

    found = compare(cells, await organization_report(client, first, end))
    try:
        return with_users(found, await claude_code_rows(client, unsettled_days(found)))
    except AdminError:
        return found  # who used Claude Code only makes a reason more precise


def _days(start: int | None, end: int | None, first_known: int | None) -> tuple[int, int]:
    """The whole UTC days that hold a period, up to today; of an open one those that the ledger
    has, a year at most."""
    today = time.time_ns() // (1_000_000 * _DAY_MS)
    last = today + 1 if end is None else min(today + 1, -(-end // _DAY_MS))
    if start is not None:
        return start // _DAY_MS, last
    return max(today if first_known is None else first_known, last - _LONGEST_DAYS), last


def _fields(found: "Comparison") -> dict[str, Any]:
    """Days are UTC, and `end` is the first that is left out. USD are before discounts, but for
    `paid_usd`; `None` where that side has none."""
    from token_tracking.admin.comparison import REASONS

    return {
        "source": found.source,
        "start": _date(found.first_day),
        "end": _date(found.end_day),
        "api_keys": found.api_keys,
        "ledger_usd": usd(found.ledger_pico),
        "organization_usd": _usd(found.organization_pico),
        "paid_usd": _usd(found.paid_pico),
        "problem": found.problem,
        "rows": [_row_fields(row) for row in found.rows],
        "reasons": {name: REASONS[name] for name in _used(found)},
    }


def _row_fields(row: "DayModel") -> dict[str, Any]:
    return {
        "day": _date(row.day),
        "model": row.model or None,
        "ledger": None if row.ledger is None else _counts(row.ledger),
        "organization": None if row.organization is None else _counts(row.organization),
        "difference_tokens": row.difference_tokens,
        "claude_code_users": row.claude_code_users,
        "ledger_usd": _usd(row.ledger_pico),
        "organization_usd": _usd(row.organization_pico),
        "paid_usd": _usd(row.paid_pico),
        "reason": row.reason,
    }


def _counts(counts: Any) -> dict[str, int]:
    names = ("input", "cache_read", "cache_write_5m", "cache_write_1h", "output")
    return {f"{name}_tokens": getattr(counts, f"{name}_tokens") for name in names}


def _print(found: "Comparison") -> None:
    from rich.table import Table

    from token_tracking.admin.comparison import REASONS
    from token_tracking_server.cli.tables import console

    out = console()
    until = _date(found.end_day - 1)
    if not found.rows:
        out.print(f"Neither side has anything from {_date(found.first_day)} to {until} (UTC days).")
        return
    used = _used(found)
    letters = {reason: chr(ord("a") + index) for index, reason in enumerate(used)}
    table = Table(box=None, header_style="bold", pad_edge=False, padding=(0, 1, 0, 0))
    for name in _HEADINGS:
        figure = name in {"Ledger", "Reported", "USD"}
        table.add_column(name, justify="right" if figure else "left", no_wrap=True)
    rows = [[*_cells(row), letters[row.reason]] for row in found.rows]
    total = ["Total", "", "", "", _money(found.ledger_pico), _money(found.organization_pico), ""]
    columns = list(zip(_HEADINGS, total, *rows, strict=True))
    others = sum(width_of(column) + 1 for index, column in enumerate(columns) if index != _MODEL)
    room = max(_LEAST_MODEL, out.width - others - 1)
    for row in rows:
        table.add_row(*row[:_MODEL], shortened(row[_MODEL], room), *row[_MODEL + 1 :])
    table.add_section()
    table.add_row(*total)
    out.print(table)
    for reason in used:
        out.print(f"{letters[reason]}: {REASONS[reason]}.")
    out.print(
        f"Tokens and USD of the ledger, and of {_NAMES[found.source]}, from"
        f" {_date(found.first_day)} to {until}: {output.counted(found.api_keys, 'API key')}."
        " Reports are a few minutes late, and name no machine."
    )
    if _money(found.paid_pico) != _money(found.organization_pico):
        out.print(f"After discounts the organisation paid {_money(found.paid_pico)}.")
    if found.problem:
        out.print(f"No cost: {plain(found.problem)}")


def _name_host(host: str) -> None:
    """Who got the key and answered, if it is not Anthropic."""
    from token_tracking.admin.credentials import DEFAULT_HOST, URL_VARIABLE
    from token_tracking_server.cli.tables import console

    if host != DEFAULT_HOST:
        console().print(f"These reports are from {host} ({URL_VARIABLE}), not {DEFAULT_HOST}.")


def _cells(row: "DayModel") -> list[str]:
    def total(side: "Sums | Any | None") -> str:
        return "-" if side is None else tokens(side.total_tokens)

    return [
        _date(row.day),
        plain(row.model) or "(no model)",
        total(row.ledger),
        total(row.organization),
        _money(row.ledger_pico),
        _money(row.organization_pico),
    ]


def _used(found: "Comparison") -> "list[Reason]":
    """The reasons that a comparison gives, those with the most money first."""
    weights: dict[Reason, int] = {}
    for row in found.rows:
        amount = abs((row.organization_pico or 0) - (row.ledger_pico or 0))
        weights[row.reason] = weights.get(row.reason, 0) + amount
    return sorted(weights, key=lambda reason: (-weights[reason], reason))


def _usd(pico: int | None) -> Any:
    return None if pico is None else usd(pico)


def _money(pico: int | None) -> str:
    return "-" if pico is None else money(usd(pico))


def _date(day: int) -> str:
    return (date(1970, 1, 1) + timedelta(days=day)).isoformat()
