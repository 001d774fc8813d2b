"""Where the prompts' money went, as a table."""

from decimal import Decimal

import pytest

from tests.cli.values import LONG, group_row
from token_tracking.shares import METRICS
from token_tracking_server.cli.group_table import print_groups

ALL = group_row("All", share=1.0)
_EXPLAINED = (
    "First: with the first request. Carrying: with those after it. Carried: once for each request."
)
_LEFT = ["Loads", "Tokens", "Carrying", "Total", "Share"]


def shown(capsys: pytest.CaptureFixture[str]) -> list[str]:
    text = capsys.readouterr().out
    assert "\x1b" not in text
    return [line.rstrip() for line in text.splitlines()]


def test_a_wide_table_has_every_column(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "120")
    print_groups([group_row()], by="tool", totals=ALL)
    assert shown(capsys) == [
        "Tool  Loads  Tokens  Carried   First  Carrying    Total   Share",
        "Read      2   12.3k    1,234  $42.17   $312.45  $354.62   12.3%",
        "All       2   12.3k    1,234  $42.17   $312.45  $354.62  100.0%",
        "Estimated: what each prompt was billed for, shared out among what stood in it.",
        _EXPLAINED,
    ]


def test_a_narrow_table_leaves_out_what_matters_least_and_says_so(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    print_groups([group_row(LONG, uri=LONG)], by="path", totals=ALL)
    lines = shown(capsys)
    assert lines[0].split() == ["Path", *_LEFT]
    assert lines[1].startswith("/home/sam/c...")
    assert "schema_v2.py  " in lines[1]
    assert "No room for Carried, First: see --json, or a wider terminal." in lines


@pytest.mark.parametrize("columns", ["60", "80", "120"])
@pytest.mark.parametrize("metric", METRICS)
def test_every_table_fits(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    metric: str,
    columns: str,
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    row = group_row(LONG, session_id="11111111", cost_usd=Decimal("123456.78"))
    print_groups([row], by="item", metric=metric, totals=ALL)
    lines = shown(capsys)
    assert max(map(len, lines)) <= int(columns)
    heading = {"cost": "Total", "tokens": "Tokens", "carried": "Carried", "efficiency": "Cached"}
    assert heading[metric] in lines[0]


def test_what_caching_lost_is_negative_and_what_has_no_price_unknown(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "120")
    lost = group_row("Write", efficiency=-25.0, saved_usd=Decimal("-0.5"))
    unpriced = group_row("Odd", cost_usd=None, efficiency=None, saved_usd=None, share=None)
    print_groups([lost, unpriced], by="tool", metric="efficiency")
    lines = shown(capsys)
    assert "-25.0%" in lines[1]
    assert "-$0.50" in lines[1]
    assert lines[2].count("unknown") == 4


def test_words_that_are_too_long_lose_their_end(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    base = "Base of the prompt (system prompt, tools, memory), in Subagents of unknown type"
    print_groups([group_row(base, kind="base"), group_row(base)], by="tool", totals=ALL)
    lines = shown(capsys)
    assert lines[1].startswith("Base of the prompt, in Sub...")
    assert lines[2].startswith("Base of the prompt (system...")


def test_rows_that_a_limit_left_out_are_counted(capsys: pytest.CaptureFixture[str]) -> None:
    print_groups([group_row()], by="resource", totals=ALL, left_out=1_234)
    assert "All counts 1,234 more rows: --limit N, or --json, shows them." in shown(capsys)


def test_items_that_entered_are_no_parts_of_a_whole(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "120")
    rows = [group_row(share=None, session_id="11111111-1")]
    print_groups(rows, by="item", totals=None, left_out=3)
    lines = shown(capsys)
    assert lines[0].split() == ["Item", "Tokens", "Carried", "First", "Carrying", "Total"]
    assert lines[2] == "And 3 more rows: --limit N, or --json, shows them."
    assert lines[3].startswith("Items that entered in this period, each with its cost to the end")
    assert not any(line.startswith("All") for line in lines)


def test_what_has_no_name_is_said_to_have_none(capsys: pytest.CaptureFixture[str]) -> None:
    print_groups([group_row(" "), group_row("")], by="tool")
    assert [line.split()[0] for line in shown(capsys)[1:3]] == ["(none)", "(none)"]


def test_a_name_cannot_steer_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    print_groups([group_row("/a\x1b]0;evil\x07")], by="path")
    assert "\x07" not in "".join(shown(capsys))
