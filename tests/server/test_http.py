"""The server over HTTP, on this machine only."""

import http.client
import json
import re
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pytest
from mcp import Client

from tests.server.asking import call, prompt, read
from tests.server.processes import SERVE, Process, request, server_environment, started
from tests.transcripts import SESSION, answer, write
from token_tracking_server.http import ServingError, is_loopback, listen
from token_tracking_server.settings import Settings

HEADERS = {
    "Content-Type": "application/json",
    "Accept": "application/json, text/event-stream",
}
INITIALIZE = request(
    0,
    "initialize",
    protocolVersion="2025-11-25",
    capabilities={},
    clientInfo={"name": "test", "version": "1"},
)


@pytest.fixture
def environment(settings: Settings, claude: Path) -> dict[str, str]:
    write(claude, [answer()])
    return server_environment(settings, CLAUDE_CODE_SESSION_ID=SESSION)


@pytest.fixture
def serving(environment: dict[str, str]) -> Iterator[Process]:
    with started(environment, [*SERVE, "--http", "127.0.0.1:0"]) as server:
        yield server


def port_of(server: Process) -> int:
    """The free port that it took, as it tells."""
    told = server.stderr.readline().decode()
    found = re.fullmatch(r"Serving MCP on http://127\.0\.0\.1:(\d+)/mcp \(Ctrl-C ends it\)\n", told)
    assert found, told
    return int(found[1])


def status(port: int, **headers: str) -> int:
    """The status of a handshake with other headers."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    sent = {**HEADERS, **{name.replace("_", "-"): value for name, value in headers.items()}}
    connection.request("POST", "/mcp", INITIALIZE, sent)
    answered = connection.getresponse()
    answered.read()
    connection.close()
    return answered.status


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_the_official_client_gets_everything(
    serving: Process, mode: Literal["auto", "legacy"]
) -> None:
    async with Client(f"http://127.0.0.1:{port_of(serving)}/mcp", mode=mode) as client:
        assert len((await client.list_tools()).tools) == 5
        for text in (
            await call(client, "session_report"),
            await call(client, "efficiency_report"),
            await read(client, "efficiency://summary"),
            await read(client, "efficiency://session/current"),
            await prompt(client),
        ):
            assert "$0.0003" in text


@pytest.mark.slow
async def test_several_clients_share_the_ledger(serving: Process) -> None:
    address = f"http://127.0.0.1:{port_of(serving)}/mcp"
    async with Client(address) as one, Client(address, mode="legacy") as other:
        usage = {"input_tokens": 1, "output_tokens": 1}
        await call(one, "track_usage", message_id="msg_1", usage=usage, model="claude-opus-4-6")
        assert "for 2 messages" in await call(other, "efficiency_report")
        assert "for 2 messages" in await call(one, "efficiency_report")


@pytest.mark.slow
def test_no_web_page_reaches_it_through_a_browser(serving: Process) -> None:
    port = port_of(serving)
    assert status(port) == 200
    assert status(port, Host=f"localhost:{port}", Origin="http://localhost:5173") == 200
    assert status(port, Host="evil.example") == 421
    assert status(port, Host=f"evil.example:{port}") == 421
    assert status(port, Origin="http://evil.example") == 403
    assert status(port, Origin="null") == 403


@pytest.mark.slow
@pytest.mark.parametrize(
    "number",
    [getattr(signal, name) for name in ("SIGTERM", "SIGINT", "SIGHUP") if hasattr(signal, name)],
)
def test_a_signal_ends_it_cleanly(serving: Process, number: signal.Signals) -> None:
    port = port_of(serving)
    assert status(port) == 200
    serving.running.send_signal(number)
    assert serving.running.wait() == 0
    assert serving.end() == (0, b"", b"")


@pytest.mark.slow
@pytest.mark.parametrize("number", ["SIGTERM", "SIGINT"])
def test_a_signal_ends_it_while_a_client_listens(serving: Process, number: str) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port_of(serving), timeout=20)
    connection.request("POST", "/mcp", INITIALIZE, HEADERS)
    answered = connection.getresponse()
    session = answered.headers["mcp-session-id"]
    assert json.loads(re.sub(rb"(?s).*data: ", b"", answered.read()))["result"]
    connection.request("GET", "/mcp", headers={**HEADERS, "mcp-session-id": session})
    assert connection.getresponse().status == 200
    serving.running.send_signal(getattr(signal, number))
    assert serving.running.wait() == 0
    connection.close()
    assert b"Traceback" not in serving.end()[2]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("address", "says"),
    [
        ("0.0.0.0:0", "0.0.0.0 can be reached from other machines"),
        ("nowhere", "--http nowhere: write HOST:PORT"),
    ],
)
def test_an_address_that_will_not_do_says_what_will(
    environment: dict[str, str], address: str, says: str
) -> None:
    with started(environment, [*SERVE, "--http", address]) as server:
        ended, output, log = server.end()
    assert (ended, output) == (1, b"")
    assert says in log.decode()
    assert b"Traceback" not in log


def test_a_port_that_is_taken_is_named() -> None:
    with listen("127.0.0.1", 0) as first:
        port = first.getsockname()[1]
        with pytest.raises(ServingError, match=f"Cannot listen on 127.0.0.1:{port}: Address"):
            listen("127.0.0.1", port)


@pytest.mark.parametrize("host", ["192.0.2.1", "name.invalid"])
def test_an_address_of_another_machine_is_not_said_to_be_taken(host: str) -> None:
    with pytest.raises(ServingError, match="It is no address of this machine") as refused:
        listen(host, 0, asks_for_token=True)
    assert "another port" not in str(refused.value)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9", "localhost", "::1"])
def test_this_machine_is_served(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.2", "example.com", ""])
def test_no_other_machine_is_served(host: str) -> None:
    assert not is_loopback(host)
    with pytest.raises(ServingError, match=r"Listen on 127\.0\.0\.1"):
        listen(host, 0)


if sys.platform == "win32":  # a console's signals reach every process of it
    pytestmark = pytest.mark.skip(reason="no signal can be sent to one process")
