"""The command line, as a person or a script uses it."""

import asyncio
import csv
import io
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.transcripts import FORK, SESSION, answer, asked, tool_use, usage, write
from token_tracking.ingest.portion import Portion
from token_tracking.ingest.worker import Worker
from token_tracking_server.cli import main


@pytest.fixture
def tree(claude: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Two sessions, a bad line, an unknown model; the ledger beside them."""
    monkeypatch.setenv("CLAUDE_CONFIG_DIR", str(claude))
    monkeypatch.setenv("TOKEN_TRACKING_DB", str(tmp_path / "l.db"))
    monkeypatch.setenv("COLUMNS", "80")
    cached = usage(100, cache_read_input_tokens=100_000, cache_creation_input_tokens=5000)
    write(
        claude,
        [
            asked(),
            answer(parent="u-u", billed=cached, content=[tool_use("toolu_1", "Bash")]),
            "{",
        ],
    )
    other = answer("msg_b", uuid="b", sessionId=FORK, stop=None, second=100)
    other["message"]["model"] = "nobody-knows"
    write(claude, [other], FORK)
    return claude


def run(*arguments: str) -> int:
    return main(arguments)


def as_json(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    assert run(*arguments) == 0
    return json.loads(capsys.readouterr().out)


def test_ingest_says_what_the_ledger_has_and_what_was_new(
    tree: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    figures = as_json(capsys, "ingest", "--json")
    counts = {
        "messages": 2,
        "partial_messages": 1,
        "tool_uses": 1,
        "input_tokens": 10,
        "output_tokens": 110,
        "cache_read_tokens": 100_000,
        "cache_write_tokens": 5000,
        "cache_write_1h_tokens": 0,
        # 5 * 5 + 100 * 25 + 100,000 * 0.5 + 5,000 * 6.25, in millionths of a dollar.
        "cost_usd": 0.083775,
        "unpriced_messages": 1,
    }
    assert {name: figures[name] for name in counts} == counts
    assert {name: figures["new"][name] for name in counts} == counts
    assert (figures["files"], figures["lines"], figures["skipped_lines"]) == (2, 4, 1)
    assert figures["sessions"] == figures["new"]["sessions"] == 2
    assert figures["unpriced_models"] == {"nobody-knows": 1}
    assert figures["messages_by_model"] == {"claude-opus-4-6": 1, "nobody-knows": 1}
    again = as_json(capsys, "ingest", "--json")
    assert again["messages"] == 2
    assert figures["new"]["unpriced_models"] == figures["unpriced_models"]
    assert figures["new"]["messages_by_model"] == figures["messages_by_model"]
    assert again["new"] == {
        "unpriced_models": {},
        "messages_by_model": {},
        **dict.fromkeys(counts, 0),
        "files": 0,
        "lines": 0,
        "skipped_lines": 0,
        "sessions": 0,
    }


def test_every_count_in_json_is_a_number_or_null(
    tree: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def check(value: Any, name: str) -> None:
        if isinstance(value, dict):
            for key, each in value.items():  # pyright: ignore[reportUnknownVariableType]
                check(each, key)  # pyright: ignore[reportUnknownArgumentType]
        elif name.endswith(("tokens", "messages", "usd", "uses", "lines", "files", "rate")):
            assert value is None or type(value) in {int, float}, name

    check(as_json(capsys, "ingest", "--json"), "")
    for row in as_json(capsys, "report", "--json")["rows"]:
        check(row, "")
    check(as_json(capsys, "session", "--json"), "")


def test_a_report_reads_what_is_new_first(tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
    report = as_json(capsys, "report", "--json", "--by", "session", "--timezone", "UTC")
    first, second = report["rows"]
    assert (first["session_id"], first["prompt_tokens"], first["cost_usd"]) == (
        SESSION,
        105_005,
        0.083775,
    )
    assert (second["session_id"], second["cost_usd"]) == (FORK, None)
    assert report["totals"]["messages"] == 2
    assert report["totals"]["cost_usd"] == 0.083775
    assert report["totals"]["unpriced_models"] == {"nobody-knows": 1}


def test_a_report_without_ingestion_shows_what_the_ledger_has(
    tree: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert as_json(capsys, "report", "--json", "--no-ingest")["rows"] == []
    assert run("report", "--no-ingest") == 0
    assert "empty" in capsys.readouterr().out


@pytest.mark.parametrize("by", ["day", "week", "month", "block", "model", "project", "session"])
def test_every_table_fits_eighty_columns_and_is_plain(
    tree: Path, capsys: pytest.CaptureFixture[str], by: str
) -> None:
    assert run("report", "--by", by) == 0
    shown = capsys.readouterr().out
    assert max(map(len, shown.splitlines())) <= 80
    assert "\x1b" not in shown
    assert "$0.08" in shown
    assert "nobody-knows" in shown


def test_a_report_as_csv_has_every_row(tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("report", "--csv", "--by", "session") == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert [row["session_id"] for row in rows] == [SESSION, FORK]
    assert (rows[0]["cost_usd"], rows[1]["cost_usd"]) == ("0.083775", "")


def test_a_session_is_found_by_the_beginning_of_its_id(
    tree: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    figures = as_json(capsys, "session", SESSION[:6], "--json")
    assert figures["session_id"] == SESSION
    assert figures["tools"] == [{"name": "Bash", "server": None, "calls": 1, "result_bytes": 0}]
    assert run("session", SESSION) == 0
    shown = capsys.readouterr().out
    assert SESSION in shown
    assert "Caching saved" in shown
    assert max(map(len, shown.splitlines())) <= 80


def test_the_latest_session_is_the_default(tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert as_json(capsys, "session", "--json")["session_id"] == FORK


def test_an_unknown_session_is_an_error_that_helps(
    tree: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("session", "nobody") == 1
    assert "The newest are" in capsys.readouterr().err


def test_given_folders_replace_the_configured_ones(
    tree: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path / "other", [answer("msg_z")])
    figures = as_json(capsys, "ingest", "--json", "--claude-dir", str(tmp_path / "other"))
    assert (figures["messages"], figures["files"]) == (1, 1)


def test_a_folder_that_is_not_there_is_an_error(
    tree: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("ingest", "--claude-dir", str(tmp_path / "nowhere")) == 1
    assert "no such folder" in capsys.readouterr().err


def test_the_database_may_be_named_before_or_after_the_command(
    tree: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for number, words in enumerate([("--db", "1.db", "ingest"), ("ingest", "--db", "2.db")]):
        placed = [str(tmp_path / word) if word.endswith(".db") else word for word in words]
        assert run(*placed) == 0
        assert (tmp_path / f"{number + 1}.db").is_file()
    assert not (tmp_path / "l.db").exists()


def test_own_prices_are_used_and_applied_to_what_is_there(
    tree: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("ingest") == 0
    prices = tmp_path / "prices.toml"
    prices.write_text(
        '[[price]]\nmodel = "nobody-knows"\ninput = 1\noutput = 10\n'
        "cache_read = 1\ncache_write_5m = 1\ncache_write_1h = 1\n"
    )
    assert run("reprice", "--prices", str(prices)) == 0
    assert "1 message with another price" in capsys.readouterr().out
    figures = as_json(capsys, "ingest", "--json")
    assert (figures["unpriced_messages"], figures["cost_usd"]) == (0, 0.08388)


@pytest.mark.parametrize(
    "words",
    [
        ("report", "--period", "someday"),
        ("report", "--timezone", "Mars/Olympus"),
        ("report", "--db", "postgresql://x/y"),
        ("report", "--prices", "/nowhere.toml"),
        ("serve", "--http", "nonsense"),
    ],
)
def test_an_error_is_one_line_that_says_what_to_do(
    tree: Path, capsys: pytest.CaptureFixture[str], words: tuple[str, ...]
) -> None:
    assert run(*words) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("token-tracking: ")
    assert "Traceback" not in captured.err


def test_unknown_words_are_refused(tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        run("report", "--by", "hour")
    assert stopped.value.code == 2


def test_a_doctor_who_finds_nothing_wrong_says_so(
    claude: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(claude, [answer()])
    words = ("--db", str(tmp_path / "l.db"), "--claude-dir", str(claude))
    assert run("ingest", *words) == 0
    assert run("doctor", *words) == 0
    assert "Nothing is wrong." in capsys.readouterr().out


def test_a_doctor_says_what_is_wrong_and_how_to_mend_it(
    tree: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("ingest") == 0
    assert run("doctor") == 1
    assert "token-tracking reprice" in capsys.readouterr().out
    (tmp_path / "bad.db").write_text("no database" * 100)
    assert run("doctor", "--db", str(tmp_path / "bad.db")) == 1
    assert "Choose another file" in capsys.readouterr().out


@pytest.mark.parametrize("words", [["report", "--json"], ["report"], ["session"]])
def test_a_reader_that_goes_away_is_no_error(tree: Path, words: list[str]) -> None:
    command = [sys.executable, "-m", "token_tracking_server.cli", *words]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=dict(os.environ)
    )
    assert process.stdout is not None
    process.stdout.close()
    _, errors = process.communicate(timeout=60)
    assert (process.returncode, errors) == (0, b"")


@pytest.mark.skipif(sys.platform == "win32", reason="a POSIX shell closes the stream")
@pytest.mark.parametrize("closed", [">&-", "2>&-", ">&- 2>&-"])
@pytest.mark.parametrize("words", ["report", "report --json", "ingest", "session", "doctor"])
def test_an_output_that_was_closed_is_no_error(tree: Path, words: str, closed: str) -> None:
    command = f'"{sys.executable}" -m token_tracking_server.cli {words} {closed}'
    done = subprocess.run(["/bin/sh", "-c", command], capture_output=True, text=True, check=False)
    assert done.returncode == 0
    assert "Traceback" not in done.stderr + done.stdout


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_an_output_that_is_full_is_said(tree: Path) -> None:
    command = f'"{sys.executable}" -m token_tracking_server.cli report > /dev/full'
    done = subprocess.run(["/bin/sh", "-c", command], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert "cannot write" in done.stderr


def test_a_terminal_gets_colour_unless_it_asks_for_none(
    tree: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    monkeypatch.setenv("TERM", "xterm-256color")
    assert run("report") == 0
    assert "\x1b[1m" in capsys.readouterr().out


def test_what_needs_no_mcp_does_not_import_it(tree: Path) -> None:
    code = (
        "import sys; from token_tracking_server.cli import main; main(['report', '--json']);"
        "heavy = {'mcp', 'anthropic', 'genai_prices', 'pydantic', 'rich', 'yoyo'};"
        "sys.exit(', '.join(heavy & set(sys.modules)) or 0)"
    )
    subprocess.run(
        [sys.executable, "-m", "token_tracking_server.cli", "ingest"],
        check=True,
        capture_output=True,
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_names_from_files_cannot_steer_the_terminal(
    claude: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(claude, [answer(cwd="/a\x1b]0;evil\x07\nb")])
    words = ("--db", str(tmp_path / "l.db"), "--claude-dir", str(claude))
    for command in (("report", "--by", "project"), ("session",)):
        assert run(*command, *words) == 0
        shown = capsys.readouterr().out
        assert "\x1b" not in shown
        assert "\x07" not in shown


def test_an_encoding_that_lacks_a_letter_is_no_reason_to_fail(claude: Path, tmp_path: Path) -> None:
    write(claude, [answer(cwd="/家/sam")])
    for words in (["report", "--by", "project"], ["report", "--csv", "--by", "project"]):
        command = [sys.executable, "-m", "token_tracking_server.cli", *words]
        options = ["--db", str(tmp_path / "l.db"), "--claude-dir", str(claude)]
        environment = {**os.environ, "PYTHONIOENCODING": "cp1252"}
        done = subprocess.run(
            [*command, *options], capture_output=True, env=environment, check=True
        )
        assert b"/?/sam" in done.stdout


def test_no_message_of_a_model_is_not_an_empty_ledger(
    tree: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("report", "--model", "gpt") == 0
    assert "No message of gpt" in capsys.readouterr().out
    assert run("report", "--period", "..2020-01-01") == 0
    hint = "See all of them: --period all_time."
    assert capsys.readouterr().out == f"No messages in the period ..2020-01-01. {hint}\n"


def test_ingestion_fails_where_nothing_could_be_read(
    claude: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    write(claude, [answer()])

    def refuses(path: str, cursor: object) -> object:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("token_tracking.ingest.portion.read_file", refuses)
    words = ("--db", str(tmp_path / "l.db"), "--claude-dir", str(claude))
    assert run("ingest", *words) == 1
    assert "Permission denied" in capsys.readouterr().out
    assert run("report", *words) == 0
    assert "Permission denied" in capsys.readouterr().err


def test_a_second_process_imports_nothing_from_where_it_stands(
    claude: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "msgspec.py").write_text("raise SystemExit('imported from here')")
    write(claude, [answer()])
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("token_tracking.ingest.ingest._PARALLEL_BYTES", 0)
    answered: list[object] = []
    real = Worker.answer

    async def counts(worker: Worker) -> Portion:
        answered.append(await real(worker))
        return await asyncio.sleep(0, answered[-1])  # pyright: ignore[reportReturnType]

    monkeypatch.setattr(Worker, "answer", counts)
    monkeypatch.setattr("token_tracking.ingest.ingest._Run._alone", _nothing)
    assert run("ingest", "--db", str(tmp_path / "l.db"), "--claude-dir", str(claude)) == 0
    assert len(answered) == 1


async def _nothing(run: object, result: object) -> None:
    """Leave it all to the second process."""
