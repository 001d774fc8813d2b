"""Sessions are kept in order, apart from each other, and no longer than they should be."""

import asyncio
import stat
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from tests.upstream.app import Clock
from token_tracking.errors import StoreError
from token_tracking.store.migrate import migrate
from token_tracking.usage import Usage
from token_tracking_server.gateway.database import MIGRATIONS, GatewayDatabase
from token_tracking_server.gateway.histories import (
    Histories,
    Session,
    SessionChangedError,
    SessionFullError,
    is_session_id,
    new_session_id,
)

SECRET = "the launch code is 00000000"


def user(text: str) -> dict[str, str]:
    return {"role": "user", "content": text}


def new(session_id: str = "s") -> Session:
    return Session(
        id=session_id, form="anthropic", model="claude-opus-5-5", upstream="u", strategy="default"
    )


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A new file: making one takes a quarter of a second."""

    async def make(path: Path) -> None:
        await (await GatewayDatabase.open(path)).close()

    path = tmp_path_factory.mktemp("empty") / "gateway.db"
    asyncio.run(make(path))
    return path.read_bytes()


@pytest.fixture
async def histories(tmp_path: Path, clock: Clock, empty: bytes) -> AsyncIterator[Histories]:
    (tmp_path / "gateway.db").write_bytes(empty)
    async with Histories.opened(tmp_path / "gateway.db", ttl_seconds=100, clock=clock) as opened:
        yield opened


async def test_a_session_is_as_it_was_added(histories: Histories, clock: Clock) -> None:
    session = replace(new(), system=[{"type": "text", "text": "be kind"}], budget={"a": 1})
    added = await histories.add(session, [user("a"), user("b")])
    now = round(clock() * 1000)
    assert added == replace(
        session,
        created_at=now,
        used_at=now,
        expires_at=now + 100_000,
        messages=2,
        bytes=added.bytes,
    )
    assert await histories.get("s") == added
    assert await histories.messages("s") == [user("a"), user("b")]


async def test_messages_stay_in_order_over_many_turns(histories: Histories) -> None:
    session = new()
    for number in range(30):
        session = await histories.add(session, [user(str(number)), user(f"{number}!")])
    said = [each["content"] for each in await histories.messages("s")]
    assert said == [text for n in range(30) for text in (str(n), f"{n}!")]


async def test_a_long_history_comes_back_as_well(histories: Histories) -> None:
    messages = [user("x" * 100_000) for _ in range(8)]
    await histories.add(new(), messages)
    assert await histories.messages("s") == messages


async def test_a_text_that_is_no_valid_unicode_comes_back_as_it_was(histories: Histories) -> None:
    broken = user("half of a pair: \ud83d, and ümläut")
    await histories.add(new(), [broken])
    assert await histories.messages("s") == [broken]


async def test_of_two_who_go_on_with_one_session_the_second_is_told(histories: Histories) -> None:
    first = await histories.add(new(), [user("a")])
    await histories.add(first, [user("b")])
    with pytest.raises(SessionChangedError, match="Send this one again"):
        await histories.add(first, [user("c")])
    with pytest.raises(SessionChangedError):
        await histories.add(new(), [user("d")])
    assert [each["content"] for each in await histories.messages("s")] == ["a", "b"]


async def test_a_whole_turn_can_be_put_behind_anothers(histories: Histories) -> None:
    begun = replace(new(), system="be kind")
    first = await histories.add(begun, [user("a")])
    await histories.add(first, [user("b")])
    added = await histories.add_behind(new(), [user("c")])
    assert added.messages == 3
    assert added.system == "be kind"
    assert await histories.get("s") == added
    assert [each["content"] for each in await histories.messages("s")] == ["a", "b", "c"]


CALL: dict[str, Any] = {"type": "tool_use", "id": "t", "name": "f", "input": {}}
RESULT = {"type": "tool_result", "tool_use_id": "t", "content": "1"}


@pytest.mark.parametrize(
    ("last", "turn"),
    [
        ({"role": "assistant", "content": [CALL]}, user("b")),
        ({"role": "assistant", "content": None, "tool_calls": [{"id": "t"}]}, user("b")),
        (user("a"), {"role": "user", "content": [RESULT]}),
        (user("a"), {"role": "tool", "tool_call_id": "t", "content": "1"}),
    ],
)
async def test_no_turn_is_put_between_calls_and_their_results(
    histories: Histories, last: object, turn: object
) -> None:
    await histories.add(new(), [last])
    with pytest.raises(SessionChangedError):
        await histories.add_behind(new(), [turn])
    assert await histories.messages("s") == [last]


async def test_what_was_deleted_is_not_begun_again_by_a_turn_behind(histories: Histories) -> None:
    with pytest.raises(SessionChangedError):
        await histories.add_behind(new(), [user("a")])
    await histories.add(new(), [user("a")])
    with pytest.raises(SessionChangedError):
        await histories.add_behind(replace(new(), form="openai"), [user("b")])


async def test_of_many_at_once_exactly_one_goes_on(histories: Histories) -> None:
    tried = [histories.add(new(), [user(str(number))]) for number in range(10)]
    ended = await asyncio.gather(*tried, return_exceptions=True)
    assert sum(isinstance(each, Session) for each in ended) == 1
    assert len(await histories.messages("s")) == 1


async def test_what_was_billed_is_added_up_and_the_unknown_counted(histories: Histories) -> None:
    await histories.add(new(), [user("a")])
    usage = Usage(input_tokens=5, output_tokens=7, cache_read_tokens=11)
    await histories.bill("s", usage)
    await histories.bill("s", usage)
    await histories.bill("s", None)
    await histories.bill("nobody", usage)
    session = await histories.get("s")
    assert session is not None
    billed = (session.requests, session.prompt_tokens, session.output_tokens, session.unbilled)
    assert billed == (3, 32, 14, 1)


async def test_going_on_does_not_lose_what_was_billed_in_between(histories: Histories) -> None:
    session = await histories.add(new(), [user("a")])
    await histories.bill("s", Usage(input_tokens=5, output_tokens=7))
    await histories.add(session, [user("b")])
    found = await histories.get("s")
    assert found is not None
    assert found.prompt_tokens == 5


async def test_a_session_expires_after_its_last_use(histories: Histories, clock: Clock) -> None:
    session = await histories.add(new(), [user("a")])
    clock.advance(99)
    session = await histories.add(session, [user("b")])
    clock.advance(99.9)
    assert await histories.get("s") is not None
    clock.advance(0.1)
    assert await histories.get("s") is None
    assert await histories.list(limit=10) == []
    assert await histories.count() == 0
    assert not await histories.delete("s")


async def test_an_expired_session_begins_afresh(histories: Histories, clock: Clock) -> None:
    await histories.add(new(), [user(SECRET)])
    clock.advance(100)
    await histories.add(new(), [user("b")])
    assert await histories.messages("s") == [user("b")]


@pytest.mark.parametrize("how", ["deleted", "expired", "begun again"])
async def test_text_that_is_gone_stands_in_no_file(
    histories: Histories, clock: Clock, tmp_path: Path, how: str
) -> None:
    await histories.add(new(), [user(SECRET * 500)])
    assert any(SECRET.encode() in file.read_bytes() for file in tmp_path.glob("gateway.db*"))
    if how == "deleted":
        assert await histories.delete("s")
    elif how == "expired":
        clock.advance(100)
        assert await histories.expire() == 1
    else:
        clock.advance(100)
        await histories.add(new(), [])
    for file in tmp_path.glob("gateway.db*"):
        assert SECRET.encode() not in file.read_bytes(), file.name
    assert await histories.messages("s") == []


async def test_who_holds_text_in_memory_is_told_what_is_gone(
    histories: Histories, clock: Clock
) -> None:
    gone: list[str] = []
    histories.when_gone(gone.append)
    for name in ("a", "b", "c"):
        await histories.add(new(name), [user(name)])
    await histories.delete("nobody")
    await histories.delete("b")
    assert gone == ["b"]
    clock.advance(100)
    await histories.add(new("a"), [user("again")])
    await histories.expire()
    assert sorted(gone) == ["a", "b", "c"]


async def test_what_expired_while_nobody_ran_is_deleted_at_the_next_start(tmp_path: Path) -> None:
    clock = Clock()
    path = tmp_path / "gateway.db"
    async with Histories.opened(path, ttl_seconds=100, clock=clock) as histories:
        await histories.add(new(), [user(SECRET)])
    clock.advance(100)
    async with Histories.opened(path, ttl_seconds=100, clock=clock):
        assert not any(
            SECRET.encode() in file.read_bytes() for file in tmp_path.glob("gateway.db*")
        )


async def test_the_last_used_session_is_listed_first(histories: Histories, clock: Clock) -> None:
    for name in ("a", "b", "c"):
        await histories.add(new(name), [user(name)])
        clock.advance(1)
    assert [each.id for each in await histories.list(limit=2)] == ["c", "b"]
    assert [each.id for each in await histories.list(limit=2, offset=2)] == ["a"]
    assert await histories.count() == 3


async def test_a_history_has_a_largest_size(tmp_path: Path) -> None:
    database = await GatewayDatabase.open(tmp_path / "gateway.db")
    histories = Histories(database, most_bytes=1000)
    session = await histories.add(new(), [user("x" * 900)])
    with pytest.raises(SessionFullError, match="DELETE /sessions/s"):
        await histories.add(session, [user("x" * 900)])
    histories.check_room(session)
    with pytest.raises(SessionFullError):
        histories.check_room(replace(session, bytes=1000))
    await database.close()


@pytest.mark.skipif("sys.platform == 'win32'")
async def test_only_the_owner_may_read_the_file(histories: Histories, tmp_path: Path) -> None:
    await histories.add(new(), [user("a")])
    for file in tmp_path.glob("gateway.db*"):
        if "lock" not in file.name:
            assert stat.S_IMODE(file.stat().st_mode) == 0o600, file.name


async def test_a_transaction_that_fails_leaves_nothing(histories: Histories) -> None:
    await histories.add(new(), [user("a")])

    async def fail() -> None:
        async with histories.database.transaction() as connection:
            await connection.execute("DELETE FROM sessions")
            raise ValueError("stop")

    with pytest.raises(ValueError, match="stop"):
        await fail()
    assert await histories.messages("s") == [user("a")]


async def test_a_file_of_another_program_stays_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    migrate(path)
    with pytest.raises(StoreError, match="another program"):
        await GatewayDatabase.open(path)


async def test_the_migrations_make_the_file_once(tmp_path: Path) -> None:
    path = tmp_path / "gateway.db"
    for _ in range(2):
        database = await GatewayDatabase.open(path)
        rows = await database.fetch("SELECT migration_id FROM _yoyo_migration ORDER BY 1")
        await database.close()
        assert [row[0] for row in rows] == sorted(each.stem for each in MIGRATIONS.glob("*.sql"))


@pytest.mark.parametrize("name", ["a", "A.b_c:d-9", "x" * 128, "session-26999475"])
def test_an_id_may_be(name: str) -> None:
    assert is_session_id(name)


def test_a_new_id_is_one() -> None:
    assert is_session_id(new_session_id())


@pytest.mark.parametrize("name", ["", ".a", "a/b", "a\n", "ä", "x" * 129, "a b", None, 3])
def test_an_id_may_not_be(name: object) -> None:
    assert not is_session_id(name)
