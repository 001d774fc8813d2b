"""The dashboard that `setup` ends with: a process of its own that ends by itself."""

import json
import os
import re
import signal
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from tests.transcripts import answer, write
from token_tracking_server.cli import background
from token_tracking_server.cli.background import BackgroundError, start_dashboard
from token_tracking_server.cli.running import (
    Running,
    database_at,
    note_dashboard,
    running_dashboard,
)
from token_tracking_server.cli.sample import SAMPLE, sample_ledger, samples_folder
from token_tracking_server.cli.time_limit import time_limit
from token_tracking_server.dashboard import serving
from token_tracking_server.settings import Settings


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="a signal there ends a process at once")
@pytest.mark.parametrize("sample", [False, True])
def test_it_answers_at_its_address_when_that_is_known(
    claude: Path, tmp_path: Path, *, sample: bool
) -> None:
    write(claude, [answer()])
    settings = Settings(database=str(tmp_path / "l.db"), claude_dirs=(claude,))
    started = start_dashboard(settings, UTC, sample=sample, minutes=1)
    try:
        assert started.address.startswith("http://127.0.0.1:")
        with urllib.request.urlopen(started.address, timeout=30) as page:
            assert page.status == 200
            assert b"<html" in page.read()
    finally:
        started.process.terminate()
        assert started.process.wait(30) == 0


def setup(ledger: Path, **environment: str) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-m", "token_tracking_server.cli", "setup"],
        check=True,
        env={**os.environ, "TOKEN_TRACKING_DB": str(ledger), "CI": "", **environment},
        capture_output=True,
        text=True,
    )
    return done.stdout.splitlines()


def process_of(lines: list[str]) -> int:
    found = re.search(r"as process\s(\d+)", "\n".join(lines))
    assert found is not None
    return int(found[1])


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="a signal there ends a process at once")
@pytest.mark.parametrize("sample", [False, True])
def test_setup_ends_with_the_address_of_one_dashboard_however_often_it_runs(
    claude: Path, tmp_path: Path, *, sample: bool
) -> None:
    if not sample:
        write(claude, [answer()])
    ledger = tmp_path / "l.db"
    first = setup(ledger, CLAUDE_CONFIG_DIR=str(claude))
    try:
        assert re.fullmatch(r"Dashboard: http://127\.0\.0\.1:\d+/", first[-1])
        second = setup(ledger, CLAUDE_CONFIG_DIR=str(claude))
        assert second[-1] == first[-1]
        assert process_of(second) == process_of(first)
        assert any(line.startswith("It runs already until ") for line in second)
    finally:
        os.kill(process_of(first), signal.SIGTERM)


@pytest.mark.slow
def test_setup_starts_none_where_a_build_machine_runs_it(tmp_path: Path) -> None:
    assert setup(tmp_path / "l.db", CI="true")[-1].startswith("Not started, since CI is set.")


class _State(BaseHTTPRequestHandler):
    """Answers as a dashboard of the ledger `mine.db` does."""

    def do_GET(self) -> None:
        answered = json.dumps({"database": str(Path("mine.db").absolute())}).encode()
        self.send_response(200)
        self.end_headers()
        self.wfile.write(answered)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (its name there)
        """Nothing."""


MINE, OTHER = Settings(database="mine.db"), Settings(database="other.db")
LATER = datetime(2126, 3, 2, tzinfo=UTC)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the ledgers are."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(serving, "PORT", 1)
    return tmp_path


@pytest.fixture
def address(folder: Path) -> Iterator[str]:
    """Where a dashboard of the ledger `mine.db` answers."""
    with HTTPServer(("127.0.0.1", 0), _State) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/"
        finally:
            server.shutdown()
            thread.join()


def test_one_at_the_usual_port_is_found_by_its_ledger(
    monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    monkeypatch.setattr(serving, "PORT", int(address.strip("/").rpartition(":")[2]))
    mine = running_dashboard(MINE)
    assert mine is not None
    assert (mine.address, mine.pid) == (address, None)
    assert running_dashboard(OTHER) is None
    assert running_dashboard(MINE, sample=True) is None


@pytest.mark.parametrize("sample", [False, True])
def test_one_at_another_port_is_found_by_its_note(address: str, *, sample: bool) -> None:
    note_dashboard(MINE, address, os.getpid(), LATER, sample=sample)
    assert running_dashboard(MINE, sample=sample) == Running(
        address=address, database=str(Path("mine.db").absolute()), pid=os.getpid(), until=LATER
    )
    assert running_dashboard(MINE, sample=not sample) is None


def test_a_note_is_stale_where_the_process_is_gone_or_shows_another_ledger(address: str) -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    note_dashboard(MINE, address, gone.pid, LATER)
    if sys.platform != "win32":
        assert running_dashboard(MINE) is None
    note_dashboard(OTHER, address, os.getpid(), LATER)
    assert running_dashboard(OTHER) is None
    note_dashboard(MINE, "http://127.0.0.1:1/", os.getpid(), LATER)
    assert running_dashboard(MINE) is None


@pytest.mark.parametrize("text", ["", "{", "[]", '{"address": 1}', '{"address": "x"}'])
def test_a_note_that_says_nothing_is_none(folder: Path, text: str) -> None:
    (folder / "mine.db.dashboard.json").write_text(text)
    assert running_dashboard(MINE) is None


@pytest.mark.parametrize("elsewhere", ["http://example.org/", "http://127.0.0.1.evil:80/", "file:"])
def test_nobody_else_is_asked(elsewhere: str) -> None:
    assert database_at(elsewhere) is None


@pytest.mark.usefixtures("folder")
def test_a_sample_that_does_not_answer_is_not_noted(monkeypatch: pytest.MonkeyPatch) -> None:
    note_dashboard(MINE, "http://127.0.0.1:1/", os.getpid(), LATER, sample=True)
    assert not samples_folder(MINE).exists()


def test_one_that_does_not_start_is_an_error_that_says_what_to_do(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    command = [sys.executable, "-c", "raise SystemExit('no')"]
    monkeypatch.setattr(background, "installed_command", lambda: command)
    with pytest.raises(BackgroundError, match="token-tracking dashboard"):
        start_dashboard(Settings(database=str(tmp_path / "l.db")), UTC)


@pytest.mark.skipif(sys.platform == "win32", reason="a signal there ends a process at once")
def test_a_time_limit_ends_the_process_as_a_signal_would() -> None:
    ended = threading.Event()

    def end(signum: int, frame: object) -> None:
        ended.set()

    before = signal.signal(signal.SIGTERM, end)
    try:
        with time_limit(0):
            assert ended.wait(30)
    finally:
        signal.signal(signal.SIGTERM, before)


def test_the_sample_has_a_ledger_that_does_not_last(folder: Path) -> None:
    with sample_ledger(Settings(database="mine.db", claude_dirs=(Path("mine"),))) as settings:
        assert settings.database is not None
        assert Path(settings.database).parent.is_dir()
        assert settings.claude_dirs == (SAMPLE,)
        with sample_ledger(MINE) as other:
            assert other.database != settings.database
        assert Path(settings.database).parent.is_dir()
    assert list(samples_folder(MINE).iterdir()) == []
    assert samples_folder(MINE) == folder / "samples"


KILLED = """
import os
from token_tracking_server.cli.sample import sample_ledger
from token_tracking_server.settings import Settings
with sample_ledger(Settings(database="mine.db")) as settings:
    open(settings.database, "w").close()
    os._exit(9)
"""


def test_what_a_killed_process_left_of_the_sample_is_removed_by_the_next(folder: Path) -> None:
    subprocess.run([sys.executable, "-c", KILLED], check=False)
    samples = samples_folder(MINE)
    assert len([each for each in samples.iterdir() if each.is_dir()]) == 1
    with sample_ledger(MINE):
        assert len([each for each in samples.iterdir() if each.is_dir()]) == 1
    assert list(samples.iterdir()) == []
