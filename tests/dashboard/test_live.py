"""The dashboard over a real ledger: transcripts that are read, attributed and shown."""

import http.client
import json
import re
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest

from tests.dashboard.browser import Browser
from tests.dashboard.serving import served
from tests.server.processes import Process, server_environment, started
from tests.transcripts import SESSION, answer, asked, text, tool_result, tool_use, usage, write
from token_tracking_server.dashboard.live import LiveFigures
from token_tracking_server.listening import listen
from token_tracking_server.settings import Settings

pytestmark = pytest.mark.slow

_COMMAND = [sys.executable, "-m", "token_tracking_server.cli", "dashboard", "--no-open"]
PATH = "/home/sam/shop/cart.py"
LINES = [
    asked("What is in the cart?", second=1),
    answer(
        "msg_a",
        uuid="u-a",
        parent="u-u",
        second=10,
        content=[tool_use("toolu_cart", "Read", file_path=PATH)],
        billed=usage(50, cache_creation_input_tokens=20_000),
        stop="tool_use",
    ),
    asked([tool_result("toolu_cart", "line\n" * 2_000)], uuid="u-r", parent="u-a", second=11),
    answer(
        "msg_b",
        uuid="u-b",
        parent="u-r",
        second=20,
        billed=usage(70, cache_read_input_tokens=20_000, cache_creation_input_tokens=4_000),
    ),
]
LATER = answer(
    "msg_c",
    uuid="u-c",
    parent="u-b",
    second=40,
    billed=usage(30, cache_read_input_tokens=24_000, cache_creation_input_tokens=100),
)


@pytest.fixture
def settings(tmp_path: Path, claude: Path) -> Settings:
    (claude / "projects").mkdir(parents=True)
    return Settings(database=str(tmp_path / "ledger.db"), claude_dirs=(claude,), timezone="UTC")


@pytest.fixture
def live(settings: Settings) -> Iterator[str]:
    """The address of a dashboard over the ledger, which is empty until something is written."""

    async def opened() -> LiveFigures:
        return await LiveFigures.open(settings, {})

    with served(opened) as address:
        yield address


def ask(address: str, path: str) -> Any:
    """An answer of the API."""
    answered = httpx.get(f"{address}api/{path}", timeout=20)
    assert answered.status_code == 200, answered.text
    return answered.json()


def test_a_reader_drills_down_from_a_project_to_one_item(
    browser: Browser, live: str, claude: Path
) -> None:
    write(claude, LINES)
    browser.open(live)
    browser.until(lambda: "2 messages" in browser.text("main"))
    browser.follow(browser.link("Projects"))
    browser.follow(browser.link("/home/sam/shop"))
    assert browser.text("h1") == "shop"
    browser.follow(browser.find(f"a[href*='{SESSION}']"))
    assert browser.text("h1").startswith("Session of 2 Mar 2026")

    timeline = ask(live, f"sessions/{SESSION}")
    [item] = [each for each in timeline["items"] if each["item"] == "toolu_cart"]
    assert sum(each["prompt_tokens"] for each in timeline["items"]) == 44_010
    assert browser.text("[data-stat='requests'] .value") == "2"
    assert browser.text("[data-stat='cost'] .value") == f"${timeline['cost_usd']:.2f}"

    browser.follow(browser.find("[data-table='items'] a[href*='toolu_cart']"))
    assert PATH in browser.text("h1")
    assert browser.text("[data-stat='cost'] .value") == f"${item['cost_usd']:.2f}"
    assert browser.text("[data-stat='billed'] .value") == f"{item['prompt_tokens']:,}"
    assert browser.text("[data-stat='tokens'] .value") == f"{item['tokens']:,}"
    assert "the prompt of one request" in browser.text("#words-card")
    assert browser.complaints() == []
    assert all(address.startswith(live) for address in browser.requested())


def test_the_page_follows_the_transcripts_by_itself(
    browser: Browser, live: str, claude: Path
) -> None:
    browser.open(live)
    assert browser.text("h1") == "Nothing to show yet"
    path = write(claude, LINES)
    browser.until(lambda: "2 messages" in browser.text("main"))
    browser.open(f"{live}#/session/{SESSION}")
    browser.until(lambda: browser.text("#request h3") == "Request 1 of 2")
    with path.open("a", encoding="utf-8") as transcript:
        transcript.write(text([LATER]))
    browser.until(lambda: browser.text("#request h3") == "Request 1 of 3")


def test_the_figures_of_each_view_are_those_of_the_ledger(live: str, claude: Path) -> None:
    write(claude, [*LINES, LATER])
    with httpx.stream("GET", f"{live}api/events", timeout=20) as news:
        lines = news.iter_lines()
        while ask(live, "state")["messages"] < 3 or ask(live, "state")["problem"]:
            next(lines)
    snapshot = ask(live, "snapshot?period=all_time")
    overall = snapshot["overall"]
    assert (overall["messages"], overall["prompt_tokens"]) == (3, 68_115)
    groups = ask(live, "groups?by=tool&period=all_time")
    assert sum(row["prompt_tokens"] for row in groups["rows"]) == 68_115
    assert groups["totals"]["prompt_tokens"] == 68_115
    assert ask(live, "sessions?project=/home/sam/shop")["sessions"][0]["messages"] == 3
    trend = ask(live, "trend?period=2026-03-01..2026-03-04&project=/home/sam/shop")
    assert sum(point["messages"] for point in trend["points"]) == 3
    timeline = ask(live, f"sessions/{SESSION}")
    assert timeline["prompt_tokens"] == 68_115
    assert isinstance(ask(live, "advice"), list)


def test_the_items_of_a_group_are_found_by_what_its_row_says(live: str, claude: Path) -> None:
    write(claude, [*LINES, LATER])
    with httpx.stream("GET", f"{live}api/events", timeout=20) as news:
        lines = news.iter_lines()
        while ask(live, "state")["messages"] < 3 or ask(live, "state")["problem"]:
            next(lines)
    for question in ("by=tool&kind=tool&name=Read", f"by=path&uri={PATH}"):
        for period in ("all_time", "2026-03-01..2026-03-04&project=/home/sam/shop"):
            found = ask(live, f"items?{question}&period={period}")
            assert [each["item"] for each in found["rows"]] == ["toolu_cart"]
            assert found["looked_at"] is None
            assert found["group"]["cost_usd"] == found["rows"][0]["cost_usd"]
    # What an item costs after a part of time is no share of it.
    part = ask(live, f"items?by=path&uri={PATH}&period=2026-03-01..2026-03-04")
    assert part["rows"][0]["share"] is None
    assert ask(live, f"items?by=path&uri={PATH}")["rows"][0]["share"] > 0
    assert ask(live, "items?by=path&uri=/nowhere")["rows"] == []
    assert len(ask(live, "items?by=agent&agent=")["rows"]) > 2


def test_what_does_not_exist_is_an_error(live: str) -> None:
    for path, status, says in (
        ("snapshot?period=fortnight", 400, "fortnight"),
        ("sessions/nobody", 404, "The ledger has no session nobody."),
    ):
        answered = httpx.get(f"{live}api/{path}", timeout=20)
        assert (answered.status_code, says in answered.json()["error"]) == (status, True)


def test_an_empty_ledger_has_empty_answers(live: str) -> None:
    state = ask(live, "state")
    assert (state["messages"], state["last_at"]) == (0, None)
    assert ask(live, "sessions") == {"sessions": [], "next_offset": None}
    assert ask(live, "groups?by=tool")["rows"] == []
    assert ask(live, "snapshot")["overall"]["cost_usd"] in {0, None}


def address_of(dashboard: Process) -> str:
    """What the command says first."""
    told = dashboard.stdout.readline().decode()
    found = re.fullmatch(r"Dashboard: (http://127\.0\.0\.1:\d+/)\n", told)
    assert found, (told, dashboard.stderr.read())
    return found[1]


@pytest.mark.skipif(sys.platform == "win32", reason="no signal can be sent to one process")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_command_ends_quietly_while_a_page_is_open(
    settings: Settings, claude: Path, number: signal.Signals
) -> None:
    write(claude, LINES)
    environment = server_environment(settings)
    with started(environment, [*_COMMAND, "--port", "0"]) as dashboard:
        address = address_of(dashboard)
        host = address.removeprefix("http://").rstrip("/")
        connection = http.client.HTTPConnection(host, timeout=20)
        connection.request("GET", "/api/events")
        assert connection.getresponse().status == 200
        assert json.loads(httpx.get(f"{address}api/state", timeout=20).text)["timezone"] == "UTC"
        dashboard.running.send_signal(number)
        assert dashboard.end() == (0, b"", b"")
        connection.close()


def test_a_port_that_was_asked_for_and_is_taken_is_an_error(settings: Settings) -> None:
    with listen("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        with started(server_environment(settings), [*_COMMAND, "--port", str(port)]) as dashboard:
            ended, output, log = dashboard.end()
    assert (ended, output) == (1, b"")
    assert f"Cannot listen on 127.0.0.1:{port}" in log.decode()
    assert b"Traceback" not in log


def test_only_this_machine_is_served(settings: Settings) -> None:
    with started(server_environment(settings), [*_COMMAND, "--host", "0.0.0.0"]) as dashboard:
        ended, output, log = dashboard.end()
    assert (ended, output) == (1, b"")
    assert "0.0.0.0 can be reached from other machines" in log.decode()
