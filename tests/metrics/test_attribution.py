"""A session of the ledger, item by item: its own messages' prompts, exactly."""

from pathlib import Path
from typing import Any

import pytest

import token_tracking_server
from benchmarks.transcripts import build_tree
from tests.store.test_contract import NOON, event
from tests.transcripts import (
    FORK,
    SESSION,
    agent_progress,
    answer,
    asked,
    at,
    forked,
    tool_result,
    tool_use,
    usage,
    write,
)
from token_tracking.efficiency.attribution import Attribution, ItemShare
from token_tracking.ingest import ingest_claude_code
from token_tracking.metrics import TokenMetrics
from token_tracking.store import TokenStore
from token_tracking.usage import Usage

SAMPLE = Path(token_tracking_server.__file__).parent / "sample"


def billed(read: int, written: int, output: int = 10) -> dict[str, Any]:
    """The usage of a request: 5 tokens more are neither read nor written."""
    return usage(output, cache_read_input_tokens=read, cache_creation_input_tokens=written)


async def attributed(store: TokenStore, session: str = SESSION) -> Attribution:
    return await TokenMetrics(store).get_session_attribution(session)


def item(found: Attribution, key: str) -> ItemShare:
    return next(each for each in found.items if each.id == key)


async def check(store: TokenStore) -> None:
    """Every session's items add up to its own messages' prompts, and all of them to the ledger."""
    metrics = TokenMetrics(store)
    prompts = 0
    for session in await store.session_facts():
        found = await metrics.get_session_attribution(session)
        data = await store.get_session_data(session)
        costs = [
            store.prices.cost(
                each.usage,
                each.model or "",
                each.timestamp,
                speed=each.speed,
                service_tier=each.service_tier,
                inference_geo=each.inference_geo,
            )
            for each in data.messages
            if each.cost_pico is not None
        ]
        pico = sum(
            cost.input_pico
            + cost.cache_read_pico
            + cost.cache_write_5m_pico
            + cost.cache_write_1h_pico
            for cost in costs
        )
        assert sum(each.prompt_tokens for each in found.items) == data.sums.prompt_tokens
        assert sum(each.cost_pico or 0 for each in found.items) == pico
        assert (found.prompt_tokens, found.prompt_pico or 0) == (data.sums.prompt_tokens, pico)
        calls = [each for each in found.items if each.kind == "tool"]
        assert len(calls) >= sum(tool.calls for tool in data.tools)
        prompts += found.prompt_tokens
    cells = await store.totals("session")
    assert prompts == sum(sums.prompt_tokens for _, _, sums in cells) > 0


async def test_the_items_of_the_sample_add_up(store: TokenStore) -> None:
    await ingest_claude_code(store, [SAMPLE])
    await check(store)


@pytest.mark.parametrize("seed", [1, 2])
async def test_the_items_of_a_generated_tree_add_up(
    store: TokenStore, tmp_path: Path, seed: int
) -> None:
    await ingest_claude_code(store, [build_tree(tmp_path / "tree", 6, seed, None)])
    await check(store)


async def test_a_session_is_told_item_by_item(store: TokenStore, claude: Path) -> None:
    write(
        claude,
        [
            asked("x" * 300),
            answer(
                "msg_1", uuid="1", parent="u-u", second=2, billed=billed(0, 1000),
                content=[tool_use("toolu_1", "mcp__github__list_issues")],
            ),
            asked([tool_result("toolu_1", "y" * 300)], uuid="r", parent="1", second=3),
            answer("msg_2", uuid="2", parent="r", second=4, billed=billed(1000, 110)),
        ],
    )  # fmt: skip
    await ingest_claude_code(store, [claude])
    found = await attributed(store)
    # Opus 4.6 at 5, 0.5 and 6.25 USD for a million tokens.
    assert item(found, "toolu_1") == ItemShare(
        id="toolu_1", kind="tool", name="list_issues", server="github", uri=None, tokens=100,
        requests=1, prompt_tokens=100, cost_pico=95 * 6_250_000 + 5 * 5_000_000, basis="measured",
        entered_at=NOON + 4_000, entered_with="msg_2", no_cache_pico=100 * 5_000_000,
        first_pico=95 * 6_250_000 + 5 * 5_000_000,
    )  # fmt: skip
    assert {each.id: each.tokens for each in found.items} == {
        "base": 897, "u-u": 108, "msg_1": 10, "toolu_1": 100,
    }  # fmt: skip
    await check(store)


async def test_what_opens_an_agents_chain_is_the_agents(store: TokenStore, claude: Path) -> None:
    task = agent_progress("a1", asked("x" * 600, uuid="task", second=3))
    work = agent_progress("a1", answer("msg_s", uuid="s", second=4, billed=billed(0, 700)))
    write(
        claude,
        [
            asked("x" * 300),
            answer("msg_1", uuid="1", parent="u-u", second=2, billed=billed(0, 1000)),
            task,
            work,
        ],
    )
    await ingest_claude_code(store, [claude])
    found = await attributed(store)
    assert {each.id: each.tokens for each in found.items} == {
        "base": 897, "u-u": 108, "base:a1": 497, "task": 208,
    }  # fmt: skip


async def test_what_opens_an_agents_chain_of_no_name_is_its_own(
    store: TokenStore, claude: Path
) -> None:
    side: dict[str, Any] = {"isSidechain": True}
    write(
        claude,
        [
            asked("x" * 300),
            answer("msg_1", uuid="1", parent="u-u", second=2, billed=billed(0, 1000)),
            asked("x" * 600, uuid="task", second=3, **side),
            answer("msg_s", uuid="s", parent="task", second=4, billed=billed(0, 700), **side),
        ],
    )
    await ingest_claude_code(store, [claude])
    assert {each.id: each.tokens for each in (await attributed(store)).items} == {
        "base": 897, "u-u": 108, "base:sidechain": 497, "task": 208,
    }  # fmt: skip


async def test_a_fork_carries_its_own_text_and_not_its_parents(
    store: TokenStore, claude: Path
) -> None:
    shared = [
        asked(),
        answer("msg_1", uuid="1", parent="u-u", second=2, billed=billed(0, 1000)),
    ]
    theirs = [
        asked("x" * 300, uuid="2", parent="1", second=3),
        answer("msg_2", uuid="3", parent="2", second=4, billed=billed(1000, 110)),
    ]
    own = forked(
        [
            asked("y" * 600, uuid="4", parent="1", second=63),
            answer("msg_3", uuid="5", parent="4", second=64, billed=billed(1000, 210)),
        ]
    )
    queue = {"type": "queue-operation", "sessionId": FORK, "timestamp": at(60)}
    write(claude, [*shared, *theirs])
    write(claude, [queue, *forked(shared), *own], FORK)
    await ingest_claude_code(store, [claude])
    parent, fork = await attributed(store), await attributed(store, FORK)
    assert (item(parent, "2").tokens, item(fork, "4").tokens) == (100, 200)
    assert "2" not in {each.id for each in fork.items}
    assert "4" not in {each.id for each in parent.items}
    assert (fork.findings.requests, fork.prompt_tokens) == (1, 1215)
    assert item(fork, "msg_1").requests == 1
    await check(store)


async def test_a_compaction_ends_what_stood_before(store: TokenStore, claude: Path) -> None:
    boundary = {
        "type": "system", "subtype": "compact_boundary", "uuid": "c", "parentUuid": None,
        "logicalParentUuid": "1", "sessionId": SESSION, "timestamp": at(3),
        "compactMetadata": {"trigger": "auto", "preTokens": 9000},
    }  # fmt: skip
    write(
        claude,
        [
            asked("x" * 15_000),
            answer("msg_1", uuid="1", parent="u-u", second=2, billed=billed(1000, 5008)),
            boundary,
            asked("z" * 600, uuid="sum", parent="c", second=4, isCompactSummary=True),
            answer("msg_2", uuid="2", parent="sum", second=5, billed=billed(1000, 208)),
        ],
    )
    await ingest_claude_code(store, [claude])
    found = await attributed(store)
    assert (item(found, "u-u").requests, item(found, "sum").requests) == (1, 1)
    assert {each.id for each in found.items} == {"base", "u-u", "sum"}
    assert found.findings.shrunk_unsaid == 0
    await check(store)


async def test_a_ledger_of_an_earlier_version_has_what_opens_a_chain_in_the_main_one(
    store: TokenStore, claude: Path
) -> None:
    write(
        claude,
        [
            asked("x" * 300),
            answer("msg_1", uuid="1", parent="u-u", second=2, billed=billed(0, 1000)),
        ],
    )
    await ingest_claude_code(store, [claude])
    connection: Any = store._db  # pyright: ignore[reportPrivateUsage]
    await connection.execute("UPDATE items SET detail = NULL")
    assert item(await attributed(store), "u-u").tokens == 108
    await connection.execute("UPDATE items SET detail = '}'")
    assert item(await attributed(store), "u-u").tokens == 108


async def test_an_unknown_session_and_an_unknown_model(store: TokenStore, claude: Path) -> None:
    assert (await attributed(store, "nobody")).items == []
    line = answer("msg_1", uuid="1", second=2, billed=billed(0, 1000))
    line["message"]["model"] = "nobody-knows"
    write(claude, [line])
    await ingest_claude_code(store, [claude])
    found = await attributed(store)
    assert (found.prompt_tokens, found.prompt_cost_usd) == (1005, None)
    assert (found.findings.unpriced, item(found, "base").prompt_cost_usd) == (1, None)


@pytest.mark.parametrize(("session", "bases"), [("s1", 1000), ("", 1000 + 1500)])
async def test_tracked_messages_follow_each_other_where_they_name_a_session(
    store: TokenStore, session: str, bases: int
) -> None:
    await store.save_usage(
        [
            event("msg_1", NOON, session=session, usage=Usage(input_tokens=1000, output_tokens=9)),
            event("msg_2", NOON + 9, session=session, usage=Usage(input_tokens=1500)),
        ]
    )
    found = await attributed(store, session)
    assert item(found, "base").prompt_tokens == bases + 1000 * (session == "s1")
    assert found.prompt_tokens == 2500
