"""The dashboard that `setup` ends with: a process of its own that ends by itself."""

import json
import os
import re
import signal
import subprocess
import sys
import threading
import urllib.request
from datetime import UTC
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from tests.transcripts import answer, write
from token_tracking_server.cli import background
from token_tracking_server.cli.background import BackgroundError, running_dashboard, start_dashboard
from token_tracking_server.cli.sample import SAMPLE, sample_ledger
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


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="a signal there ends a process at once")
def test_setup_ends_with_its_address_unless_a_build_machine_runs_it(tmp_path: Path) -> None:
    def setup(**environment: str) -> list[str]:
        done = subprocess.run(
            [sys.executable, "-m", "token_tracking_server.cli", "setup"],
            check=True,
            env={**os.environ, "TOKEN_TRACKING_DB": str(tmp_path / "l.db"), **environment},
            capture_output=True,
            text=True,
        )
        return done.stdout.splitlines()

    lines = setup(CI="")
    process = re.search(r"as process\s(\d+)", "\n".join(lines))
    assert process is not None
    os.kill(int(process[1]), signal.SIGTERM)
    assert re.fullmatch(r"Dashboard: http://127\.0\.0\.1:\d+/", lines[-1])
    assert setup(CI="true")[-1].startswith("Not started, since CI is set.")


class _State(BaseHTTPRequestHandler):
    """Answers as a dashboard of the ledger `mine.db` does."""

    def do_GET(self) -> None:
        answered = json.dumps({"database": str(Path("mine.db").absolute())}).encode()
        self.send_response(200)
        self.end_headers()
        self.wfile.write(answered)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (its name there)
        """Nothing."""


def test_one_that_runs_already_is_found_by_its_ledger(monkeypatch: pytest.MonkeyPatch) -> None:
    with HTTPServer(("127.0.0.1", 0), _State) as server:
        monkeypatch.setattr(serving, "PORT", server.server_port)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            mine, other = Settings(database="mine.db"), Settings(database="other.db")
            assert running_dashboard(mine) == f"http://127.0.0.1:{server.server_port}/"
            assert running_dashboard(other) is None
        finally:
            server.shutdown()
            thread.join()
    assert running_dashboard(mine) is None


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


def test_the_sample_has_a_ledger_that_does_not_last() -> None:
    with sample_ledger(Settings(database="mine.db", claude_dirs=(Path("mine"),))) as settings:
        assert settings.database is not None
        folder = Path(settings.database).parent
        assert folder.is_dir()
        assert settings.claude_dirs == (SAMPLE,)
    assert not folder.exists()
