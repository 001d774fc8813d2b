"""`token-tracking reconcile`: the ledger against the client's own totals."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.transcripts import FORK, SESSION, answer, usage, write
from token_tracking_server.cli import main


@pytest.fixture(autouse=True)
def settings(claude: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CLAUDE_CONFIG_DIR", str(claude))
    monkeypatch.setenv("TOKEN_TRACKING_DB", str(tmp_path / "l.db"))
    monkeypatch.setenv("TOKEN_TRACKING_TIMEZONE", "UTC")
    monkeypatch.setenv("COLUMNS", "80")


def cost_state(**models: float) -> dict[str, Any]:
    used = {
        name.replace("_", "-"): {"inputTokens": 5, "outputTokens": 1_000, "costUSD": cost}
        for name, cost in models.items()
    }
    return {"type": "cost-state", "sessionId": SESSION, "modelUsage": used}


def session(claude: Path, *more: dict[str, Any], stop: str | None = "end_turn") -> None:
    """An answer of 1,000 tokens, for $0.025025."""
    content = [{"type": "text", "text": "x" * 3_360}]
    write(claude, [answer(billed=usage(1_000), content=content, stop=stop), *more])


def reconciled(capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, Any]:
    assert main(["reconcile", "--json", *words]) == 0
    return json.loads(capsys.readouterr().out, parse_float=Decimal)


def test_the_parts_make_up_the_difference(claude: Path, capsys: pytest.CaptureFixture[str]) -> None:
    session(claude, cost_state(claude_opus_4_6=0.027, claude_haiku_5_5=0.0002))
    write(claude, [answer("msg_2", uuid="b", sessionId=FORK)], FORK)
    found = reconciled(capsys)
    assert (found["sessions"], found["sessions_without_total"]) == (1, 1)
    assert found["client_usd"] == Decimal("0.0272")
    assert found["ledger_usd"] == Decimal("0.025025")
    assert found["difference_usd"] == Decimal("0.002175")
    assert found["explained"] == {
        "partial_output_usd": 0,
        "unseen_calls_usd": Decimal("0.0002"),
        "basis": "estimated",
    }
    assert found["unexplained_usd"] == Decimal("0.001975")


def test_partial_output_explains_what_the_client_has_more(
    claude: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    content = [{"type": "text", "text": "x" * 3_360}]
    write(
        claude,
        [answer(billed=usage(1), content=content, stop=None), cost_state(claude_opus_4_6=0.028)],
    )
    found = reconciled(capsys)
    # 5 tokens in and 1 out; the text is 1,120 tokens of this model.
    assert found["ledger_usd"] == Decimal("0.00005")
    assert found["explained"]["partial_output_usd"] == Decimal("0.027975")
    assert found["unexplained_usd"] == Decimal("-0.000025")


def test_the_table_fits_and_adds_up(claude: Path, capsys: pytest.CaptureFixture[str]) -> None:
    session(claude, cost_state(claude_opus_4_6=1_025.025_025))
    assert main(["reconcile"]) == 0
    lines = [line.rstrip() for line in capsys.readouterr().out.splitlines()]
    assert lines[:7] == [
        "1 session                                               USD",
        "Claude Code's own total                          1,025.0250",
        "The ledger                                           0.0250",
        "Difference                                       1,025.0000",
        "  answers without a final count (estimated)          0.0000",
        "  calls that stand in no transcript (estimated)      0.0000",
        "  not explained                                  1,025.0000",
    ]
    assert max(map(len, lines)) <= 80


def test_without_a_total_it_is_said_where_totals_come_from(
    claude: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    session(claude)
    assert main(["reconcile", "--period", "2026-03-02.."]) == 0
    text = " ".join(capsys.readouterr().out.split())
    assert "No session with a total of the client's own in the period 2026-03-02.." in text
    assert "when a session ends" in text
    assert reconciled(capsys)["client_usd"] is None


def test_an_unknown_period_is_an_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["reconcile", "--period", "someday"]) == 1
    assert "There is no period 'someday'" in capsys.readouterr().err
