"""Where the prompts' money went, from transcripts to what is printed."""

import csv
import io
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.transcripts import FORK, SESSION, answer, asked, tool_result, tool_use, usage, write
from token_tracking_server.cli import main

GROUPINGS = ("item", "path", "tool", "mcp-server", "skill", "agent", "category", "kind")
QUESTIONS = (
    *(("report", "--by", by) for by in GROUPINGS),
    ("top",),
    ("top", "--metric", "efficiency", "--by", "tool"),
    ("trend", "--period", "2026-03-01..2026-03-08"),
    ("advice", "--period", "all"),
    ("efficiency",),
    ("session", SESSION),
    *(("report", "--by", by) for by in ("day", "month", "model", "project", "session")),
)
COST = Decimal("0.675737")
"""10 * 5 + 99,999 * 0.5 + 100,110 * 6.25, in millionths of a dollar."""


@pytest.fixture(autouse=True)
def tree(claude: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A session that reads a file by a tool of an MCP server; the ledger beside it."""
    monkeypatch.setenv("CLAUDE_CONFIG_DIR", str(claude))
    monkeypatch.setenv("TOKEN_TRACKING_DB", str(tmp_path / "l.db"))
    monkeypatch.setenv("COLUMNS", "80")
    first = usage(10, cache_creation_input_tokens=99_999)
    second = usage(20, cache_read_input_tokens=99_999, cache_creation_input_tokens=111)
    calls = [
        tool_use("toolu_1", "Read", file_path=f"/home/sam/{'long/' * 30}a.py"),
        tool_use("toolu_2", "mcp__github__list_issues"),
    ]
    results = [tool_result("toolu_1", "x" * 300), tool_result("toolu_2", "y" * 30)]
    write(
        claude,
        [
            asked(),
            answer("msg_1", uuid="1", parent="u-u", second=2, billed=first, content=calls),
            asked(results, uuid="r", parent="1", second=3),
            answer("msg_2", uuid="2", parent="r", second=4, billed=second),
        ],
    )
    return claude


def as_json(capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
    assert main([*arguments, "--json"]) == 0
    return json.loads(capsys.readouterr().out, parse_float=Decimal)


@pytest.mark.parametrize("by", GROUPINGS)
def test_the_rows_of_every_grouping_add_up_to_what_the_prompts_cost(
    capsys: pytest.CaptureFixture[str], by: str
) -> None:
    found = as_json(capsys, "report", "--by", by)
    rows, totals = found["rows"], found["totals"]
    assert totals["prompt_tokens"] == sum(row["prompt_tokens"] for row in rows) == 200_119
    assert totals["cost_usd"] == sum(row["cost_usd"] for row in rows) == COST
    for row in (*rows, totals):
        assert row["first_usd"] + row["carry_usd"] == row["cost_usd"]
    assert found["left_out"] == 0


def test_a_server_and_its_tool_have_rows_of_their_own(capsys: pytest.CaptureFixture[str]) -> None:
    servers = {row["server"] for row in as_json(capsys, "report", "--by", "mcp-server")["rows"]}
    assert "github" in servers
    tools = as_json(capsys, "report", "--by", "tool")["rows"]
    (issues,) = (row for row in tools if row["server"] == "github")
    assert (issues["name"], issues["loads"], issues["carried"]) == ("list_issues", 1, 1)


def test_a_limit_leaves_rows_out_and_not_their_sum(capsys: pytest.CaptureFixture[str]) -> None:
    found = as_json(capsys, "report", "--by", "tool", "--limit", "1")
    assert len(found["rows"]) == 1
    assert found["left_out"] > 0
    assert found["totals"]["cost_usd"] == COST


def test_csv_has_the_fields_of_json(capsys: pytest.CaptureFixture[str]) -> None:
    fields = as_json(capsys, "report", "--by", "item")["rows"]
    assert main(["report", "--by", "item", "--csv"]) == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert [row["item"] for row in rows] == [row["item"] for row in fields]
    assert sum(Decimal(row["cost_usd"]) for row in rows) == COST
    assert main(["trend", "--csv", "--period", "2026-03-02..2026-03-03"]) == 0
    steps = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert sum(int(step["messages"]) for step in steps) == 2


def test_top_ranks_by_the_metric(capsys: pytest.CaptureFixture[str]) -> None:
    found = as_json(capsys, "top", "--metric", "carried", "--by", "tool", "--limit", "2")
    carried = [row["carried"] for row in found["rows"]]
    assert carried == sorted(carried, reverse=True)
    assert (found["metric"], len(carried)) == ("carried", 2)


@pytest.mark.parametrize("columns", [60, 80, 120])
@pytest.mark.parametrize("words", QUESTIONS, ids=" ".join)
def test_every_answer_fits_the_terminal_and_is_plain(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    words: tuple[str, ...],
    columns: int,
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    assert main(words) == 0
    shown = capsys.readouterr().out
    assert shown.strip()
    assert "\x1b" not in shown
    assert max(map(len, shown.splitlines())) <= columns


@pytest.mark.parametrize("words", QUESTIONS[:-6], ids=" ".join)
def test_an_empty_ledger_says_what_to_do(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], words: tuple[str, ...]
) -> None:
    all_time = [word if ".." not in word else "all" for word in words]
    assert main([*all_time, "--no-ingest", "--db", str(tmp_path / "empty.db")]) == 0
    assert "token-tracking ingest" in capsys.readouterr().out


@pytest.mark.parametrize("words", QUESTIONS[:-6], ids=" ".join)
def test_json_of_an_empty_ledger_is_json(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], words: tuple[str, ...]
) -> None:
    assert as_json(capsys, *words, "--no-ingest", "--db", str(tmp_path / "empty.db"))


@pytest.mark.parametrize(
    ("words", "advice"),
    [
        (("report", "--by", "tool", "--model", "opus"), "report --by model"),
        (("report", "--by", "day", "--limit", "3"), "--period"),
        (("report", "--by", "tool", "--period", "someday"), "last_week"),
        (("top", "--period", "2026-03-02..2026-03-02"), "empty"),
        (("trend", "--period", "someday"), "last_week"),
        (("advice", "--period", "someday"), "last_week"),
        (("efficiency", "--period", "someday"), "last_week"),
        (("session", "--html", "-"), "name a file"),
        (("session", "--html", "/nowhere/at/all.html"), "no folder"),
        (("session", "--html", "/"), "a folder"),
    ],
)
def test_an_error_is_one_line_that_says_what_to_do(
    capsys: pytest.CaptureFixture[str], words: tuple[str, ...], advice: str
) -> None:
    assert main(words) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("token-tracking: ")
    assert advice in captured.err
    assert captured.err.count("\n") == 1


@pytest.mark.parametrize(
    "words",
    [
        ("top", "--limit", "0"),
        ("top", "--limit", "many"),
        ("top", "--metric", "size"),
        ("report", "--by", "nothing"),
        ("dashboard", "--port", "99999"),
        ("session", "--json", "--md"),
    ],
)
def test_unknown_words_are_refused(words: tuple[str, ...]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(words)
    assert stopped.value.code == 2


def test_a_project_that_does_not_exist_is_no_empty_ledger(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["report", "--by", "tool", "--project", "nowhere"]) == 0
    assert "report --by project" in capsys.readouterr().out


def test_ingestion_attributes_and_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    done = as_json(capsys, "ingest")["attributed"]
    assert (done["sessions"], done["messages"], done["not_attributable"]) == (1, 2, {})
    assert as_json(capsys, "ingest")["attributed"]["sessions"] == 0


def test_ingestion_leaves_attribution_to_others_if_told_so(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert as_json(capsys, "ingest", "--no-attribution")["attributed"] is None
    assert main(["attribute"]) == 0
    assert capsys.readouterr().out.startswith("Attributed 1 session with 2 messages in ")
    assert main(["attribute"]) == 0
    assert capsys.readouterr().out == "Nothing changed: every session is attributed.\n"
    assert as_json(capsys, "attribute", "--recompute")["sessions"] == 1


def test_a_session_as_markdown_is_whole(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["session", SESSION, "--md"]) == 0
    text = capsys.readouterr().out
    assert text.startswith(f"# Session `{SESSION}`\n")
    assert "## Requests" in text


def test_a_session_as_a_page_stands_in_the_file(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    page = tmp_path / "session.html"
    page.write_text("old")
    assert main(["session", SESSION, "--html", str(page)]) == 0
    assert str(page) in capsys.readouterr().out
    text = page.read_text(encoding="utf-8")
    assert text.lstrip().lower().startswith("<!doctype html>")
    assert SESSION in text


def test_json_of_a_session_has_findings_and_the_clients_own_total(
    capsys: pytest.CaptureFixture[str],
) -> None:
    found = as_json(capsys, "session", SESSION)
    assert found["not_attributable"] is None
    assert found["reconciliation"]["sessions_without_total"] == 1
    assert isinstance(found["findings"], list)
    firsts = [item["first_cost_usd"] for item in found["items"]]
    assert all(first is not None for first in firsts)


def test_names_from_files_cannot_steer_the_terminal(
    claude: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    call = tool_use("toolu_9", "Read", file_path="/a\x1b]0;evil\x07b")
    write(
        claude,
        [
            answer("msg_8", uuid="8", sessionId=FORK, content=[call], second=20),
            asked([tool_result("toolu_9")], uuid="9", parent="8", sessionId=FORK, second=21),
            answer("msg_9", uuid="10", parent="9", sessionId=FORK, second=22, billed=usage(1)),
        ],
        FORK,
    )
    for words in (["report", "--by", "path"], ["report", "--by", "item"], ["session", FORK]):
        assert main(words) == 0
        shown = capsys.readouterr().out
        assert "\x1b" not in shown
        assert "\x07" not in shown
