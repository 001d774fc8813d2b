"""Who subscribed to figures hears of their changes."""

from pathlib import Path
from typing import Any, Literal

import pytest
from mcp import Client, StdioServerParameters
from mcp.client.session import IncomingMessage
from mcp.types import ResourceUpdatedNotification

from tests.server.asking import read
from tests.server.processes import SERVE, server_environment, started
from tests.server.test_http import port_of
from tests.server.test_subscriptions import Heard, events, subscribe
from tests.transcripts import SESSION, answer, asked, write
from token_tracking_server.app import Server
from token_tracking_server.figure_watch import FigureWatch
from token_tracking_server.questions import Questions
from token_tracking_server.settings import Settings

SUMMARY = "efficiency://summary"
SNAPSHOT = "efficiency://snapshot/all_time"
THIS = f"efficiency://session/{SESSION}"
OTHER = "efficiency://session/other"
ADVICE = "efficiency://advice"
TOP = "efficiency://top/cost"
DAY = "2026-03-02..2026-03-03"
TREND, DAY_SNAPSHOT = f"efficiency://trends/{DAY}", f"efficiency://snapshot/{DAY}"


class News(Heard):
    """What a client is told of figures: the library is found meanwhile."""

    async def __call__(self, message: IncomingMessage) -> None:
        if isinstance(message, ResourceUpdatedNotification):
            await super().__call__(message)


@pytest.fixture
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    """Looks follow each other at once."""
    monkeypatch.setattr("token_tracking_server.figure_watch.LOOK_SECONDS", 0.01)


@pytest.mark.usefixtures("often")
async def test_a_client_of_2025_hears_of_new_figures(server: Server, claude: Path) -> None:
    heard = News()
    write(claude, [answer("msg_other", uuid="o", sessionId="other")], "other")
    async with Client(server, mode="legacy", message_handler=heard) as client:
        await read(client, OTHER)
        await subscribe(client, OTHER, SUMMARY, THIS)
        write(claude, [asked(), answer()])
        assert sorted(await heard.next(2)) == [THIS, SUMMARY]
        write(claude, [asked(), answer(), answer("msg_b", uuid="b", second=20)])
        assert sorted(await heard.next(2)) == [THIS, SUMMARY]


@pytest.mark.usefixtures("often")
async def test_a_client_of_2026_hears_of_new_figures(server: Server, claude: Path) -> None:
    async with (
        Client(server) as client,
        client.listen(resource_subscriptions=[SNAPSHOT, TOP]) as stream,
    ):
        write(claude, [asked(), answer()])
        assert sorted(await events(stream, 2)) == [SNAPSHOT, TOP]


@pytest.mark.parametrize("transport", ["stdio", "http"])
async def test_it_is_told_on_every_transport(
    settings: Settings, claude: Path, transport: Literal["stdio", "http"]
) -> None:
    heard = News()
    environment = server_environment(settings)

    async def hear(place: str | StdioServerParameters) -> None:
        async with Client(place, mode="legacy", message_handler=heard) as client:
            await subscribe(client, THIS)
            write(claude, [asked(), answer()])
            # A new subscription has a look of its own: nobody has to wait for the next.
            await subscribe(client, SUMMARY)
            assert THIS in await heard.next(1)

    if transport == "stdio":
        await hear(StdioServerParameters(command=SERVE[0], args=SERVE[1:], env=environment))
    else:
        with started(environment, [*SERVE, "--http", "127.0.0.1:0"]) as process:
            await hear(f"http://127.0.0.1:{port_of(process)}/mcp")


async def test_a_change_by_another_program_is_seen(settings: Settings, claude: Path) -> None:
    about, other = [await Questions.open(settings, {}) for _ in range(2)]
    watch = FigureWatch()
    await watch.remember(about, [SUMMARY, THIS, OTHER])
    write(claude, [answer()])
    assert await watch.look(about) == [THIS, SUMMARY]
    assert await watch.look(about) == []
    usage = {"input_tokens": 5, "output_tokens": 5}
    await other.track("msg_x", usage, {"model": "claude-opus-4-6", "session_id": "other"})
    assert await watch.look(about) == [OTHER, SUMMARY]
    await about.close()
    await other.close()


async def test_what_is_written_without_a_new_figure_is_no_news(
    settings: Settings, claude: Path
) -> None:
    write(claude, [answer()])
    about = await Questions.open(settings, {})
    await about.settled()
    watch = FigureWatch()
    await watch.remember(about, [SUMMARY, THIS])
    write(claude, [answer(), {"type": "other", "sessionId": SESSION}])
    assert await watch.look(about) == []
    await about.close()


async def test_a_change_of_the_period_before_is_news_of_the_trend(
    settings: Settings, claude: Path
) -> None:
    write(claude, [answer()])
    about = await Questions.open(settings, {})
    await about.settled()
    watch = FigureWatch()
    await watch.remember(about, [TREND, DAY_SNAPSHOT])
    before: dict[str, Any] = {"timestamp": "2026-03-01T09:00:00.000Z", "sessionId": "before"}
    write(claude, [answer("msg_before", uuid="before", **before)], "before")
    assert await watch.look(about) == [DAY_SNAPSHOT, TREND]
    after: dict[str, Any] = {"timestamp": "2026-03-09T09:00:00.000Z", "sessionId": "after"}
    write(claude, [answer("msg_after", uuid="after", **after)], "after")
    assert await watch.look(about) == []
    await about.close()


async def test_advice_and_top_lists_are_news_when_they_are_others(
    settings: Settings, claude: Path
) -> None:
    about = await Questions.open(settings, {})
    watch = FigureWatch()
    await watch.remember(about, [ADVICE, TOP, "efficiency://top/none"])
    write(claude, [asked(), answer()])
    assert await watch.look(about) == [TOP]
    await about.close()


async def test_what_does_not_exist_is_no_news_until_it_does(
    settings: Settings, claude: Path
) -> None:
    about = await Questions.open(settings, {})
    watch = FigureWatch()
    await watch.remember(about, [THIS, "efficiency://snapshot/soon"])
    assert await watch.look(about) == []
    write(claude, [answer()])
    assert await watch.look(about) == [THIS]
    await about.close()


async def test_who_has_left_is_forgotten(settings: Settings, claude: Path) -> None:
    about = await Questions.open(settings, {})
    watch = FigureWatch()
    await watch.remember(about, [SUMMARY, THIS])
    watch.forget_all_but({THIS})
    write(claude, [answer()])
    assert await watch.look(about) == [THIS]
    await about.close()
