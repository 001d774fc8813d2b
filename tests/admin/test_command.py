"""`token-tracking reconcile --admin`, against a server over a socket."""

import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.admin.api import (
    KEY,
    Api,
    claude_code,
    cost_result,
    counts,
    item,
    page,
    refusal,
    served,
    usage_result,
)
from tests.admin.api import bucket as day_bucket
from tests.transcripts import answer, usage, write
from token_tracking_server.cli import main

OPUS = "claude-opus-4-6"
DAY = "2026-03-02"
USAGE = "/v1/organizations/analytics/usage"
COST = "/v1/organizations/analytics/cost"
PERIOD = ["--period", "2026-03-02..2026-03-03"]


@pytest.fixture
def api(claude: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Api]:
    """One message in the ledger, and the other side."""
    monkeypatch.setenv("CLAUDE_CONFIG_DIR", str(claude))
    monkeypatch.setenv("TOKEN_TRACKING_DB", str(tmp_path / "l.db"))
    monkeypatch.setenv("TOKEN_TRACKING_TIMEZONE", "UTC")
    monkeypatch.setenv("ANTHROPIC_ADMIN_KEY", KEY)
    write(claude, [answer("msg_1", billed=usage(1_000, cache_read_input_tokens=20_000))])
    with served(Api()) as api:
        monkeypatch.setenv("ANTHROPIC_ADMIN_BASE_URL", api.url)
        yield api


def money(amount: str, before: str | None = None) -> dict[str, Any]:
    return {"amount": amount, "list_amount": before, "currency": "USD", "requests": 1}


def agree(api: Api) -> None:
    """5 tokens in, 20,000 read, 1,000 out: $0.000025 + $0.01 + $0.025."""
    used = counts(fresh=5, read=20_000, output=1_000)
    api.answers[USAGE] = [page(item(DAY, OPUS, key="apikey_1", usage=used))]
    api.answers[COST] = [page(item(DAY, OPUS, cost=money("3.5025", "3.5025")))]


def test_both_sides_stand_side_by_side(api: Api, capsys: pytest.CaptureFixture[str]) -> None:
    agree(api)
    assert main(["reconcile", "--admin", "--json", *PERIOD]) == 0
    found = json.loads(capsys.readouterr().out, parse_float=Decimal)
    sums = {
        "input_tokens": 5,
        "cache_read_tokens": 20_000,
        "cache_write_5m_tokens": 0,
        "cache_write_1h_tokens": 0,
        "output_tokens": 1_000,
    }
    assert found == {
        "host": api.url.removeprefix("http://"),
        "source": "analytics",
        "start": "2026-03-02",
        "end": "2026-03-03",
        "api_keys": 1,
        "ledger_usd": Decimal("0.035025"),
        "organization_usd": Decimal("0.035025"),
        "paid_usd": Decimal("0.035025"),
        "problem": None,
        "rows": [
            {
                "day": "2026-03-02",
                "model": OPUS,
                "ledger": sums,
                "organization": sums,
                "difference_tokens": 0,
                "claude_code_users": None,
                "ledger_usd": Decimal("0.035025"),
                "organization_usd": Decimal("0.035025"),
                "paid_usd": Decimal("0.035025"),
                "reason": "agree",
            }
        ],
        "reasons": {"agree": "both have the same tokens"},
    }


@pytest.mark.parametrize("columns", [80, 120])
def test_the_table_fits(
    api: Api, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, columns: int
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    long = "claude-of-a-very-long-name-that-fits-no-column-at-all-5-5"
    api.answers[USAGE] = [
        page(
            item(DAY, OPUS, key="a", usage=counts(fresh=999_999_999_999, output=1)),
            item(DAY, long, key="b", usage=counts(output=3)),
        )
    ]
    api.answers[COST] = [page(item(DAY, OPUS, cost=money("99999999.5", "123456789")))]
    assert main(["reconcile", "--admin", *PERIOD]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= columns
    text = "\n".join(lines)
    assert "1.0T" in text
    assert "$1,234,567.89" in text
    assert "After discounts the organisation paid $1,000,000.00" in " ".join(text.split())
    assert "other users or API keys of the organisation" in " ".join(text.split())


def test_a_cost_that_cannot_be_had_is_said(api: Api, capsys: pytest.CaptureFixture[str]) -> None:
    api.answers[USAGE] = [refusal(404, "Not found")]
    older = "/v1/organizations/usage_report/messages"
    api.answers[older] = [page(day_bucket(DAY, usage_result(OPUS, output=9)))]
    api.answers["/v1/organizations/cost_report"] = [refusal(403, "no")]
    assert main(["reconcile", "--admin", *PERIOD]) == 0
    text = " ".join(capsys.readouterr().out.split())
    assert "No cost:" in text
    assert "refused the key (403)" in text


def test_who_used_claude_code_makes_a_reason_more_precise(
    api: Api, capsys: pytest.CaptureFixture[str]
) -> None:
    agree(api)
    used = counts(fresh=5, read=20_000, output=1_001)
    api.answers[USAGE] = [page(*(item(DAY, OPUS, key=key, usage=used) for key in "ab"))]
    people = ["sam@shop.example", "kim@shop.example"]
    api.answers["/v1/organizations/usage_report/claude_code"] = [
        page(*(claude_code(DAY, each, OPUS) for each in people))
    ]
    assert main(["reconcile", "--admin", "--json", *PERIOD]) == 0
    out = capsys.readouterr().out
    (row,) = json.loads(out)["rows"]
    assert (row["claude_code_users"], row["reason"]) == (2, "other_users")
    assert "sam@" not in out
    assert api.asked[-1].query == {"starting_at": [DAY], "limit": ["1000"]}


def test_searches_are_a_row_without_a_model(api: Api, capsys: pytest.CaptureFixture[str]) -> None:
    api.answers[USAGE] = [refusal(404, "Not found")]
    api.answers["/v1/organizations/usage_report/messages"] = [page()]
    api.answers["/v1/organizations/cost_report"] = [
        page(day_bucket(DAY, cost_result(None, "100", cost_type="web_search")))
    ]
    assert main(["reconcile", "--admin", *PERIOD]) == 0
    out = capsys.readouterr().out
    assert "(no model)" in out
    assert "not in the report: a subscription" in out


def test_an_open_period_begins_with_the_ledger(
    api: Api, capsys: pytest.CaptureFixture[str]
) -> None:
    api.answers[USAGE] = api.answers[COST] = lambda _: page()
    assert main(["reconcile", "--admin", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["start"] >= "2026-03-02"
    assert api.asked[0].query["starting_at"][0] >= "2026-03-02T00:00:00Z"


def test_neither_side_having_anything_is_said(api: Api, capsys: pytest.CaptureFixture[str]) -> None:
    api.answers[USAGE] = api.answers[COST] = lambda _: page()
    assert main(["reconcile", "--admin", "--period", "2026-04-01..2026-04-02"]) == 0
    assert "Neither side has anything from 2026-04-01 to 2026-04-01" in capsys.readouterr().out


def test_without_a_key_nothing_is_asked(
    api: Api, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ANTHROPIC_ADMIN_KEY")
    assert main(["reconcile", "--admin"]) == 1
    said = capsys.readouterr()
    assert "Set ANTHROPIC_ADMIN_KEY" in said.err
    assert not said.out
    assert not api.asked


def test_a_refused_key_is_never_shown(
    api: Api, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ANTHROPIC_ADMIN_KEY", "sk-ant-api03-secret")
    assert main(["reconcile", "--admin", *PERIOD]) == 1
    said = capsys.readouterr()
    assert "refused the key (401)" in said.err
    assert "secret" not in said.err + said.out


def test_who_answered_is_named_where_it_is_not_anthropic(
    api: Api, capsys: pytest.CaptureFixture[str]
) -> None:
    agree(api)
    assert main(["reconcile", "--admin", *PERIOD]) == 0
    host = api.url.removeprefix("http://")
    out = " ".join(capsys.readouterr().out.split())
    says = f"These reports are from {host} (ANTHROPIC_ADMIN_BASE_URL), not api.anthropic.com."
    assert out.endswith(says)


def test_a_terminal_gets_no_escapes_and_nothing_of_the_key(
    api: Api, capsys: pytest.CaptureFixture[str]
) -> None:
    evil = f"\x1b]0;owned\x07\x1b[2J\u202eof {KEY[:12]} and \x9b{KEY[:7]}\x00{KEY[7:]}"
    older = "/v1/organizations/usage_report/messages"
    api.answers[USAGE] = api.answers[older] = lambda _: refusal(400, evil)
    assert main(["reconcile", "--admin", *PERIOD]) == 1
    error = capsys.readouterr().err
    assert "(]0;owned[2Jof ... and ...)" in error
    assert error.replace("\n", "").isprintable()
    assert KEY[:4] not in error


def test_a_gateway_for_messages_is_not_asked(
    api: Api, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    agree(api)
    with served(Api()) as gateway:
        monkeypatch.setenv("ANTHROPIC_BASE_URL", gateway.url)
        assert main(["reconcile", "--admin", *PERIOD]) == 0
    capsys.readouterr()
    assert api.asked
    assert not gateway.asked
