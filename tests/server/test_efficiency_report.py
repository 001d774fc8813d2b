"""Totals in rows, as a chat shows them."""

import re
from pathlib import Path
from typing import Any

import pytest
from mcp import Client

from tests.server.asking import call, read, refused
from tests.transcripts import answer, usage, write
from token_tracking.ingest import Ingested
from token_tracking.metrics import By
from token_tracking.store import TokenStore
from token_tracking_server.answers import LIMIT
from token_tracking_server.freshness import Look
from token_tracking_server.gaps import reading_notes
from token_tracking_server.settings import Settings

MANY = 200_000
"""As many tokens of input cost 1 USD with Opus 4.6, and are no long prompt yet."""


def on(day: str, message: str, **line: Any) -> dict[str, Any]:
    """An answer at noon of a day, worth 1 USD."""
    billed = {"input_tokens": MANY, "output_tokens": 0}
    return answer(message, uuid=message, billed=billed, timestamp=f"{day}T12:00:00.000Z", **line)


def session(number: int) -> str:
    return f"{number:08x}-0000-4000-8000-000000000000"


def write_days(claude: Path, days: int) -> None:
    for number in range(days):
        day = f"2026-{number // 28 + 1:02d}-{number % 28 + 1:02d}"
        write(claude, [on(day, f"msg_{number}", sessionId=session(number))], session(number))


def rows(text: str) -> list[list[str]]:
    """The rows of the first table, without its head."""
    lines = [line for line in text.splitlines() if line.startswith("|")]
    return [[cell.strip(" *") for cell in line.strip("|").split("|")] for line in lines[2:]]


def dollars(cells: list[str]) -> float:
    return float(cells[-2].removeprefix("$").replace(",", ""))


async def test_days_stand_newest_first_under_their_sum(client: Client, claude: Path) -> None:
    write_days(claude, 2)
    text = await call(client, "efficiency_report")
    assert text.startswith("**All time: $2.00** for 2 messages\n\n")
    assert rows(text) == [
        ["2026-01-02", "1", "200.0k", "0", "0", "0", "$1.00", "$0.00"],
        ["2026-01-01", "1", "200.0k", "0", "0", "0", "$1.00", "$0.00"],
        ["All", "2", "400.0k", "0", "0", "0", "$2.00", "$0.00"],
    ]


async def test_what_does_not_fit_is_folded_and_the_sums_remain_right(
    client: Client, claude: Path
) -> None:
    write_days(claude, 100)
    text = await call(client, "efficiency_report")
    table = rows(text)
    assert len(table) == 33
    assert table[-2][0] == "and 69 earlier"
    assert dollars(table[-2]) == 69
    assert sum(map(dollars, table[:-1])) == dollars(table[-1]) == 100
    assert sum(int(row[1]) for row in table[:-1]) == int(table[-1][1])


@pytest.mark.parametrize("by", ["day", "week", "month", "block", "model", "project", "session"])
async def test_every_grouping_sums_to_the_same_total(client: Client, claude: Path, by: By) -> None:
    write_days(claude, 40)
    text = await call(client, "efficiency_report", by=by)
    assert len(text) <= LIMIT
    table = [row for row in rows(text) if row[0] != "All"]
    assert sum(map(dollars, table)) == 40
    assert text.startswith("**All time: $40.00** for 40 messages\n\n")


async def test_sessions_are_named_by_a_beginning_that_finds_them(
    client: Client, claude: Path
) -> None:
    write_days(claude, 20)
    text = await call(client, "efficiency_report", by="session")
    first = rows(text)[0]
    assert first[:3] == ["`00000013`", "`/home/sam/shop`", "2026-01-20 12:00"]
    found = await call(client, "session_report", session_id="00000013")
    assert f"`{session(19)}`" in found


async def test_ids_that_begin_alike_are_shown_as_far_as_they_differ(
    client: Client, claude: Path
) -> None:
    for number, name in enumerate(("team-session-1a", "team-session-1b", "team-session-2")):
        write(claude, [on("2026-01-01", f"msg_{number}", sessionId=name)], name)
    text = await read(client, "efficiency://sessions")
    assert {row[0] for row in rows(text)[:-1]} == {
        "`team-session-1a`",
        "`team-session-1b`",
        "`team-session-2`",
    }


async def test_a_period_takes_its_days_only(client: Client, claude: Path) -> None:
    write_days(claude, 10)
    text = await call(client, "efficiency_report", period="2026-01-03..2026-01-05")
    assert text.startswith("**From 2026-01-03 to 2026-01-05 (not included): $2.00** for 2 messages")
    assert [row[0] for row in rows(text)] == ["2026-01-04", "2026-01-03", "All"]
    assert "From 2026-01-09 on: $2.00" in await call(
        client, "efficiency_report", period="2026-01-09.."
    )
    assert "To 2026-01-02 (not included): $1.00" in await call(
        client, "efficiency_report", period="..2026-01-02"
    )


@pytest.mark.parametrize(
    ("period", "title"),
    [("today", "Today"), ("7d", "Last 7 days"), ("30d", "Last 30 days"), ("90d", "Last 90 days")],
)
async def test_a_period_without_messages_says_so(
    client: Client, claude: Path, period: str, title: str
) -> None:
    write_days(claude, 1)
    assert await call(client, "efficiency_report", period=period) == (
        f"**{title}: $0.00** for 0 messages\n\nThere are no messages in this period."
    )


@pytest.mark.parametrize(
    ("period", "says"),
    [
        ("yesterday", "There is no period 'yesterday': use today, 7d, 30d, all, or FROM..TO"),
        ("2026-02-30..", "'2026-02-30' is no day: write it as 2026-11-21."),
        ("2026-01-02..2026-01-02", "is empty: its last day, 2026-01-02, does not belong to it."),
    ],
)
async def test_a_wrong_period_says_which_there_are(client: Client, period: str, says: str) -> None:
    assert says in await refused(client, "efficiency_report", period=period)


async def test_skipped_lines_are_counted(client: Client, claude: Path) -> None:
    broken = answer("msg_b", uuid="b", billed={"input_tokens": -1, "output_tokens": 1})
    write(claude, [on("2026-01-01", "msg_a"), '{"type":"assistant","message":{"usage', broken])
    for text in (
        await call(client, "efficiency_report"),
        await read(client, "efficiency://summary"),
        await read(client, "efficiency://sessions"),
    ):
        assert "- 2 of 3 lines skipped: 1 are no valid JSON, 1 are answers without" in text


async def test_an_empty_ledger_says_where_it_looked(client: Client, claude: Path) -> None:
    for text in (
        await call(client, "efficiency_report"),
        await read(client, "efficiency://summary"),
        await read(client, "efficiency://sessions"),
    ):
        assert "No transcripts of Claude Code were found under" in text
        assert "Set CLAUDE_CONFIG_DIR" in text
        assert not re.search(r"None|NaN", text)


async def test_the_summary_sets_periods_beside_each_other(client: Client, claude: Path) -> None:
    write_days(claude, 3)
    text = await read(client, "efficiency://summary")
    assert [row[0] for row in rows(text)[:4]] == [
        "Today",
        "Last 7 days",
        "Last 30 days",
        "All time",
    ]
    assert "| `claude-opus-4-6` | 3 | 600.0k | 0 | 0 | 0 | $3.00 | $0.00 |" in text


async def test_the_sessions_are_counted_in_their_headline(client: Client, claude: Path) -> None:
    write_days(claude, 2)
    text = await read(client, "efficiency://sessions")
    assert text.startswith("**2 sessions: $2.00** for 2 messages\n\n| Session | Project |")


async def test_unpriced_models_are_named_with_what_to_do(client: Client, claude: Path) -> None:
    strange = on("2026-01-01", "msg_b")
    strange["message"] = {**strange["message"], "model": "mystery-1"}
    write(claude, [on("2026-01-01", "msg_a"), strange])
    text = await call(client, "efficiency_report", by="model")
    assert "| `mystery-1` | 1 | 200.0k | 0 | 0 | 0 | unknown | unknown |" in text
    assert "**All time: $1.00 + 1 unpriced** for 2 messages" in text
    assert "1 message without a known price: `mystery-1` (1)." in text


async def test_what_caching_saved_is_net_of_its_writes(client: Client, claude: Path) -> None:
    half = MANY // 2
    billed = usage(0, cache_read_input_tokens=half, cache_creation_input_tokens=half)
    write(claude, [answer(billed={**billed, "input_tokens": 0})])
    # Read for 0.05, written for 0.625; uncached 1.00.
    text = await call(client, "efficiency_report")
    assert (
        "Caching **saved $0.32** net: without it the same tokens would have cost $1.00; the"
        " $0.12 that cache writes cost above plain input is already taken off. Cache hit rate:"
        " 50.0% of prompt tokens."
    ) in text


async def test_what_could_not_be_read_is_named(settings: Settings) -> None:
    failures = {f"/claude/{n}.jsonl": "Permission denied" for n in range(6)}
    async with TokenStore.opened(settings.database) as store:
        notes = await reading_notes(store, Look(ingested=Ingested(failures=failures)))
    assert notes[0] == (
        "6 paths could not be read: `/claude/0.jsonl` (Permission denied), `/claude/1.jsonl`"
        " (Permission denied), `/claude/2.jsonl` (Permission denied), `/claude/3.jsonl`"
        " (Permission denied) and 2 more."
    )
