"""`token-tracking gateway` as a process of its own."""

import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Generator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from tests.gateway.raw import connected, post
from tests.upstream.broken_answers import CHUNKED, EVENT_STREAM, LAST_CHUNK, chunk, events, head
from tests.upstream.misbehaving import Hold, Misbehaving, Send
from token_tracking_server.cli import main

_TIMEOUT_SECONDS = 30
_STREAM = post("/v1/messages", b'{"model":"claude-opus-4-8","stream":true}')


@contextmanager
def _started(folder: Path, upstream: str) -> Generator[tuple["subprocess.Popen[str]", str]]:
    """The process, and what it said when it began."""
    config = folder / "gateway.toml"
    config.write_text(f'[upstreams.anthropic]\nbase_url = "{upstream}"\n')
    words = ["gateway", "--port", "0", "--config", str(config), "--db", str(folder / "ledger.db")]
    process = subprocess.Popen(
        [sys.executable, "-m", "token_tracking_server.cli", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    assert process.stdout
    assert process.stderr
    try:
        said = ""
        while "OPENAI_BASE_URL" not in said:
            line = process.stdout.readline()
            assert line, process.stderr.read()
            said += line
        yield process, said
    finally:
        process.kill()
        process.communicate(timeout=_TIMEOUT_SECONDS)


def _keys(ledger: Path) -> list[str]:
    with closing(sqlite3.connect(ledger)) as connection:
        return [row[0] for row in connection.execute("SELECT key FROM ledger")]


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGTERM to send")
def test_it_says_how_to_reach_it_and_at_a_signal_ends_after_what_is_under_way(
    any_misbehaving: Misbehaving, tmp_path: Path
) -> None:
    told = events("msg_01signal")
    with closing(Hold()) as hold:
        rest = b"".join(map(chunk, told[1:])) + LAST_CHUNK
        begun = head(200, [EVENT_STREAM, CHUNKED]) + chunk(told[0])
        any_misbehaving.script([Send(begun), hold, Send(rest)])
        with _started(tmp_path, any_misbehaving.base_url) as (process, said):
            found = re.search(r"ANTHROPIC_BASE_URL=http://127\.0\.0\.1:(\d+)$", said, re.MULTILINE)
            assert found, said
            with connected(int(found[1])) as raw:
                raw.send(_STREAM)
                raw.until(told[0])
                process.send_signal(signal.SIGTERM)
                hold.open()
                assert raw.to_end().data.endswith(LAST_CHUNK)
            assert process.wait(_TIMEOUT_SECONDS) == 0
            assert process.stderr
            assert process.stderr.read() == ""
    assert f"export OPENAI_BASE_URL=http://127.0.0.1:{found[1]}/v1" in said
    assert f"anthropic  {any_misbehaving.base_url}" in said
    assert _keys(tmp_path / "ledger.db") == ["msg_01signal"]


@pytest.mark.slow
def test_a_port_that_is_taken_is_said(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        words = ["gateway", "--port", str(port), "--db", str(tmp_path / "ledger.db")]
        ended = subprocess.run(
            [sys.executable, "-m", "token_tracking_server.cli", *words],
            check=False,
            capture_output=True,
            text=True,
            timeout=_TIMEOUT_SECONDS,
        )
    assert ended.returncode == 1
    said = f"token-tracking: Cannot listen on 127.0.0.1:{port}: Address already in use"
    assert ended.stderr.startswith(said)
    assert ended.stderr.endswith("Choose another port, or end what uses this one.\n")


def test_a_configuration_that_is_wrong_is_said_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "gateway.toml"
    path.write_text("[gateway]\nprot = 1\n")
    assert main(["gateway", "--config", str(path)]) == 1
    assert capsys.readouterr().err.startswith(
        f"token-tracking: {path}: gateway has an unknown key 'prot'. There are: host, port,"
    )


def test_another_machines_callers_need_a_token(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["gateway", "--host", "0.0.0.0"]) == 1
    assert "set TOKEN_TRACKING_GATEWAY_TOKEN to one" in capsys.readouterr().err
