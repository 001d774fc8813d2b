"""`token-tracking reconcile`: the ledger against what others counted."""

from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from token_tracking.metrics import parse_period
from token_tracking_server.cli import output
from token_tracking_server.cli.ledger import opened
from token_tracking_server.cli.settling import brought_up_to_date
from token_tracking_server.settings import Settings

if TYPE_CHECKING:
    from token_tracking.efficiency.snapshot import Reconciled

_ESTIMATED: Final = "estimated"
_HOW_TO_GET_TOTALS: Final = (
    "Claude Code writes its own total into a transcript when a session ends, in newer versions."
)


async def run(settings: Settings, *, period: str, admin: bool, as_json: bool, ingest: bool) -> int:
    """Bring the ledger up to date, and compare it with the client's own totals; with `admin`, with
    the organisation's reports."""
    if admin:
        from token_tracking_server.cli.reconcile_admin import run as run_admin

        return await run_admin(settings, period=period, as_json=as_json, ingest=ingest)
    async with opened(settings) as (store, metrics):
        parse_period(period, metrics.zone)
        await brought_up_to_date(store, settings, ingest=ingest)
        found = await metrics.get_reconciliation(period, settle=False)
    if as_json:
        output.json({"period": period, **reconciled_fields(found)})
    else:
        _print(found, period)
    return 0


def reconciled_fields(found: "Reconciled") -> dict[str, Any]:
    """USD, `None` where no session has a total. The parts make up the difference, exactly."""
    return {
        "sessions": found.sessions,
        "sessions_without_total": found.sessions_without_total,
        "client_usd": found.client_usd,
        "ledger_usd": found.ledger_usd,
        "difference_usd": found.difference_usd,
        "explained": {
            "partial_output_usd": found.partial_output_usd,
            "unseen_calls_usd": found.unseen_calls_usd,
            "basis": _ESTIMATED,
        },
        "unexplained_usd": found.unexplained_usd,
        "reasons": found.reasons,
    }


def _print(found: "Reconciled", period: str) -> None:
    from rich.table import Table

    from token_tracking_server.cli.tables import console

    out = console()
    if not found.sessions:
        when = "" if period in {"all", "all_time"} else f" in the period {period}"
        out.print(f"No session with a total of the client's own{when}. {_HOW_TO_GET_TOTALS}")
    else:
        table = Table(box=None, header_style="bold", pad_edge=False, padding=(0, 2, 0, 0))
        table.add_column(output.counted(found.sessions, "session"), overflow="fold")
        table.add_column("USD", justify="right", no_wrap=True)
        for label, amount in _lines(found):
            table.add_row(label, _exact(amount))
        out.print(table)
    for reason in found.reasons:
        out.print(reason)


def _lines(found: "Reconciled") -> list[tuple[str, Decimal | None]]:
    return [
        ("Claude Code's own total", found.client_usd),
        ("The ledger", found.ledger_usd),
        ("Difference", found.difference_usd),
        (f"  answers without a final count ({_ESTIMATED})", found.partial_output_usd),
        (f"  calls that stand in no transcript ({_ESTIMATED})", found.unseen_calls_usd),
        ("  not explained", found.unexplained_usd),
    ]


def _exact(usd: Decimal | None) -> str:
    """Cents that add up to the eye would hide small parts: to a hundredth of one."""
    return "unknown" if usd is None else f"{usd.quantize(Decimal('0.0001')):,}"
