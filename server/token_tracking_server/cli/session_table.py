"""Where a session's prompts' money went, for a terminal."""

from typing import Final

from token_tracking.efficiency.session_timeline import Timeline
from token_tracking.efficiency.snapshot import Reconciled
from token_tracking_server.cli.advice_text import findings
from token_tracking_server.cli.group_table import BASIS, group_table
from token_tracking_server.cli.output import counted, plain
from token_tracking_server.cli.tables import console
from token_tracking_server.figures import money, tokens

ITEMS: Final = 10


def print_where(timeline: Timeline) -> None:
    """The dearest items, what need not have been paid, and the client's own total."""
    out = console()
    out.print()
    if timeline.problem:
        out.print(f"Its prompts cannot be shared out: {plain(timeline.problem)}")
    elif timeline.items:
        out.print(
            f"Its prompts: {tokens(timeline.prompt_tokens)} tokens,"
            f" {money(timeline.prompt_cost_usd)}, in"
            f" {counted(timeline.total_requests, 'request')}. Where that went:"
        )
        table, _ = group_table(timeline.items[:ITEMS], out.width, by="session item")
        out.print(table)
        if (rest := timeline.total_items - ITEMS) > 0:
            out.print(f"And {counted(rest, 'item')} more: --json has all, --md and --html more.")
        out.print(BASIS)
    if timeline.findings:
        out.print("\nWhat need not have been paid (findings overlap)")
    for text in findings(timeline.findings, out.width):
        out.print(text)
    if line := reconciled(timeline.reconciliation):
        out.print(line)


def reconciled(found: Reconciled) -> str | None:
    """The ledger beside the client's own total; nothing where there is none."""
    if not found.sessions or found.client_usd is None:
        return None
    parts = [
        f"{money(amount)} {what}"
        for amount, what in (
            (found.partial_output_usd, "output without a final count (estimated)"),
            (found.unseen_calls_usd, "calls that stand in no transcript (estimated)"),
            (found.unexplained_usd, "unexplained"),
        )
        if amount
    ]
    difference = f", a difference of {money(found.difference_usd)}" if parts else ""
    return (
        f"Claude Code's own total is {money(found.client_usd)}, the ledger's"
        f" {money(found.ledger_usd)}{difference}{': ' if parts else ''}{', '.join(parts)}."
    )
