"""`token-tracking limits`."""

from datetime import tzinfo
from typing import Any

from msgspec.structs import asdict

from token_tracking.metrics import time_zone
from token_tracking_server.cli import output
from token_tracking_server.cli.rows import iso
from token_tracking_server.limit_words import NONE, amount, expected, moment, notes, whose
from token_tracking_server.limits import Limits, limits_file, read_limits
from token_tracking_server.settings import Settings

_TIMES = frozenset({"starts_at", "resets_at", "forecast_at", "raised_at"})


def run(settings: Settings, *, as_json: bool) -> int:
    """Show how far the gateway's quotas are used, and what was alerted."""
    zone = time_zone(settings.timezone)
    limits = read_limits(limits_file(settings))
    if as_json:
        quotas = [_fields(each, zone) for each in limits.quotas]
        alerts = [{"text": str(each), **_fields(each, zone)} for each in limits.alerts]
        output.json({"timezone": str(zone), "quotas": quotas, "alerts": alerts})
    elif not limits.quotas:
        output.line(NONE)
    else:
        _print(limits, zone)
    return 0


def _fields(value: Any, zone: tzinfo) -> dict[str, Any]:
    return {
        name: iso(each, zone) if name in _TIMES and each is not None else each
        for name, each in asdict(value).items()
    }


def _print(limits: Limits, zone: tzinfo) -> None:
    from rich.table import Table

    from token_tracking_server.cli.tables import console

    table = Table(box=None, header_style="bold", pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("Quota", overflow="fold", min_width=12)
    for name in ("Used", "Held", "Limit", "Share"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("Resets", no_wrap=True)
    table.add_column("Full", no_wrap=True)
    for each in limits.quotas:
        limit = amount(each.limit) + ("" if each.is_hard else " *")
        table.add_row(
            whose(each),
            amount(each.used),
            amount(each.reserved),
            limit,
            f"{each.share:.0%}",
            moment(each.resets_at, zone),
            expected(each, zone),
        )
    out = console()
    out.print(table)
    if any(not each.is_hard for each in limits.quotas):
        out.print("* a soft quota: it alerts, and refuses nothing.")
    out.print("Full: at the pace since the period's first request (estimated).")
    for note in notes(limits.quotas):
        out.print(note)
    for alert in limits.alerts[:3]:
        out.print(f"{moment(alert.raised_at, zone)} {output.plain(str(alert))}")
