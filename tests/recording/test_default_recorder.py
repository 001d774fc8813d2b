"""The recorder of a process, in whole programs."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.recording.sightings import in_spool, keys

BEGINNING = """
import asyncio
from tests.recording.sightings import sighting
from token_tracking.recording import default_recorder
"""


def run(program: str, database: Path) -> "subprocess.CompletedProcess[str]":
    environment = {**os.environ, "TOKEN_TRACKING_DB": str(database), "PYTHONWARNINGS": "error"}
    command = [sys.executable, "-c", BEGINNING + program]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


PLAIN = "default_recorder().record(sighting('a'))"
ASYNC = """
async def main():
    default_recorder().record(sighting('a'))
asyncio.run(main())
"""
FAILING = "default_recorder().record(sighting('a')); raise SystemExit('on purpose')"


@pytest.mark.slow
@pytest.mark.parametrize("program", [PLAIN, ASYNC, FAILING], ids=["plain", "async", "failing"])
def test_a_program_that_ends_has_what_it_recorded_in_the_ledger(
    database: Path, program: str
) -> None:
    ended = run(program, database)
    assert ended.stderr == ("on purpose\n" if program is FAILING else "")
    assert keys(database) == ["msg_a"]
    assert in_spool(database, "*") == []


@pytest.mark.slow
def test_a_program_ends_soon_though_its_ledger_cannot_be_used(absent: Path) -> None:
    absent.write_text("no database at all")
    ended = run(PLAIN, absent)
    assert ended.returncode == 0
    assert "not a token-tracking database" in ended.stderr
    assert len(in_spool(absent, "*.jsonl")) == 1


def test_a_process_has_one(database: Path) -> None:
    ended = run("print(default_recorder() is default_recorder())", database)
    assert ended.stdout == "True\n"


@pytest.mark.skipif(sys.platform == "win32", reason="fork is POSIX")
def test_a_fork_records_into_the_same_ledger(database: Path) -> None:
    program = """
import os
default_recorder().record(sighting('a'))
default_recorder().flush()
if os.fork() == 0:
    default_recorder().record(sighting('b'))
    raise SystemExit
os.wait()
"""
    ended = run(program, database)
    assert ended.returncode == 0, ended.stderr
    assert keys(database) == ["msg_a", "msg_b"]
