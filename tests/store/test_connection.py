"""A database that cannot be used says why and what to do, and nothing is lost."""

import asyncio
import os
import sqlite3
import sys
from pathlib import Path

import pytest

from tests.ledgers import dump
from tests.store.test_contract import event
from tests.store.test_loads import LIBRARY, load
from token_tracking.errors import StoreError
from token_tracking.location import default_location, locate
from token_tracking.store import TokenStore
from token_tracking.store.migrate import MIGRATIONS, known_migrations


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("/data/ledger.db", "/data/ledger.db"),
        ("ledger.db", "ledger.db"),
        ("sqlite:////data/ledger.db", "/data/ledger.db"),
        ("sqlite:///ledger.db", "ledger.db"),
        ("sqlite:////data/a%20b.db", "/data/a b.db"),
        ("SQLite:////data/ledger.db", "/data/ledger.db"),
    ],
)
def test_a_database_is_a_path_or_a_url(given: str, expected: str) -> None:
    assert locate(given).path == Path(expected)


@pytest.mark.parametrize("given", ["", "  ", "sqlite://", "postgresql://host/db", "mysql://x/y"])
def test_what_names_no_supported_database_is_refused(given: str) -> None:
    with pytest.raises(StoreError):
        locate(given)


@pytest.mark.skipif(os.name == "nt", reason="drive letters are Windows'")
def test_the_default_is_a_file_in_the_users_data_folder(tmp_path: Path) -> None:
    if sys.platform != "darwin":
        found = default_location({"XDG_DATA_HOME": str(tmp_path)})
        assert found.path == tmp_path / "token-tracking" / "ledger.db"
    assert default_location({"TOKEN_TRACKING_DB": "/x.db"}).path == Path("/x.db")
    for left_out in (" ", "${user_config.database}"):
        assert default_location({"TOKEN_TRACKING_DB": left_out}).path.name == "ledger.db"


@pytest.mark.parametrize("name", ["plain.db", "with space.db", "ünï%20#?&.db", "a'b.db"])
async def test_any_file_name_will_do(tmp_path: Path, name: str) -> None:
    path = tmp_path / "new" / "folders" / name
    async with TokenStore.opened(path) as store:
        await store.save_usage(event())
    async with TokenStore.opened(path) as store:
        assert len(await store.get_recent_usage()) == 1
    assert path.is_file()


async def test_a_file_of_another_kind_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("these are notes, not a database" * 100)
    with pytest.raises(StoreError, match="not a token-tracking database"):
        await TokenStore.open(path)
    assert path.read_text().startswith("these are notes")


async def test_a_database_of_another_program_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.db"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE messages (id INTEGER)")
    connection.close()
    before = path.read_bytes()
    with pytest.raises(StoreError, match="another program"):
        await TokenStore.open(path)
    assert path.read_bytes() == before


async def test_a_database_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "l.db"
    await (await TokenStore.open(path)).close()
    with sqlite3.connect(path) as connection:
        connection.execute(
            "INSERT INTO _yoyo_migration (migration_hash, migration_id) VALUES ('x', '9999.future')"
        )
    connection.close()
    with pytest.raises(StoreError, match="newer version"):
        await TokenStore.open(path)


async def test_an_empty_file_becomes_a_ledger(tmp_path: Path) -> None:
    path = tmp_path / "l.db"
    path.touch()
    async with TokenStore.opened(path) as store:
        await store.save_usage(event())


async def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="--db"):
        await TokenStore.open(tmp_path / "file" / "l.db")


async def test_a_folder_in_the_place_of_the_file_is_said(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"cannot be opened|folder"):
        await TokenStore.open(tmp_path)


async def test_a_locked_database_says_so_and_nothing_is_saved(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("token_tracking.store.connection.BUSY_SECONDS", 0)
    path = tmp_path / "l.db"
    async with TokenStore.opened(path) as store:
        await store.save_usage(event())
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreError, match="locked by another program"):
            await store.save_usage(event("msg_2"))
        other.execute("COMMIT")
        other.close()
        assert len(await store.get_recent_usage()) == 1
        await store.save_usage(event("msg_2"))
        assert len(await store.get_recent_usage()) == 2


async def test_a_full_disk_says_so_and_what_was_saved_stays(tmp_path: Path) -> None:
    path = tmp_path / "l.db"
    async with TokenStore.opened(path) as store:
        await store.save_usage(event())
        connection = store._db  # pyright: ignore[reportPrivateUsage]
        ((pages,),) = await connection.execute_fetchall("PRAGMA page_count")
        await connection.execute(f"PRAGMA max_page_count = {pages}")
        many = [event(f"msg_{n:030}", version="x" * 500) for n in range(200)]
        with pytest.raises(StoreError, match="is the disk full"):
            await store.save_usage(many)
        assert len(await store.get_recent_usage()) == 1
        await connection.execute("PRAGMA max_page_count = 100000")
        await store.save_usage(many)
        assert len(await store.get_recent_usage(1000)) == 201


@pytest.mark.skipif(sys.platform == "win32", reason="permissions are POSIX ones")
async def test_a_read_only_ledger_can_be_read(tmp_path: Path) -> None:
    if os.geteuid() == 0:
        pytest.skip("root writes everything")
    path = tmp_path / "l.db"
    async with TokenStore.opened(path) as store:
        await store.save_usage(event())
    path.chmod(0o400)
    path.parent.chmod(0o500)
    try:
        async with TokenStore.opened(path) as store:
            assert len(await store.get_recent_usage()) == 1
            with pytest.raises(StoreError, match="read-only"):
                await store.save_usage(event("msg_2"))
    finally:
        path.parent.chmod(0o700)


async def test_a_ledger_of_the_first_version_is_upgraded_with_all_that_it_holds(
    tmp_path: Path,
) -> None:
    path = tmp_path / "l.db"
    async with TokenStore.opened(path) as store:
        await store.save_usage([event(), event("msg_2", session="s2")])
    _make_older(path)
    with sqlite3.connect(path) as older:
        assert not _tables(older) & {"loads", "multipliers", "due", "total_days"}
    older.close()
    async with TokenStore.opened(path) as store:
        assert {row.message_id for row in await store.get_recent_usage()} == {"msg_1", "msg_2"}
        assert {each.session_id for each in await store.due_sessions(1)} == {"s1", "s2"}
        await store.save_loads([load()], LIBRARY)
        assert len(await store.session_loads("s1")) == 1
    fresh = tmp_path / "fresh.db"
    async with TokenStore.opened(fresh) as store:
        await store.save_usage([event(), event("msg_2", session="s2")])
        await store.save_loads([load()], LIBRARY)
    assert await dump(path) == await dump(fresh)


def _make_older(path: Path) -> None:
    """Take away all that the migrations after the first one brought."""
    first = sqlite3.connect(":memory:")
    first.executescript((MIGRATIONS / "0001.ledger.sql").read_text())
    with sqlite3.connect(path) as newer:
        for table in _tables(newer) - _tables(first):
            if "yoyo" not in table:
                newer.execute(f"DROP TABLE {table}")
        for name in _tables(newer, "index") - _tables(first, "index"):
            if "yoyo" not in name and "autoindex" not in name:
                newer.execute(f"DROP INDEX {name}")
        newer.execute("DELETE FROM _yoyo_migration WHERE migration_id <> '0001.ledger'")
    newer.close()
    first.close()


def _tables(database: sqlite3.Connection, kind: str = "table") -> set[str]:
    query = "SELECT name FROM sqlite_master WHERE type = ?"
    return {row[0] for row in database.execute(query, (kind,))}


async def test_the_migrations_give_the_schema_of_their_files(tmp_path: Path) -> None:
    """Replayed one by one by the migration library, and at once by SQLite itself."""
    fresh = sqlite3.connect(":memory:")
    for file in sorted(MIGRATIONS.glob("*.sql")):
        fresh.executescript(file.read_text())
    path = tmp_path / "l.db"
    await (await TokenStore.open(path)).close()
    migrated = sqlite3.connect(path)
    query = "SELECT type, name, sql FROM sqlite_master WHERE name NOT LIKE '%yoyo%' ORDER BY name"
    assert [row[:2] for row in migrated.execute(query)] == [row[:2] for row in fresh.execute(query)]
    tables = [row[0] for row in fresh.execute("SELECT name FROM sqlite_master WHERE type='table'")]
    for table in tables:
        columns = f"PRAGMA table_info({table})"
        assert list(migrated.execute(columns)) == list(fresh.execute(columns))
    migrated.close()
    fresh.close()


async def test_opening_again_migrates_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "l.db"
    await (await TokenStore.open(path)).close()
    monkeypatch.setattr("token_tracking.store.store.migrate", None)
    await (await TokenStore.open(path)).close()
    assert len(known_migrations()) == len(list(MIGRATIONS.glob("*.sql")))


async def test_a_read_only_ledger_with_unwritten_figures_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "l.db"
    async with TokenStore.opened(path) as store:
        await store.save_usage(event())
        monkeypatch.setattr("token_tracking.store.connection._set_up", _read_only)
        with pytest.raises(StoreError, match="newer figures"):
            await TokenStore.open(path)
    async with TokenStore.opened(path) as store:
        assert len(await store.get_recent_usage()) == 1


async def _read_only(connection: object) -> None:
    raise sqlite3.OperationalError("attempt to write a readonly database")


async def test_a_writer_goes_on_where_nobody_gives_it_its_turn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fcntl = pytest.importorskip("fcntl")
    monkeypatch.setattr("token_tracking.store.turnstile._LONGEST_SECONDS", 0.01)
    async with TokenStore.opened(tmp_path / "l.db") as store:
        with (tmp_path / "l.db.turn").open() as other:
            fcntl.flock(other, fcntl.LOCK_EX)
            await store.save_usage(event())
        assert len(await store.get_recent_usage()) == 1


async def test_who_stops_waiting_for_a_save_leaves_the_ledger_usable(
    tmp_path: Path,
) -> None:
    async with TokenStore.opened(tmp_path / "l.db") as store:
        other = sqlite3.connect(tmp_path / "l.db", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(store.save_usage(event()), 0.05)
        other.execute("COMMIT")
        other.close()
        await store.save_usage(event("msg_2"))
        assert len(await store.get_recent_usage()) == 2


async def test_a_migration_that_was_cut_off_is_applied_again(tmp_path: Path) -> None:
    """Whoever applies one may be killed after any of its statements, before it is noted."""
    path = tmp_path / "ledger.db"
    async with TokenStore.opened(path):
        pass
    whole = await schema_of(path)
    for migration in sorted(known_migrations()):
        with sqlite3.connect(path) as connection:
            connection.execute("DELETE FROM _yoyo_migration WHERE migration_id = ?", [migration])
        connection.close()
        async with TokenStore.opened(path):
            pass
    assert await schema_of(path) == whole


async def schema_of(path: Path) -> list[tuple[str, str]]:
    connection = sqlite3.connect(path)
    rows = connection.execute("SELECT name, sql FROM sqlite_master WHERE name NOT LIKE '%yoyo%'")
    found = sorted((str(name), str(sql)) for name, sql in rows)
    connection.close()
    return found
