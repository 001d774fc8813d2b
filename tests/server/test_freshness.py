"""Figures are as fresh as the files at the time of the question, or say how old they are."""

import asyncio
import os
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from mcp import Client

from tests.server.asking import call, read
from tests.transcripts import SESSION, answer, write
from token_tracking.errors import StoreError
from token_tracking.ingest import Ingested, Progress
from token_tracking_server.app import create_server
from token_tracking_server.freshness import Freshness
from token_tracking_server.gaps import age
from token_tracking_server.questions import Questions
from token_tracking_server.settings import Settings


class Files:
    """Files that are read when `may_go_on` says so. Each reading brings what stands there when
    it begins."""

    def __init__(self) -> None:
        self.content = 0
        self.readings = 0
        self.began = asyncio.Semaphore(0)
        self.may_go_on = asyncio.Event()

    async def ingest(self, progress: Progress) -> Ingested:
        self.readings += 1
        self.began.release()
        seen = self.content
        progress(5_000_000, 12_000_000)
        await self.may_go_on.wait()
        return Ingested(files=seen)


@pytest.fixture
def files() -> Files:
    return Files()


@pytest.fixture
async def freshness(files: Files) -> AsyncIterator[Freshness]:
    made = Freshness(files.ingest)
    yield made
    await made.close()


async def _asked(freshness: Freshness) -> int:
    ingested = (await freshness.look()).ingested
    assert ingested is not None
    return ingested.files


async def test_questions_that_wait_share_a_look_that_begins_after_them(
    freshness: Freshness, files: Files
) -> None:
    first = asyncio.create_task(_asked(freshness))
    await files.began.acquire()
    files.content = 1
    others = [asyncio.create_task(_asked(freshness)) for _ in range(5)]
    await asyncio.sleep(0)
    files.content = 2
    files.may_go_on.set()
    assert await first == 0
    assert await asyncio.gather(*others) == [2] * 5
    assert files.readings == 2


async def test_a_question_that_is_cancelled_takes_the_look_from_nobody(
    freshness: Freshness, files: Files
) -> None:
    asking = [asyncio.create_task(_asked(freshness)) for _ in range(2)]
    await files.began.acquire()
    asking[0].cancel()
    await asyncio.wait({asking[0]})
    files.may_go_on.set()
    assert await asking[1] == 0


async def test_closing_ends_a_look_that_is_under_way(freshness: Freshness, files: Files) -> None:
    asking = asyncio.create_task(_asked(freshness))
    await files.began.acquire()
    await freshness.close()
    with pytest.raises(asyncio.CancelledError):
        await asking


async def test_a_long_look_is_not_waited_for(files: Files) -> None:
    freshness = Freshness(files.ingest, patience=0)
    await freshness.look()
    await files.began.acquire()
    look = await freshness.look()
    assert look.problem == (
        "the transcripts are still being read (5 of 12 MB). Ask again in a moment."
    )
    await freshness.close()


async def test_a_fault_of_ours_is_logged_and_told(caplog: pytest.LogCaptureFixture) -> None:
    async def fail(progress: Progress) -> Ingested:
        raise ZeroDivisionError("secret")

    look = await Freshness(fail).look()
    assert look.problem == "a fault in token-tracking, which stands in the server's log."
    assert "ZeroDivisionError: secret" in caplog.text


async def test_a_failure_keeps_the_time_of_the_last_success() -> None:
    outcomes: list[str | None] = [None, "locked"]

    async def ingest(progress: Progress) -> Ingested:
        if problem := outcomes.pop(0):
            raise StoreError(problem)
        return Ingested()

    freshness = Freshness(ingest)
    before = datetime.now(UTC)
    first = await freshness.look()
    assert (first.problem, await freshness.look()) == (
        None,
        (None, "locked", first.last_at, None),
    )
    assert first.last_at is not None
    assert first.last_at >= before


class Sessions:
    """Sessions that are attributed when `may_go_on` says so."""

    def __init__(self, files: Files) -> None:
        self._files = files
        self.began = asyncio.Semaphore(0)
        self.may_go_on = asyncio.Event()
        self.seen: list[int] = []

    async def settle(self, progress: Progress) -> None:
        self.seen.append(self._files.readings)
        self.began.release()
        progress(3, 12)
        await self.may_go_on.wait()


async def test_what_was_read_is_attributed(files: Files) -> None:
    sessions = Sessions(files)
    freshness = Freshness(files.ingest, settle=sessions.settle)
    files.may_go_on.set()
    sessions.may_go_on.set()
    assert (await freshness.settled()).unsettled is None
    await freshness.look()
    assert sessions.seen == [1]


async def test_a_long_attribution_is_not_waited_for_and_goes_on(files: Files) -> None:
    sessions = Sessions(files)
    freshness = Freshness(files.ingest, patience=0, settle=sessions.settle)
    files.may_go_on.set()
    await freshness.settled()
    await sessions.began.acquire()
    look = await freshness.settled()
    assert look.unsettled == (
        "they are still being attributed (3 of 12 sessions). Ask again in a moment."
    )
    sessions.may_go_on.set()
    await sessions.began.acquire()
    await freshness.close()


async def test_an_attribution_that_fails_hides_no_figure(
    files: Files, caplog: pytest.LogCaptureFixture
) -> None:
    problems: list[Exception] = [StoreError("locked"), ZeroDivisionError("secret")]

    async def settle(progress: Progress) -> None:
        raise problems.pop(0)

    freshness = Freshness(files.ingest, settle=settle)
    files.may_go_on.set()
    for says in ("locked", "a fault in token-tracking, which stands in the server's log."):
        look = await freshness.settled()
        assert (look.problem, look.unsettled) == (None, says)
    assert "ZeroDivisionError: secret" in caplog.text


async def test_each_question_sees_the_files_of_its_time(client: Client, claude: Path) -> None:
    lines = [answer("msg_0", uuid="0")]
    for number in range(1, 4):
        write(claude, lines)
        counted = f"for {number} message{'s' if number > 1 else ''}"
        assert counted in await call(client, "efficiency_report")
        assert counted in await read(client, "efficiency://summary")
        assert counted in await read(client, "efficiency://sessions")
        assert f"· {number} message" in await call(client, "session_report", session_id=SESSION)
        lines.append(answer(f"msg_{number}", uuid=f"{number}", second=number))


async def test_figures_of_a_ledger_that_cannot_be_written_say_how_old_they_are(
    settings: Settings, claude: Path
) -> None:
    path = write(claude, [answer()])
    old = (datetime.now(UTC) - timedelta(hours=3)).timestamp()
    os.utime(path, (old, old))
    about = await Questions.open(settings, {})
    await about.summary()
    await about.close()
    write(claude, [answer(), answer("msg_b", uuid="b")])
    prices = claude / "prices.toml"
    prices.write_text("no prices")
    broken = Settings(
        database=settings.database,
        claude_dirs=settings.claude_dirs,
        user_prices=prices,
        timezone="UTC",
    )
    async with Client(create_server(broken, {})) as client:
        for text in (
            await call(client, "efficiency_report"),
            await call(client, "session_report", session_id=SESSION),
            await read(client, "efficiency://summary"),
            await read(client, "efficiency://sessions"),
        ):
            assert (
                "> **These figures are not up to date:** they hold what was written up to" in text
            )
            assert "(3 hours ago). Why: " in text
            assert str(prices) in text
            assert "1 message" in text


async def test_a_locked_ledger_is_read_while_another_program_writes_it(
    settings: Settings, claude: Path
) -> None:
    assert settings.database is not None
    write(claude, [answer()])
    about = await Questions.open(settings, {}, patience=0.1)
    with closing(sqlite3.connect(settings.database, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        text = await about.report("all", "day")
        other.execute("ROLLBACK")
    assert "no transcript has been read yet. Why: the transcripts are still being read" in text
    await about.close()


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "less than a minute"),
        (60, "1 minute"),
        (7_199, "1 hour"),
        (7_200, "2 hours"),
        (86_400 * 3, "3 days"),
    ],
)
def test_ages_are_told_in_one_unit(seconds: float, text: str) -> None:
    assert age(seconds) == text
