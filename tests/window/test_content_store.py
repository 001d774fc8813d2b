"""Every content store keeps its contract; the file keeps it across processes and restarts."""

import json
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from token_tracking.errors import StoreError
from token_tracking.store import TokenStore
from token_tracking.window.content_store import (
    FETCH_TOOL,
    ContentStore,
    MemoryContentStore,
    SqliteContentStore,
    StoredContent,
    contract,
    fetch,
    fetch_call,
    fetch_tool,
    file,
)
from token_tracking.window.errors import ContentStoreError


class Clock:
    """Seconds that pass when they are told to."""

    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


Make = Callable[[int], ContentStore]


def by_characters(text: str) -> int:
    return -(-len(text) // 4)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=["memory", "sqlite"])
def make(request: pytest.FixtureRequest, tmp_path: Path, clock: Clock) -> Iterator[Make]:
    """Opens a store of so many bytes: each kind in turn."""
    opened: list[SqliteContentStore] = []

    def made(max_bytes: int) -> ContentStore:
        if request.param == "memory":
            return MemoryContentStore(max_bytes, clock=clock)
        opened.append(SqliteContentStore(tmp_path / "c.db", max_bytes=max_bytes, clock=clock))
        return opened[-1]

    yield made
    for each in opened:
        each.close()


@pytest.fixture
def store(make: Make) -> ContentStore:
    return make(10_000)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "content.db"


def test_a_text_comes_back_with_where_it_came_from(store: ContentStore) -> None:
    handle = store.put("the text\n", tool="Read", subject="a.py")
    assert store.get(handle) == StoredContent(handle, "the text\n", "Read", "a.py")


def test_the_same_text_has_the_same_handle_in_every_store(store: ContentStore) -> None:
    handle = store.put("abc")
    assert handle == "c-ba7816bf8f01"  # SHA-256 of abc, from FIPS 180-2
    assert store.put("abc", tool="Read") == handle == MemoryContentStore().put("abc")
    assert store.put("abd") != handle


def test_putting_a_text_again_takes_no_more_room(make: Make) -> None:
    store = make(10)
    first = store.put("1234")
    for _ in range(5):
        store.put("5678")
    assert store.get(first)


@pytest.mark.parametrize("text", ["", "\x00", "漢字 😀", "half \ud83d of a pair", "a\r\nb"])
def test_any_text_comes_back_as_it_was(store: ContentStore, text: str) -> None:
    content = store.get(store.put(text, tool="x", subject=None))
    assert content
    assert content.text == text


@pytest.mark.parametrize("handle", ["", "c-000000000000", "c-ba78", "' OR 1=1 --", "\ud83d"])
def test_a_handle_that_is_not_kept_gives_nothing(store: ContentStore, handle: str) -> None:
    store.put("abc")
    assert store.get(handle) is None
    assert store.delete(handle) is False


def test_a_deleted_text_is_gone(store: ContentStore) -> None:
    handle, other = store.put("abc"), store.put("abd")
    assert store.delete(handle) is True
    assert store.get(handle) is None
    assert store.get(other)
    store.clear()
    assert store.get(other) is None


def test_what_was_used_longest_ago_leaves_first(make: Make, clock: Clock) -> None:
    store = make(12)
    handles: list[str] = []
    for text in ("aaaa", "bbbb", "cccc"):
        handles.append(store.put(text))
        clock.now += 100
    store.get(handles[0])
    clock.now += 100
    handles.append(store.put("dddd"))
    assert [store.get(handle) is not None for handle in handles] == [True, False, True, True]


def test_a_large_text_takes_the_room_of_several_small_ones(make: Make, clock: Clock) -> None:
    store = make(100)
    handles: list[str] = []
    for each in range(80):
        handles.append(store.put(f"{each:x}"[:1] + chr(65 + each % 50) if each else "z"))
        clock.now += 1
    large = store.put("L" * 100)
    assert store.get(large)
    assert all(store.get(handle) is None for handle in handles)


def test_a_text_that_is_larger_than_the_store_is_refused_and_changes_nothing(make: Make) -> None:
    store = make(10)
    kept = store.put("abc")
    with pytest.raises(ContentStoreError, match="max_bytes"):
        store.put("é" * 6)
    assert store.get(kept)


def test_what_was_not_used_for_long_expires_when_asked(store: ContentStore, clock: Clock) -> None:
    old, used = store.put("old"), store.put("used")
    clock.now += 3_600
    store.get(used)
    new = store.put("new")
    assert store.expire(timedelta(hours=2)) == 0
    assert store.expire(timedelta(minutes=30)) == 1
    assert [store.get(each) is not None for each in (old, used, new)] == [False, True, True]


def test_two_texts_whose_handles_would_be_the_same_get_different_ones(
    store: ContentStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Sha:
        def __init__(self, data: bytes) -> None:
            self.data = data

        def hexdigest(self) -> str:
            return "0" * 20 + self.data.hex().ljust(44, "0")

    monkeypatch.setattr(contract.hashlib, "sha256", Sha)
    first, second = store.put("one"), store.put("two")
    assert (len(first), len(second)) == (14, 26)
    assert store.put("one") == first
    assert store.put("two") == second
    for handle, text in ((first, "one"), (second, "two")):
        content = store.get(handle)
        assert content
        assert content.text == text


def test_threads_may_share_a_store(store: ContentStore) -> None:
    def work(number: int) -> bool:
        content = store.get(store.put(f"text {number % 20}"))
        return content is not None and content.text == f"text {number % 20}"

    with ThreadPoolExecutor(8) as threads:
        assert all(threads.map(work, range(200)))


@pytest.mark.parametrize("size", [0, -1])
def test_a_store_without_room_is_refused(make: Make, size: int) -> None:
    with pytest.raises(ContentStoreError, match="positive"):
        make(size)


def test_texts_survive_a_restart(path: Path) -> None:
    with SqliteContentStore(path) as store:
        handle = store.put("the text", tool="Read", subject="a.py")
    with SqliteContentStore(path) as store:
        assert store.get(handle) == StoredContent(handle, "the text", "Read", "a.py")


@pytest.mark.skipif(sys.platform == "win32", reason="no such modes there")
def test_only_the_owner_may_read_the_file_and_its_journals(path: Path) -> None:
    with SqliteContentStore(path) as store:
        store.put("a secret")
        modes = {each.name: stat.S_IMODE(each.stat().st_mode) for each in path.parent.iterdir()}
    assert len(modes) == 3
    assert set(modes.values()) == {0o600}
    path.chmod(0o644)
    with SqliteContentStore(path):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_deleted_text_is_not_left_in_the_file(path: Path) -> None:
    secret = "a very particular secret"
    with SqliteContentStore(path) as store:
        one, two = store.put(secret * 500), store.put(secret + "!")
        store.delete(one)
        store.delete(two)
    assert secret.encode() not in path.read_bytes()


def test_a_cleared_file_is_small_and_empty_at_once(path: Path) -> None:
    with SqliteContentStore(path) as store:
        for each in range(20):
            store.put(f"secret {each} " * 10_000)
        store.clear()
        assert sum(each.stat().st_size for each in path.parent.iterdir()) < 200_000
        assert all(b"secret" not in each.read_bytes() for each in path.parent.iterdir())


def test_a_text_expires_without_being_asked(path: Path, clock: Clock) -> None:
    keep = timedelta(days=2)
    with SqliteContentStore(path, keep=keep, clock=clock) as store:
        handle = store.put("the text")
        clock.now += timedelta(days=1).total_seconds()
        assert store.get(handle)
        clock.now += timedelta(days=1.5).total_seconds()
        assert store.get(handle)
        clock.now += timedelta(days=2.5).total_seconds()
        assert store.get(handle) is None
        store.put("another")
        assert _texts(path) == [b"another"]
        clock.now += timedelta(days=3).total_seconds()
    with SqliteContentStore(path, keep=keep, clock=clock):
        assert _texts(path) == []


def test_a_smaller_limit_holds_from_the_next_opening_on(path: Path, clock: Clock) -> None:
    with SqliteContentStore(path, clock=clock) as store:
        for each in range(100):
            store.put(f"{each:010}")
            clock.now += 1
    with SqliteContentStore(path, max_bytes=50, clock=clock):
        assert _texts(path) == [f"{each:010}".encode() for each in range(95, 100)]


def test_a_store_that_keeps_for_no_time_is_refused(path: Path) -> None:
    with pytest.raises(ContentStoreError, match="keep"):
        SqliteContentStore(path, keep=timedelta(0))


async def test_a_ledger_is_refused_and_stays_as_it_is(tmp_path: Path) -> None:
    ledger = tmp_path / "ledger.db"
    async with TokenStore.opened(f"sqlite:///{ledger}"):
        pass
    before = ledger.read_bytes(), ledger.stat().st_mode
    with pytest.raises(ContentStoreError, match="is a ledger, which never holds text"):
        SqliteContentStore(ledger)
    assert (ledger.read_bytes(), ledger.stat().st_mode) == before


async def test_a_ledger_refuses_the_file_of_a_content_store(path: Path) -> None:
    SqliteContentStore(path).close()
    with pytest.raises(StoreError, match="another program"):
        async with TokenStore.opened(f"sqlite:///{path}"):
            pass


def test_the_database_of_another_program_is_refused(tmp_path: Path) -> None:
    other = tmp_path / "other.db"
    connection = sqlite3.connect(other)
    connection.execute("CREATE TABLE things (name TEXT)")
    connection.close()
    with pytest.raises(ContentStoreError, match="another program"):
        SqliteContentStore(other)


def test_the_file_of_a_newer_version_is_refused(path: Path) -> None:
    SqliteContentStore(path).close()
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 2")
    connection.close()
    with pytest.raises(ContentStoreError, match="newer version"):
        SqliteContentStore(path)


def test_a_file_that_is_no_database_is_named(tmp_path: Path) -> None:
    notes = tmp_path / "notes.txt"
    notes.write_text("no database, but long enough to be taken for one\n" * 50)
    with pytest.raises(ContentStoreError, match=r"notes\.txt is no content store"):
        SqliteContentStore(notes)
    assert notes.read_text().startswith("no database")


def test_a_folder_cannot_be_a_content_store(tmp_path: Path) -> None:
    with pytest.raises(ContentStoreError, match="Choose another file"):
        SqliteContentStore(tmp_path)


def test_a_closed_store_says_so(path: Path) -> None:
    store = SqliteContentStore(path)
    store.close()
    store.close()
    with pytest.raises(ContentStoreError, match="was closed"):
        store.get("c-000000000000")
    with pytest.raises(ContentStoreError, match="was closed"):
        store.put("abc")


def test_while_another_writes_a_text_can_be_read_and_a_write_says_what_to_do(
    path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(file, "_BUSY_SECONDS", 0.01)
    with SqliteContentStore(path, clock=clock) as store:
        handle = store.put("the text")
        clock.now += 3_600
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        assert store.get(handle) == StoredContent(handle, "the text")
        with pytest.raises(ContentStoreError, match="Close what uses it, then try again"):
            store.put("another")
        other.execute("ROLLBACK")
        other.close()
        assert store.put("another")


_PROCESS = """
import sys
from token_tracking.window.content_store import SqliteContentStore
with SqliteContentStore(sys.argv[1]) as store:
    for each in range(30):
        store.put(f"{sys.argv[2]} {each}")
        store.put(f"shared {each}")
"""


@pytest.mark.slow
def test_processes_make_and_share_one_file(path: Path) -> None:
    started = [
        subprocess.Popen([sys.executable, "-c", _PROCESS, str(path), str(number)])
        for number in range(4)
    ]
    assert [process.wait(60) for process in started] == [0] * 4
    assert len(_texts(path)) == 4 * 30 + 30
    connection = sqlite3.connect(path)
    (total,) = connection.execute("SELECT total - (SELECT sum(size) FROM contents) FROM sizes")
    connection.close()
    assert total == (0,)


def _texts(path: Path) -> list[bytes]:
    connection = sqlite3.connect(path)
    rows = connection.execute("SELECT text FROM contents ORDER BY used_at").fetchall()
    connection.close()
    return [row[0] for row in rows]


def numbered(number: int) -> str:
    return "".join(f"line {each} of the log\n" for each in range(1, number + 1))


def test_a_text_that_fits_is_fetched_whole(store: ContentStore) -> None:
    handle = store.put(numbered(10))
    assert fetch(store, handle) == numbered(10)
    assert fetch(store, f"handle={handle}.", query="log") == numbered(10)
    assert fetch(store, handle, lines=(2, 3)) == "line 2 of the log\nline 3 of the log\n"


def test_a_long_text_is_fetched_from_its_head_with_a_note(store: ContentStore) -> None:
    handle = store.put(numbered(400))
    text = fetch(store, handle, max_tokens=200, count=by_characters)
    assert text.startswith("line 1 of the log\nline 2 ")
    last = text.splitlines()[-2].split()[1]
    assert text.endswith(f"[lines 1-{last} of 400 of {handle}; ask for other lines or a query]")
    assert 150 < by_characters(text) <= 200


def test_a_tail_ends_with_the_last_line(store: ContentStore) -> None:
    handle = store.put(numbered(400))
    text = fetch(store, handle, part="tail", max_tokens=200, count=by_characters)
    *_, last, note = text.splitlines()
    assert last == "line 400 of the log"
    assert note.startswith(f"[lines {text.split()[1]}-400 of 400 ")


def test_lines_that_do_not_fit_are_fetched_as_far_as_they_do(store: ContentStore) -> None:
    handle = store.put(numbered(400))
    seen, at = "", 1
    while at <= 400:
        text = fetch(store, handle, lines=(at, 10**9), max_tokens=300, count=by_characters)
        body, mark, note = text.partition("[lines ")
        seen += body
        at = int(note.split(" ")[0].split("-")[1]) + 1 if mark else 401
    assert seen == numbered(400)


def test_lines_that_are_not_there_are_answered_with_those_that_are(store: ContentStore) -> None:
    handle = store.put(numbered(10))
    assert fetch(store, handle, lines=(11, 20)) == f"{handle} has lines 1 to 10."
    assert fetch(store, handle, lines=(3, 2)) == "line 2 of the log\nline 3 of the log\n"
    assert fetch(store, handle, lines=(-5, 1)) == "line 1 of the log\n"


def test_a_query_fetches_the_lines_that_match(store: ContentStore) -> None:
    handle = store.put(numbered(200) + "a needle\n" + numbered(200))
    text = fetch(store, handle, query="needle", max_tokens=100, count=by_characters)
    assert "\na needle\n" in text
    assert by_characters(text) <= 100
    assert fetch(store, handle, query="zebra", max_tokens=100, count=by_characters) == (
        f"Nothing in {handle} matches 'zebra'. It has lines 1 to 401: ask for those, or for other"
        " words."
    )


def test_every_part_of_one_huge_line_can_be_fetched(store: ContentStore) -> None:
    text = "".join(f"{each:05} " for each in range(1_500))
    handle = store.put(text)
    found = [
        fetch(store, handle, lines=(each, each), max_tokens=400, count=by_characters)
        for each in range(1, 10)
    ]
    assert "".join(found) == text


@pytest.mark.parametrize("handle", ["", "the log", "c-12", "\ud83d\n\n" * 500])
def test_what_is_no_handle_is_answered_with_what_one_is(store: ContentStore, handle: str) -> None:
    answer = fetch(store, handle)
    assert "is no handle. Handles are like c-" in answer
    assert len(answer) < 300


def test_a_handle_that_is_gone_is_answered_with_what_to_do(store: ContentStore) -> None:
    assert fetch(store, "c-000000000000") == (
        "c-000000000000 is not kept any more. Call the tool that gave it again."
    )


def test_a_store_that_fails_is_an_answer_and_a_warning(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    store = SqliteContentStore(path)
    store.close()
    answer = fetch(store, "c-000000000000")
    assert answer == "c-000000000000 cannot be read now. Call the tool that gave it again."
    assert "was closed" in caplog.text


def test_a_call_of_the_tool_is_answered_in_either_form(store: ContentStore) -> None:
    handle = store.put(numbered(10))
    given_ = {"handle": handle, "lines": [2, 3]}
    assert fetch_call(store, given_) == fetch_call(store, json.dumps(given_))
    assert fetch_call(store, {"handle": handle, "lines": ["2", 2.0]}) == "line 2 of the log\n"
    assert fetch_call(store, {"handle": handle, "lines": 2}) == "line 2 of the log\n"
    assert fetch_call(store, handle) == numbered(10)
    assert fetch_call(store, {"handle": handle, "lines": [1, 2, 3]}).startswith("lines is [first,")


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=6,
)


@settings(deadline=None)
@given(
    st.text()
    | st.dictionaries(st.text(max_size=5), json_values)
    | st.fixed_dictionaries(
        {"handle": st.just("c-ba7816bf8f01") | json_values},
        optional={"lines": json_values, "query": json_values},
    )
)
def test_whatever_a_model_gives_is_answered(given_: str | dict[str, object]) -> None:
    store = MemoryContentStore()
    store.put("abc")
    assert fetch_call(store, given_, count=by_characters)


@settings(deadline=None)
@given(st.text(max_size=5_000), st.integers(100, 400), st.sampled_from(["head", "tail", None]))
def test_an_answer_is_never_longer_than_asked(text: str, most: int, part: str | None) -> None:
    store = MemoryContentStore()
    handle = store.put(text * 3)
    for answer in (
        fetch(store, handle, part=part, max_tokens=most, count=by_characters),
        fetch(store, handle, lines=(1, 50), max_tokens=most, count=by_characters),
        fetch(store, handle, query=text[:10], max_tokens=most, count=by_characters),
    ):
        assert by_characters(answer) <= most


def test_tokens_of_the_vocabulary_are_counted_where_no_count_is_given() -> None:
    store = MemoryContentStore()
    assert fetch(store, store.put("word " * 150), max_tokens=160) == "word " * 150
    assert len(fetch(store, store.put("word " * 400), max_tokens=160)) < 5 * 160


def test_the_tool_costs_few_tokens_and_has_both_forms() -> None:
    assert len(json.dumps(FETCH_TOOL)) < 450
    assert fetch_tool("anthropic") == FETCH_TOOL
    openai = fetch_tool("openai")
    assert openai["type"] == "function"
    assert openai["function"]["parameters"] == FETCH_TOOL["input_schema"]
    assert set(openai["function"]) == {"name", "description", "parameters"}
    with pytest.raises(ContentStoreError, match="anthropic or openai"):
        fetch_tool("gemini")


def test_the_tool_that_is_handed_out_is_the_caller_s_to_change() -> None:
    fetch_tool("anthropic")["input_schema"]["properties"].clear()
    assert FETCH_TOOL["input_schema"]["properties"]
