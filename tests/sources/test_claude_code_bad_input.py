"""Whatever stands in the files: every good line counts, and what was skipped is counted."""

import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.transcripts import FORK, answer, usage, write
from token_tracking.errors import SourceError
from token_tracking.ingest import ingest_claude_code
from token_tracking.metrics import TokenMetrics
from token_tracking.store import TokenStore

_GOOD = answer("msg_good", uuid="good", second=50)


async def messages(store: TokenStore, claude: Path) -> set[str]:
    await ingest_claude_code(store, [claude])
    return {message.message_id for message in await store.get_recent_usage(1000)}


@pytest.mark.parametrize(
    "line",
    [
        "{",
        "null",
        "3",
        '"text"',
        "[]",
        "\x00\x00\x00",
        '{"type": "assistant"',
        '{"a": ' + "[" * 5000,
        "}{",
    ],
)
async def test_a_line_that_is_no_json_object_is_malformed(
    store: TokenStore, claude: Path, line: str
) -> None:
    write(claude, [line, _GOOD])
    assert await messages(store, claude) == {"msg_good"}
    assert await store.line_counts() == (1, 2, 1, 0)


@pytest.mark.parametrize(
    "billed",
    [
        None,
        {},
        [],
        "usage",
        {"input_tokens": 1},
        usage(-1),
        usage(1.5),  # pyright: ignore[reportArgumentType]
        usage("7"),  # pyright: ignore[reportArgumentType]
        usage(True),
        usage(10**12),
        usage(1, cache_read_input_tokens=-1),
        usage(1, cache_creation_input_tokens=10**30),
    ],
)
async def test_an_answer_without_a_valid_usage_is_skipped(
    store: TokenStore, claude: Path, billed: Any
) -> None:
    bad = answer("msg_bad")
    bad["message"]["usage"] = billed
    write(claude, [bad, _GOOD])
    assert await messages(store, claude) == {"msg_good"}
    assert await store.line_counts() == (1, 2, 0, 1)


@pytest.mark.parametrize(
    "line",
    [
        {"type": "assistant"},
        {"type": "assistant", "message": "text"},
        {"type": "assistant", "message": []},
    ],
)
async def test_an_answer_without_a_message_is_skipped(
    store: TokenStore, claude: Path, line: dict[str, Any]
) -> None:
    write(claude, [line, _GOOD])
    assert await messages(store, claude) == {"msg_good"}
    assert (await store.line_counts())[3] == 1


@pytest.mark.parametrize(
    "odd",
    [
        {"version": 5},
        {"cwd": ["/a"]},
        {"isSidechain": None},
        {"isSidechain": "no"},
        {"timestamp": "2026-03-02T12:00:00+00:00"},
        {"gitBranch": {"name": "x"}},
        {"parentUuid": 7},
        {"uuid": None},
        {"agentId": False},
        {"attributionSkill": 9},
    ],
)
async def test_an_odd_field_does_not_lose_the_usage_beside_it(
    store: TokenStore, claude: Path, odd: dict[str, Any]
) -> None:
    write(claude, [answer(**odd), _GOOD])
    assert await messages(store, claude) == {"msg_a", "msg_good"}
    assert await store.line_counts() == (1, 2, 0, 0)


@pytest.mark.parametrize(
    "content",
    [None, "text", [], [3, None, "x"], [{"type": 5}], [{"type": "tool_use", "id": 7}], {"a": 1}],
)
async def test_odd_content_does_not_lose_the_usage_beside_it(
    store: TokenStore, claude: Path, content: Any
) -> None:
    line = answer()
    line["message"]["content"] = content
    write(claude, [line])
    assert await messages(store, claude) == {"msg_a"}


async def test_odd_parts_of_a_usage_do_not_lose_its_counts(store: TokenStore, claude: Path) -> None:
    billed = usage(9, cache_creation=[1], server_tool_use="x", speed=3, service_tier={})
    write(claude, [answer(billed=billed)])
    assert await messages(store, claude) == {"msg_a"}
    (message,) = await store.get_recent_usage()
    assert (message.usage.output_tokens, message.speed) == (9, None)


async def test_invalid_utf8_in_a_text_does_not_lose_the_usage_beside_it(
    store: TokenStore, claude: Path
) -> None:
    path = write(claude, [])
    path.write_bytes(json.dumps(answer()).encode().replace(b"hello", b"h\xff\xfeo") + b"\n")
    assert await messages(store, claude) == {"msg_a"}


async def test_half_an_emoji_does_not_lose_the_usage_beside_it(
    store: TokenStore, claude: Path
) -> None:
    """JavaScript writes a text that was cut inside a surrogate pair like this."""
    line = json.dumps(answer(cwd="/home/CUT")).replace("CUT", "\\ud83d").replace("hello", "\\udc4d")
    write(claude, [line])
    assert await messages(store, claude) == {"msg_a"}


async def test_nul_bytes_in_texts_are_taken(store: TokenStore, claude: Path) -> None:
    nul = "a\x00b"
    write(claude, [answer(cwd=f"/{nul}", sessionId=nul, version=nul, agentId=nul)], end="")
    assert await messages(store, claude) == {"msg_a"}
    (message,) = await store.get_recent_usage()
    assert (message.cwd, message.session_id) == ("/a\ufffdb", "a\ufffdb")


async def test_a_line_of_50_megabytes_is_taken(store: TokenStore, claude: Path) -> None:
    huge = answer("msg_huge", content=[{"type": "text", "text": "x" * 50_000_000}])
    write(claude, [huge, _GOOD])
    assert await messages(store, claude) == {"msg_huge", "msg_good"}


async def test_a_line_too_long_to_hold_is_skipped(
    store: TokenStore, claude: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("token_tracking.sources.claude_code.reader._LONGEST_LINE", 100)
    monkeypatch.setattr("token_tracking.sources.claude_code.reader._CHUNK", 64)
    short = '{"type":"summary"}'
    write(claude, [short, answer("msg_long"), short, short])
    assert await messages(store, claude) == set()
    assert await store.line_counts() == (1, 4, 1, 0)


async def test_empty_lines_are_no_lines(store: TokenStore, claude: Path) -> None:
    write(claude, ["", _GOOD, "   ", "\r"])
    assert await messages(store, claude) == {"msg_good"}
    assert await store.line_counts() == (1, 1, 0, 0)


async def test_windows_line_ends_are_taken(store: TokenStore, claude: Path) -> None:
    path = write(claude, [])
    path.write_bytes(json.dumps(answer()).encode() + b"\r\n" + json.dumps(_GOOD).encode() + b"\r\n")
    assert await messages(store, claude) == {"msg_a", "msg_good"}


async def test_an_answer_without_a_time_takes_that_of_the_line_before(
    store: TokenStore, claude: Path
) -> None:
    write(claude, [_GOOD, answer(timestamp=None)])
    await messages(store, claude)
    times = {message.timestamp for message in await store.get_recent_usage()}
    assert len(times) == 1


async def test_an_answer_without_any_time_is_skipped(store: TokenStore, claude: Path) -> None:
    write(claude, [answer(timestamp="yesterday"), _GOOD])
    assert await messages(store, claude) == {"msg_good"}
    assert await store.line_counts() == (1, 2, 0, 1)


async def test_an_unknown_model_has_no_cost_and_says_why(store: TokenStore, claude: Path) -> None:
    line = answer()
    line["message"]["model"] = "nobody-knows-9"
    write(claude, [line])
    await messages(store, claude)
    (message,) = await store.get_recent_usage()
    assert message.cost_usd is None
    assert message.unpriced is not None
    assert "nobody-knows-9" in message.unpriced
    summary = await TokenMetrics(store).get_summary()
    assert summary.unpriced_models == {"nobody-knows-9": 1}


async def test_a_file_that_vanishes_is_passed_over(
    store: TokenStore, claude: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(claude, [_GOOD])
    gone = write(claude, [answer()], FORK)
    listed = __import__("token_tracking.ingest.ingest", fromlist=["transcripts"]).transcripts

    def then_vanishes(*arguments: Any) -> Any:
        found = list(listed(*arguments))
        gone.unlink(missing_ok=True)
        return found

    monkeypatch.setattr("token_tracking.ingest.ingest.transcripts", then_vanishes)
    assert await messages(store, claude) == {"msg_good"}


@pytest.mark.skipif(sys.platform == "win32", reason="permissions are POSIX ones")
async def test_a_folder_that_cannot_be_read_is_named(store: TokenStore, claude: Path) -> None:
    if os.geteuid() == 0:
        pytest.skip("root reads everything")
    write(claude, [_GOOD])
    closed = claude / "projects" / "closed"
    closed.mkdir(mode=0)
    ingested = await ingest_claude_code(store, [claude])
    assert ingested.failures == {str(closed): "Permission denied"}
    assert ingested.saved.sums.messages == 1


async def test_a_file_that_cannot_be_read_is_named_and_the_others_are_read(
    store: TokenStore, claude: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(claude, [_GOOD])
    bad = write(claude, [answer()], FORK)
    original = __import__("token_tracking.ingest.portion", fromlist=["read_file"]).read_file

    def refuses(path: str, cursor: Any) -> Any:
        if path == str(bad):
            raise PermissionError(13, "Permission denied")
        return original(path, cursor)

    monkeypatch.setattr("token_tracking.ingest.portion.read_file", refuses)
    ingested = await ingest_claude_code(store, [claude])
    assert ingested.failures == {str(bad): "Permission denied"}
    assert ingested.saved.sums.messages == 1


async def test_folders_that_were_named_and_are_not_there_are_an_error(
    store: TokenStore, tmp_path: Path
) -> None:
    with pytest.raises(SourceError, match="no such folder"):
        await ingest_claude_code(store, [tmp_path / "nowhere"])


async def test_no_folder_at_all_is_no_error(store: TokenStore) -> None:
    ingested = await ingest_claude_code(store, environment={})
    assert (ingested.found, ingested.folders) == (0, [])


async def test_absurd_counts_beside_a_message_lose_nothing(store: TokenStore, claude: Path) -> None:
    absurd = {
        "type": "advisor_message",
        "model": "claude-opus-4-5",
        "input_tokens": 1,
        "output_tokens": 1,
        "server_tool_use": {"web_search_requests": 20_000_000},
    }
    write(claude, [answer(billed=usage(1, iterations=[absurd] * 50)), _GOOD])  # fmt: skip
    assert await messages(store, claude) == {"msg_a", "msg_good"}


async def test_a_message_that_would_cost_a_fortune_has_no_price(
    store: TokenStore, claude: Path
) -> None:
    rich = {"type": "compaction", "input_tokens": 20_000_000, "output_tokens": 20_000_000}
    write(claude, [answer(billed=usage(1, iterations=[rich] * 50))])
    assert await messages(store, claude) == {"msg_a"}
    (message,) = await store.get_recent_usage()
    assert message.cost_pico is None
    assert message.unpriced is not None
    assert "no single message does" in message.unpriced


async def test_each_line_with_a_bad_usage_is_counted(store: TokenStore, claude: Path) -> None:
    write(claude, [answer(), answer(billed={}), answer(billed={})])
    assert await messages(store, claude) == {"msg_a"}
    assert await store.line_counts() == (1, 3, 0, 2)
