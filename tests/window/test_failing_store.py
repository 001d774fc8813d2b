"""A content store that fails, or takes long: the request goes out all the same."""

import asyncio
import json
import sqlite3
import threading
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.window.talk import Message, agent, prepare, said, tool_round, user, window_of, words
from token_tracking.window.content_store import (
    MemoryContentStore,
    SqliteContentStore,
    StoredContent,
)
from token_tracking.window.errors import ContentStoreError
from token_tracking.window.policies.cap import CapToolResults
from token_tracking.window.policies.clear import ClearToolResults
from token_tracking.window.policies.emergency import Emergency
from token_tracking.window.prepared import Prepared


class FailingStore:
    """Cannot be written; it notes how often it was asked, and in which threads."""

    def __init__(self) -> None:
        self.asked = 0
        self.threads: set[int] = set()

    def put(self, text: str, *, tool: str | None = None, subject: str | None = None) -> str:
        self.asked += 1
        self.threads.add(threading.get_ident())
        raise ContentStoreError("the disk is full")

    def get(self, handle: str) -> StoredContent | None:
        raise ContentStoreError("the disk is full")

    def delete(self, handle: str) -> bool:
        raise ContentStoreError("the disk is full")

    def clear(self) -> None:
        raise ContentStoreError("the disk is full")

    def expire(self, older_than: timedelta) -> int:
        raise ContentStoreError("the disk is full")


def with_store(name: str, store: Any) -> Any:
    """A policy with a store, and a window in which it has to act on `agent(6, 1_000)`."""
    if name == "clear":
        return window_of(ClearToolResults(keep=1, is_gated=False, store=store))
    if name == "cap":
        return window_of(CapToolResults(max_tokens=300, store=store))
    return window_of(Emergency(store=store), context=3_000)


def troubles(prepared: Prepared) -> list[str]:
    return [each.why for each in prepared.actions if each.policy == "content_store"]


@pytest.mark.parametrize("name", ["clear", "cap", "emergency"])
async def test_what_a_store_cannot_keep_is_taken_out_without_a_handle(name: str):
    prepared = await prepare(with_store(name, FailingStore()), agent(6, 1_000))
    assert not said(prepared, words(1_000, "found")) or name != "cap"
    assert not said(prepared, "handle=")
    assert troubles(prepared) == ["the disk is full"]
    assert any(action.is_done and action.tokens > 1_000 for action in prepared.actions)


@pytest.mark.parametrize("name", ["clear", "cap", "emergency"])
async def test_a_store_that_fails_is_asked_once_a_request(name: str):
    store = FailingStore()
    await prepare(with_store(name, store), agent(6, 1_000))
    assert store.asked == 1


async def test_a_store_that_failed_is_asked_again_in_the_next_request():
    store = FailingStore()
    window = with_store("cap", store)
    await prepare(window, agent(1, 1_000))
    prepared = await prepare(window, agent(2, 1_000))
    assert store.asked == 2
    assert len(troubles(prepared)) == 1


@pytest.mark.parametrize("name", ["clear", "cap"])
async def test_a_text_too_large_for_the_store_does_not_keep_others_out(name: str):
    store = MemoryContentStore(max_bytes=4_000)
    messages = [*agent(1, 2_000), *tool_round(1, 400), *tool_round(2, 2_000), *tool_round(3, 5)]
    prepared = await prepare(with_store(name, store), messages)
    assert str(prepared.messages).count("handle=") == 1
    (trouble,) = troubles(prepared)
    assert "max_bytes" in trouble


async def ticking(gaps: list[float]) -> None:
    while True:
        before = time.perf_counter()
        await asyncio.sleep(0.001)
        gaps.append(time.perf_counter() - before)


@pytest.mark.parametrize("name", ["clear", "cap", "emergency"])
async def test_a_store_is_never_asked_on_the_event_loop(name: str):
    store = FailingStore()
    await prepare(with_store(name, store), agent(6, 1_000))
    assert store.threads
    assert threading.get_ident() not in store.threads


@pytest.mark.parametrize("name", ["clear", "emergency"])
async def test_a_store_that_is_locked_holds_nobody_up_for_long(tmp_path: Path, name: str):
    path, gaps = tmp_path / "contents.db", list[float]()
    with SqliteContentStore(path) as store:
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        clock = asyncio.create_task(ticking(gaps))
        await asyncio.sleep(0)
        started = time.perf_counter()
        prepared = await prepare(with_store(name, store), agent(13, 400))
        seconds = time.perf_counter() - started
        await asyncio.sleep(0.01)  # a last gap is told behind it
        clock.cancel()
        other.execute("ROLLBACK")
        other.close()
    assert "is locked by another program" in troubles(prepared)[0]
    assert seconds < 2  # a quarter of a second, and not for each of twelve results
    assert max(gaps) < 0.2


def written(**arguments: Any) -> list[Message]:
    call: Message = {"type": "tool_use", "id": "w1", "name": "write", "input": arguments}
    result = {"type": "tool_result", "tool_use_id": "w1", "content": "ok"}
    return [
        user("write it"),
        {"role": "assistant", "content": [call]},
        {"role": "user", "content": [result]},
        *tool_round(1, 5),
    ]


async def kept_of(messages: list[Message]) -> str:
    """What is fetched by the one handle in a prompt."""
    store = MemoryContentStore()
    window = window_of(ClearToolResults(keep=1, is_gated=False, least_tokens=50, store=store))
    text = str((await prepare(window, messages)).messages)
    kept = store.get(text.split("handle=")[1][:14])
    assert kept is not None
    return kept.text


async def test_a_long_argument_is_fetched_as_it_was():
    body = "\n".join(f'line "{number}" of it' for number in range(200))
    assert await kept_of(written(path="a.md", content=body)) == body


async def test_several_long_arguments_are_fetched_as_json():
    arguments = {"path": "ü.md", "old": words(300, "old"), "new": words(300, "new")}
    text = await kept_of(written(**arguments))
    assert json.loads(text) == arguments
    assert "ü" in text


async def test_a_long_list_among_arguments_is_fetched_as_json():
    edits = [{"old": f"a{number}", "new": f"b {number}"} for number in range(100)]
    assert json.loads(await kept_of(written(path="a.md", edits=edits))) == edits


async def test_openais_long_argument_is_fetched_as_it_was():
    body = words(300)
    function = {"name": "write", "arguments": json.dumps({"path": "a.md", "content": body})}
    call = {"id": "c1", "type": "function", "function": function}
    look = {"id": "c2", "type": "function", "function": {"name": "look", "arguments": "{}"}}
    messages: list[Message] = [
        user("write it"),
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "c1", "content": "ok"},
        {"role": "assistant", "content": None, "tool_calls": [look]},
        {"role": "tool", "tool_call_id": "c2", "content": "ok"},
    ]
    assert await kept_of(messages) == body
