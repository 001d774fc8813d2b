"""Claude Code before the local upstream: with the gateway in between it does the same, and what the
gateway saw is what its transcript says.

It is run where a `claude` is on the path, or `TOKEN_TRACKING_TEST_CLAUDE` names one; it asks
nothing but the local upstream.
"""

import asyncio
import json
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.contract.gateways import gateway_before
from tests.contract.ledger import Ledger, counts_told
from tests.contract.processes import ingest, quiet_environment
from tests.upstream.app import Upstream
from tests.upstream.received import Received
from tests.upstream.scripts import Answer, Failure, ToolUse, Turn
from tests.upstream.serve import served
from tests.upstream.values import blocks
from token_tracking.store import TokenStore

CLAUDE = os.environ.get("TOKEN_TRACKING_TEST_CLAUDE") or shutil.which("claude")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CLAUDE is None, reason="there is no `claude` here to run"),
]


@dataclass(frozen=True)
class Run:
    """What one run of Claude Code told, and the folder that it wrote its transcript into."""

    told: dict[str, Any]
    claude_dir: Path

    @property
    def seen(self) -> tuple[Any, ...]:
        """What is the same in every run: its answer, its turns, what it counted."""
        names = ("result", "num_turns", "stop_reason", "is_error", "usage", "total_cost_usd")
        return tuple(self.told[name] for name in names)


def run(folder: Path, base_url: str, prompt: str) -> Run:
    """`claude -p PROMPT`, in a home of its own and a folder with one file."""
    assert CLAUDE is not None
    home, work = folder / "home", folder / "work"
    home.mkdir(parents=True)
    work.mkdir()
    (work / "note.txt").write_text("A note of one line.\n")
    environment = quiet_environment(home) | {
        "ANTHROPIC_BASE_URL": base_url,
        "ANTHROPIC_API_KEY": "test",
        "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
        "DISABLE_AUTOUPDATER": "1",
        "DISABLE_TELEMETRY": "1",
    }
    done = subprocess.run(
        [CLAUDE, "-p", prompt, "--output-format", "json"],
        env=environment, cwd=work, stdin=subprocess.DEVNULL, capture_output=True, text=True,
        check=False, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return Run(json.loads(done.stdout), home / ".claude")


def read_the_note(received: Received) -> Turn:
    """Reads the file once, then has done."""
    answered = any(
        block["type"] == "tool_result"
        for message in received.messages
        for block in blocks(message["content"])
    )
    if answered:
        return Answer("The note has one line.", thinking="That was short.")
    # The folder differs from run to run, and the file does not.
    return Answer("I read the note.", (ToolUse("Read", {"file_path": "note.txt"}, "toolu_01note"),))


def ledger_of(folder: Path) -> Path:
    path = folder / "ledger.db"

    async def create() -> None:
        async with TokenStore.opened(f"sqlite:///{path}"):
            pass

    asyncio.run(create())
    return path


def messages_of(upstream: Upstream) -> dict[str, Received]:
    """The requests that were answered with a message, by its id."""
    return {each.message_id: each for each in upstream.requests if each.message_id}


def test_it_does_the_same_through_the_gateway(tmp_path: Path) -> None:
    with served() as upstream:
        upstream.script(read_the_note)
        direct = run(tmp_path / "same", upstream.base_url, "What is in the note?")
        alone = [(each.method, each.path, each.query, each.status) for each in upstream.requests]
        sent = [set(each.headers) - {"connection"} for each in upstream.requests]
    shutil.rmtree(tmp_path / "same")
    with (
        served() as upstream,
        gateway_before(upstream.base_url, upstream.base_url, ledger_of(tmp_path)) as gateway,
    ):
        upstream.script(read_the_note)
        through = run(tmp_path / "same", gateway.url, "What is in the note?")
        assert [
            (each.method, each.path, each.query, each.status) for each in upstream.requests
        ] == alone
        through_it = [set(each.headers) - {"connection"} for each in upstream.requests]
        assert through_it == sent
    assert direct.told["result"] == "The note has one line."
    assert through.seen == direct.seen


def test_a_message_seen_by_the_gateway_and_in_the_transcript_is_one(tmp_path: Path) -> None:
    database = ledger_of(tmp_path)
    with (
        served() as upstream,
        gateway_before(upstream.base_url, upstream.base_url, database) as gateway,
    ):
        upstream.script(read_the_note)
        done = run(tmp_path / "run", gateway.url, "What is in the note?")
        assert gateway.recorder.flush()
    ledger = Ledger(database)
    told = messages_of(upstream)
    session = done.told["session_id"]
    assert len(told) == len(ledger) == 2
    for name, received in told.items():
        assert received.headers["x-claude-code-session-id"] == session
        (entry,) = ledger.entries(name)
        assert (entry.counts, entry.is_final) == (counts_told(received), True)
        assert (entry.session, entry.source) == (session, "gateway")
    ingest(database, done.claude_dir, quiet_environment(tmp_path))
    assert len(ledger) == 2
    for name, received in told.items():
        (entry,) = ledger.entries(name)
        assert (entry.counts, entry.session) == (counts_told(received), session)


def test_an_overloaded_upstream_is_asked_again_through_the_gateway(tmp_path: Path) -> None:
    failures = iter([Failure(529, retry_after=0.01), Failure(429, retry_after=0.01)])
    with (
        served() as upstream,
        gateway_before(upstream.base_url, upstream.base_url, ledger_of(tmp_path)) as gateway,
    ):
        upstream.script(lambda _: next(failures, "At last."))
        done = run(tmp_path / "run", gateway.url, "Say it.")
    assert done.told["result"] == "At last."
    assert [each.status for each in upstream.requests] == [529, 429, 200]
