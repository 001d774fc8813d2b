"""Who reads the ledger takes in what programs left on disk."""

import io
import json
import os
from contextlib import redirect_stdout
from pathlib import Path

import pytest

from tests.recording.sightings import in_spool, keys, spool_of
from tests.recording.test_leftovers import left_behind
from token_tracking_server.cli import main
from token_tracking_server.questions import Questions
from token_tracking_server.settings import Settings


def said(database: Path, claude: Path, *words: str) -> tuple[int, str]:
    """What a command says, and how it ends."""
    (claude / "projects").mkdir(parents=True, exist_ok=True)
    output = io.StringIO()
    with redirect_stdout(output):
        code = main([*words, "--db", str(database), "--claude-dir", str(claude)])
    return code, output.getvalue()


def test_ingest_tells_what_programs_left(database: Path, claude: Path) -> None:
    segment = left_behind(database, "a", "b")
    segment.write_bytes(segment.read_bytes() + b"garbage\n{torn")
    _, output = said(database, claude, "ingest")
    assert "Took in 2 messages that programs left on disk." in output
    assert "Skipped 1 message that a crash cut short." in output
    assert "Moved 1 recorded line aside" in output
    assert keys(database) == ["msg_a", "msg_b"]


def test_ingest_tells_it_as_json(database: Path, claude: Path) -> None:
    left_behind(database, "a")
    _, output = said(database, claude, "ingest", "--json")
    left = json.loads(output)["left_on_disk"]
    assert left == {"events": 1, "segments": 1, "refused": 0, "torn": 0}


def test_a_report_has_what_programs_left(database: Path, claude: Path) -> None:
    left_behind(database, "a", "b")
    _, output = said(database, claude, "report", "--json")
    assert json.loads(output)["totals"]["messages"] == 2
    assert in_spool(database, "*") == []


async def test_the_server_has_it_too(database: Path, claude: Path) -> None:
    (claude / "projects").mkdir(parents=True)
    left_behind(database, "a", "b")
    settings = Settings(database=str(database), claude_dirs=(claude,))
    questions = await Questions.open(settings, os.environ)
    await questions.summary()
    await questions.close()
    assert keys(database) == ["msg_a", "msg_b"]


def test_doctor_says_how_many_wait(database: Path, claude: Path) -> None:
    left_behind(database, "a", "b")
    _, output = said(database, claude, "doctor")
    assert f"recorded: 2 messages in {spool_of(database)}" in output
    assert "Problem: 1 recorded" not in output


@pytest.mark.parametrize(
    ("name", "problem"),
    [("1-ab.000000001.v1.bad", "1 recorded line"), ("1-ab.000000001.v9.jsonl", "newer version")],
)
def test_doctor_says_what_cannot_be_taken_in(
    database: Path, claude: Path, name: str, problem: str
) -> None:
    spool_of(database).mkdir()
    (spool_of(database) / name).write_text("garbage\n")
    code, output = said(database, claude, "doctor")
    assert code == 1
    assert problem in output


def test_doctor_tells_of_a_spool_that_is_no_folder(database: Path, claude: Path) -> None:
    spool_of(database).write_text("in the way")
    code, output = said(database, claude, "doctor")
    assert code == 1
    assert "ledger.db.spool cannot be read" in output
