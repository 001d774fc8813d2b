"""A session's items, findings and reconciliation, as a table and as Markdown."""

from datetime import UTC
from decimal import Decimal

import pytest

from tests.cli.values import LONG, advice, group_row, reconciled, timeline
from token_tracking.metrics import SessionReport
from token_tracking_server.cli.session_markdown import session_markdown
from token_tracking_server.cli.session_table import print_where
from token_tracking_server.cli.session_table import reconciled as told

TOTAL = reconciled(
    sessions=1,
    sessions_without_total=0,
    client_usd=Decimal("5.50"),
    ledger_usd=Decimal("5.00"),
    difference_usd=Decimal("0.50"),
    partial_output_usd=Decimal("0.30"),
    unseen_calls_usd=Decimal("0.15"),
    unexplained_usd=Decimal("0.05"),
)


def data() -> SessionReport:
    return SessionReport(
        session_id="11111111-1111-4111-8111-111111111111",
        project="/home/sam/shop",
        first_at=1_772_452_800_000,
        last_at=1_772_452_860_000,
        messages=[],
        models={},
        tools=[],
        inherited={},
    )


@pytest.mark.parametrize("columns", ["60", "80", "120"])
def test_the_dearest_items_fit_the_terminal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, columns: str
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    rows = [group_row(f"Read: {LONG}/{number}") for number in range(12)]
    print_where(timeline(*rows, findings=[advice()], reconciliation=TOTAL))
    text = capsys.readouterr().out
    assert max(map(len, text.splitlines())) <= int(columns)
    assert text.count("Read: ") == 10
    assert "And 2 items more" in text
    assert text.count("Estimated") == 1
    assert "  $12.34 (est.)  The MCP server github was" in text


def test_the_clients_own_total_is_explained() -> None:
    assert told(TOTAL) == (
        "Claude Code's own total is $5.50, the ledger's $5.00, a difference of $0.50: $0.30 output"
        " without a final count (estimated), $0.15 calls that stand in no transcript (estimated),"
        " $0.05 unexplained."
    )
    assert told(reconciled()) is None


def test_a_session_that_cannot_be_shared_out_says_why(capsys: pytest.CaptureFixture[str]) -> None:
    broken = timeline(problem="A line names itself as its parent.")
    print_where(broken)
    assert "cannot be shared out: A line names itself" in capsys.readouterr().out
    assert "A line names itself" in session_markdown(data(), broken, UTC)


def test_markdown_has_the_whole_report() -> None:
    text = session_markdown(
        data(),
        timeline(
            group_row("Read", kind="tool"),
            findings=[advice()],
            reconciliation=TOTAL,
            total_requests=3,
        ),
        UTC,
    )
    headings = [line for line in text.splitlines() if line.startswith("#")]
    assert headings == [
        "# Session `11111111-1111-4111-8111-111111111111`",
        "## Where the prompts' money went",
        "## What need not have been paid",
        "## Requests",
    ]
    (row,) = (line for line in text.splitlines() if "$354.62" in line)
    assert "Read" in row
    assert "claude mcp remove github" in text
    assert "Claude Code's own total" in text
    assert "| 2026-03-02 12:00:00 | `claude-opus-4-6` | 0 | 1,000 | 5 | 10 | $0.0065 |" in text
    assert "2 requests more in `--json`." in text
