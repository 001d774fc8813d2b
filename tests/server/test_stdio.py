"""The server over standard input and output, as clients start it."""

import json
import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal

import pytest
from mcp import Client, StdioServerParameters, stdio_client

from tests.content.libraries import CACHING
from tests.content.libraries import write as write_document
from tests.server.asking import call as ask
from tests.server.asking import prompt, read
from tests.server.processes import (
    HANDSHAKE,
    SERVE,
    call,
    request,
    server_environment,
    started,
)
from tests.transcripts import SESSION, answer, usage, write
from token_tracking.store import TokenStore
from token_tracking_server.settings import Settings
from token_tracking_server.stdio import Unanswered

SIGNALS = [
    getattr(signal, name) for name in ("SIGTERM", "SIGINT", "SIGHUP") if hasattr(signal, name)
]
LIST_CHANGED = b'{"jsonrpc":"2.0","method":"notifications/resources/list_changed"}\n'
TRACKED = {
    "message_id": "msg_tracked",
    "usage": {"input_tokens": 1, "output_tokens": 1},
    "model": "claude-opus-4-6",
}


@pytest.fixture
def environment(settings: Settings, claude: Path) -> dict[str, str]:
    write(claude, [answer()])
    return server_environment(settings, CLAUDE_CODE_SESSION_ID=SESSION)


def answered(reply: dict[str, Any]) -> str:
    """The text of a tool's reply."""
    assert not reply["result"]["isError"]
    return reply["result"]["content"][0]["text"]


async def ledger_has(settings: Settings, key: str) -> bool:
    async with TokenStore.opened(settings.database) as store:
        return await store.has_message(key)


def is_clean(ended: tuple[int, bytes, bytes]) -> bool:
    """It ended by itself, wrote nothing to the log, and nothing more to the client than that the
    first look at the library found something."""
    status, rest, log = ended
    return (status, rest.replace(LIST_CHANGED, b""), log) == (0, b"", b"")


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_the_official_client_gets_everything(
    environment: dict[str, str], mode: Literal["auto", "legacy"]
) -> None:
    parameters = StdioServerParameters(command=SERVE[0], args=SERVE[1:], env=environment)
    async with Client(stdio_client(parameters), mode=mode) as client:
        assert client.server_info
        assert len((await client.list_tools()).tools) == 5
        for text in (
            await ask(client, "session_report"),
            await ask(client, "efficiency_report"),
            await read(client, "efficiency://summary"),
            await read(client, "efficiency://sessions"),
            await read(client, "efficiency://session/current"),
            await prompt(client),
        ):
            assert "$0.0003" in text


@pytest.mark.slow
@pytest.mark.parametrize("number", SIGNALS)
async def test_a_signal_ends_it_cleanly_with_what_was_answered_saved(
    environment: dict[str, str], settings: Settings, number: signal.Signals
) -> None:
    with started(environment) as server:
        server.send(HANDSHAKE, call(1, "track_usage", **TRACKED))
        server.reply()
        assert answered(server.reply()).startswith("Recorded `msg_tracked`")
        server.running.send_signal(number)
        assert server.running.wait() == 0
        assert is_clean(server.end())
    assert await ledger_has(settings, "msg_tracked")


@pytest.mark.slow
@pytest.mark.parametrize("number", SIGNALS)
def test_a_signal_ends_it_while_it_waits_for_its_first_message(
    environment: dict[str, str], number: signal.Signals
) -> None:
    script = (
        "import signal, sys\n"
        "from token_tracking_server import serving\n"
        "from token_tracking_server.settings import Settings\n"
        "create = serving._create_server\n"
        "def told(settings):\n"
        "    print('starting', file=sys.stderr, flush=True)\n"
        "    return create(settings)\n"
        "serving._create_server = told\n"
        "sys.exit(serving.serve_stdio(Settings.from_environment()))\n"
    )
    with started(environment, [sys.executable, "-c", script]) as server:
        assert server.stderr.readline() == b"starting\n"
        server.running.send_signal(number)
        assert server.running.wait() == 0
        assert is_clean(server.end())


@pytest.mark.slow
async def test_the_end_of_input_ends_it_once_everything_is_answered(
    environment: dict[str, str], settings: Settings
) -> None:
    asked = 20
    with started(environment) as server:
        server.send(HANDSHAKE, *(call(n, "efficiency_report") for n in range(1, asked)))
        server.send(call(asked, "track_usage", **TRACKED))
        status, rest, log = server.end()
    replies = [json.loads(line) for line in rest.splitlines()]
    assert (status, log) == (0, b"")
    assert {reply["id"] for reply in replies} == set(range(asked + 1))
    assert all(answered(reply) for reply in replies if reply["id"])
    assert await ledger_has(settings, "msg_tracked")


@pytest.mark.slow
def test_no_input_at_all_ends_it(environment: dict[str, str]) -> None:
    with started(environment) as server:
        assert is_clean(server.end())


@pytest.mark.slow
def test_a_client_that_reads_no_more_ends_it(environment: dict[str, str]) -> None:
    with started(environment) as server:
        server.send(HANDSHAKE)
        server.reply()
        server.stdout.close()
        server.send(request(1, "tools/list"))
        assert server.running.wait() == 0
        assert is_clean(server.end())


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="/bin/sh closes the streams")
@pytest.mark.parametrize(("closed", "name"), [("<&-", "input"), (">&- </dev/null", "output")])
def test_without_a_standard_stream_it_says_what_to_do(
    environment: dict[str, str], closed: str, name: str
) -> None:
    shell = ["/bin/sh", "-c", f'exec "$@" {closed}', "sh", *SERVE]
    with started(environment, shell) as server:
        status, rest, log = server.end()
    assert (status, rest) == (1, b"")
    assert log.decode() == (
        f"token-tracking: There is no standard {name}: an MCP client starts this command and"
        " talks to it there. For a server on its own, use --http 127.0.0.1:8765.\n"
    )


LOUD = """
import atexit, sys
from token_tracking_server import app, serving
from token_tracking_server.questions import Questions
from token_tracking_server.settings import Settings

def loud(function, word):
    def wrapped(*arguments, **named):
        print(word)
        return function(*arguments, **named)
    return wrapped

app.create_server = loud(app.create_server, "at the start")
Questions.report = loud(Questions.report, "in a tool")
Questions.close = loud(Questions.close, "while closing")
atexit.register(print, "at exit")
status = serving.serve_stdio(Settings.from_environment())
print("after it")
sys.exit(status)
"""


@pytest.mark.slow
def test_what_is_printed_goes_to_the_log_and_never_to_the_client(
    environment: dict[str, str],
) -> None:
    with started(environment, [sys.executable, "-c", LOUD]) as server:
        server.send(HANDSHAKE, call(1, "efficiency_report"))
        server.reply()
        assert "$0.0003" in answered(server.reply())
        status, rest, log = server.end()
    assert status == 0
    assert all("method" in json.loads(line) for line in rest.splitlines())
    assert sorted(log.decode().splitlines()) == [
        "after it",
        "at exit",
        "at the start",
        "in a tool",
        "while closing",
    ]


@pytest.mark.slow
def test_a_large_message_passes(environment: dict[str, str]) -> None:
    usage = {"input_tokens": 1, "output_tokens": 1, "note": "é" * 3_000_000}
    with started(environment) as server:
        server.send(HANDSHAKE, call(1, "track_usage", **{**TRACKED, "usage": usage}))
        server.reply()
        assert answered(server.reply()).startswith("Recorded")
        assert is_clean(server.end())


@pytest.mark.slow
def test_garbage_is_survived(environment: dict[str, str]) -> None:
    with started(environment) as server:
        server.send(HANDSHAKE)
        server.reply()
        server.send(
            b"garbage\n", b"\xff\x00\n", b"[]\n", b'{"id":1}\n', call(2, "efficiency_report")
        )
        while "result" not in (reply := server.reply()):
            pass
        assert "$0.0003" in answered(reply)
        assert server.end()[0] == 0


SECOND_PROCESS = """
import asyncio, os, sys
from token_tracking.ingest import ingest
from token_tracking.ingest.worker import Worker
from token_tracking_server.serving import serve_stdio
from token_tracking_server.settings import Settings

ingest._PARALLEL_BYTES = 0

async def never_done(worker, *arguments):
    print("worker", worker._child._process.pid, file=sys.stderr, flush=True)
    await asyncio.Event().wait()

Worker.give = never_done
sys.exit(serve_stdio(Settings.from_environment()))
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="asks the system for a process by its id")
@pytest.mark.parametrize("number", [None, *SIGNALS])
def test_no_orphan_is_left_when_it_ends_while_it_reads_in_two_processes(
    environment: dict[str, str], number: signal.Signals | None
) -> None:
    with started(environment, [sys.executable, "-c", SECOND_PROCESS]) as server:
        server.send(HANDSHAKE, call(1, "efficiency_report"))
        worker = int(server.stderr.readline().split()[1])
        if number is None:
            server.running.kill()
        else:
            server.running.send_signal(number)
        assert server.running.wait() == (0 if number else -signal.SIGKILL)
        server.end()
    assert any(is_gone(worker) for _ in range(1_000))


def is_gone(process: int) -> bool:
    """Whether a process has ended, even if nobody has asked yet how."""
    state = subprocess.run(
        ["ps", "-o", "stat=", "-p", str(process)], capture_output=True, check=False
    )
    return state.stdout.strip()[:1] in {b"", b"Z"}


def test_requests_are_unanswered_until_they_are_answered_or_cancelled() -> None:
    unanswered = Unanswered()
    unanswered.asked(request(1, "tools/list"))
    unanswered.asked(request(2, "tools/list").replace(b"2,", b'"two",'))
    unanswered.asked(b'{"method":"notifications/initialized"}')
    unanswered.asked(b"garbage")
    unanswered.asked(b'{"id":1,"method":"x","params":[1]}')
    unanswered.answered(b'{"id":1,"result":{}}')
    assert not unanswered.wait(0)
    unanswered.asked(b'{"method":"notifications/cancelled","params":{"requestId":"two"}}')
    assert unanswered.wait(0)
    unanswered.asked(request(3, "tools/list"))
    unanswered.clear()
    assert unanswered.wait(0)


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_content_is_searched_loaded_once_and_shown_with_its_effect(
    settings: Settings,
    claude: Path,
    tmp_path: Path,
    mode: Literal["auto", "legacy"],
) -> None:
    library = tmp_path / "library"
    write_document(library, "guides/caching.md", CACHING)
    environment = server_environment(
        settings, CLAUDE_CODE_SESSION_ID=SESSION, TOKEN_TRACKING_LIBRARY=str(library)
    )
    parameters = StdioServerParameters(command=SERVE[0], args=SERVE[1:], env=environment)
    async with Client(stdio_client(parameters), mode=mode) as client:
        index = await ask(client, "search_content", query="when does a write pay")
        assert "content://guides/caching#break-even" in index
        loading = {"uris": ["content://guides/caching#break-even"]}
        assert "second request" in await ask(client, "load_content", **loading)
        assert "second request" not in await ask(client, "load_content", **loading)
        later = datetime.now(UTC) + timedelta(seconds=1)
        billed = usage(10, cache_read_input_tokens=20_000)
        write(claude, [{**answer(billed=billed), "timestamp": later.isoformat()}])
        report = await ask(client, "session_report")
    assert "`content://guides/caching#break-even`" in report
    assert "1 load, " in report
    # The library is smaller than the two tools that lend it.
    assert "Just-in-time content lost" in report
