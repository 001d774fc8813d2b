"""What just-in-time content did to a session, as a chat and a terminal show it."""

import json
from pathlib import Path
from typing import Any

import pytest
from mcp import Client

from tests.server.asking import call
from tests.store.test_loads import LOAD, SEARCH, URI, load
from tests.transcripts import SESSION, answer, asked, tool_result, tool_use, usage, write
from token_tracking.store import LibrarySize, TokenStore
from token_tracking_server.cli import main
from token_tracking_server.settings import Settings

NOON = 1_772_452_800_000
WROTE = usage(10, cache_creation_input_tokens=20_000)
READ = usage(10, cache_read_input_tokens=20_000, cache_creation_input_tokens=3_000)


def library(tokens: int = 30_000, documents: int = 40) -> LibrarySize:
    return LibrarySize(
        fingerprint=str(tokens),
        documents=documents,
        tokens=tokens,
        overhead_tokens=800,
        method="o200k_base",
    )


async def session(
    database: str, claude: Path, size: LibrarySize | None, model: str = "claude-opus-4-6"
) -> None:
    """A search, and a load of 1,500 tokens; three requests of the main chain."""
    lines: list[dict[str, Any]] = [
        asked(uuid="1"),
        answer("msg_1", uuid="2", parent="1", content=[tool_use("toolu_0", SEARCH)], billed=WROTE),
        asked([tool_result("toolu_0", "x" * 900)], uuid="3", parent="2", second=12),
        answer("msg_2", uuid="4", parent="3", second=15, billed=READ,
               content=[tool_use("toolu_1", LOAD, uris=[URI])]),
        asked([tool_result("toolu_1", "x" * 6000)], uuid="5", parent="4", second=18),
        answer("msg_3", uuid="6", parent="5", second=25, billed=READ),
    ]  # fmt: skip
    for line in lines:
        if line["type"] == "assistant":
            line["message"]["model"] = model
    write(claude, lines)
    found = load(NOON + 16_000, "stale", tokens=1500, overhead_tokens=80, tool_use_id="toolu_1")
    search = load(NOON + 11_000, SESSION, tokens=0, overhead_tokens=220, uri="content://",
                  tool_use_id="toolu_0", kind="search")  # fmt: skip
    async with TokenStore.opened(database) as store:
        await store.save_loads([found, search], size)


async def report(client: Client) -> str:
    return await call(client, "session_report", session_id=SESSION)


async def test_what_it_saved_and_what_that_rests_on(
    client: Client, settings: Settings, claude: Path
) -> None:
    await session(str(settings.database), claude, library())
    # Times 1.12: 33,600 - 896, then less 246 for the search, then less 1,770 for the load:
    # 32,704 + 32,458 + 30,688 (to the nearest token) of 66,015 that were sent and that.
    text = await report(client)
    assert (
        "**Just-in-time content saved 95.8k prompt tokens.** 59.2% of what 3 requests would have"
        " taken with the whole library upfront. Dollars: $0.22 saved, apart from what caching did."
        " Estimated: 95 of 100 token counts are within 8.4%.\n\n"
        "- Library: 40 documents, 33.6k tokens · 1 load, 1,680 tokens · overhead 1,232 tokens"
        " (tools, 1 search, framing)\n\n"
        "| Loaded | Tokens |\n"
        "| --- | ---: |\n"
        f"| `{URI}` | 1,680 |\n"
    ) in text
    assert "Caching **saved" in text


async def test_a_library_that_is_smaller_than_its_overhead_is_a_loss(
    client: Client, settings: Settings, claude: Path
) -> None:
    await session(str(settings.database), claude, library(500, 2))
    text = await report(client)
    assert "**Just-in-time content lost 3,270 prompt tokens.** 3 requests took 5.2% more" in text
    assert "Dollars: $0.02 lost" in text


async def test_a_library_that_would_not_have_fit_is_no_saving(
    client: Client, settings: Settings, claude: Path
) -> None:
    await session(str(settings.database), claude, library(4_000_000), "claude-haiku-4-5")
    text = await report(client)
    assert (
        "**Just-in-time content: with the library, 3 of 3 requests would not have fit the"
        " window.** Against that baseline, which is hypothetical, it saved 13.4M prompt tokens: "
    ) in text


async def test_without_a_library_or_a_price_it_is_unknown(
    client: Client, settings: Settings, claude: Path
) -> None:
    await session(str(settings.database), claude, None)
    text = await report(client)
    assert "**Just-in-time content: what it saved is unknown.** Nothing tells how large" in text
    await session(str(settings.database), claude, library(), "mystery-1")
    text = await report(client)
    assert "Dollars: unknown. `No price of the model 'mystery-1'" in text
    assert "whose error is not known here" in text


async def test_what_only_the_transcript_shows_is_called_rough(
    client: Client, settings: Settings, claude: Path
) -> None:
    await session(str(settings.database), claude, library())
    call_only = answer(
        "msg_4", uuid="7", second=30, content=[tool_use("toolu_9", LOAD, uris=[URI])]
    )
    write(
        claude, [call_only, asked([tool_result("toolu_9", "x" * 400)], uuid="8", parent="7")], "two"
    )
    text = await report(client)
    assert "1 load with tokens from bytes or the library's mean size: off by up to half." in text


async def test_a_session_without_any_says_nothing(client: Client, claude: Path) -> None:
    write(claude, [answer()])
    assert "Just-in-time" not in await report(client)


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch, claude: Path, tmp_path: Path) -> str:
    monkeypatch.setenv("CLAUDE_CONFIG_DIR", str(claude))
    monkeypatch.setenv("TOKEN_TRACKING_DB", str(tmp_path / "ledger.db"))
    monkeypatch.setenv("COLUMNS", "80")
    return str(tmp_path / "ledger.db")


async def test_a_terminal_shows_it_within_its_width(
    terminal: str, claude: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from asyncio import to_thread

    await session(terminal, claude, library())
    many = [load(NOON + n, SESSION, f"content://skills/{'long-name-' * 9}{n}") for n in range(9)]
    async with TokenStore.opened(terminal) as store:
        await store.save_loads(many)
    assert await to_thread(main, ["session", SESSION]) == 0
    shown = capsys.readouterr().out
    assert max(map(len, shown.splitlines())) <= 80
    assert "Just-in-time content saved" in shown
    assert "and 5 more" in shown
    assert await to_thread(main, ["session", SESSION, "--json"]) == 0
    figures = json.loads(capsys.readouterr().out)["just_in_time"]
    assert (figures["basis"], figures["requests"], figures["searches"]) == ("estimated", 3, 1)
    assert figures["tokens_saved"] == figures["baseline_tokens"] - 66_015
    assert len(figures["loads"]) == 10
    assert figures["loads"][-1] == {
        "uri": URI,
        "category": "guides",
        "documents": 1,
        "tokens": 1680,
        "method": "o200k_base",
        "origin": "both",
        "removed": False,
    }


async def test_a_session_without_any_has_a_null(
    terminal: str, claude: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from asyncio import to_thread

    write(claude, [answer()])
    assert await to_thread(main, ["session", SESSION, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["just_in_time"] is None
    assert await to_thread(main, ["session", SESSION]) == 0
    assert "Just-in-time" not in capsys.readouterr().out
