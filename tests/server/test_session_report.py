"""What one session cost, as a chat shows it."""

from pathlib import Path
from typing import Any

from mcp import Client

from tests.server.asking import call
from tests.transcripts import (
    FORK,
    MODEL,
    SESSION,
    answer,
    asked,
    forked,
    tool_result,
    tool_use,
    usage,
    write,
)

CACHED = usage(
    100,
    cache_read_input_tokens=100_000,
    cache_creation_input_tokens=20_000,
    cache_creation={"ephemeral_5m_input_tokens": 15_000, "ephemeral_1h_input_tokens": 5_000},
)


def with_model(line: dict[str, Any], model: str) -> dict[str, Any]:
    """The line, answered by another model."""
    return {**line, "message": {**line["message"], "model": model}}


async def report(client: Client, session: str = SESSION) -> str:
    return await call(client, "session_report", session_id=session)


async def test_the_whole_of_it(client: Client, claude: Path) -> None:
    write(
        claude,
        [
            asked(uuid="1"),
            answer(uuid="2", parent="1", content=[tool_use("toolu_1")], billed=CACHED),
            asked([tool_result("toolu_1", "x" * 2_000)], uuid="3", parent="2"),
            answer("msg_b", uuid="4", parent="3", second=3_000, billed=usage(50)),
        ],
    )
    # Opus 4.6: 5, 25, 0.5, 6.25 and 10 USD per million tokens.
    # msg_a: 5 in, 100 out, 100,000 read, 15,000 written for 5 minutes, 5,000 for an hour:
    # 0.000025 + 0.0025 + 0.05 + 0.09375 + 0.05 = 0.196275; uncached 0.602525.
    # msg_b: 0.000025 + 0.00125 = 0.001275.
    assert await report(client) == (
        f"**Session `{SESSION}`: $0.20**\n\n"
        "Caching **saved $0.41** net: without it the same tokens would have cost $0.60;"
        " the $0.04 that cache writes cost above plain input is already taken off."
        " Cache hit rate: 83.3% of prompt tokens.\n\n"
        "- 2026-03-02 12:00 to 12:50 UTC · project `/home/sam/shop` · 2 messages · 1 tool call ·"
        " `claude-opus-4-6`\n\n"
        "| Tokens | Count |\n"
        "| --- | ---: |\n"
        "| Input, uncached | 10 |\n"
        "| Cache read | 100.0k |\n"
        "| Cache write, 5 minutes | 15.0k |\n"
        "| Cache write, 1 hour | 5,000 |\n"
        "| Output | 150 |\n"
        "| **All** | **120.2k** |\n\n"
        "| Tool | Calls | Results |\n"
        "| --- | ---: | ---: |\n"
        "| `Bash` | 1 | 2.0 kB |\n\n"
        "| Dearest in the prompts | Tokens | Requests | Cost | Carrying | Share |\n"
        "| --- | ---: | ---: | ---: | ---: | ---: |\n"
        "| Base of the prompt (system prompt, tools, memory) | 120.0k | 1 | $0.19 | $0.00 |"
        " >99.9% |\n"
        "| Your message | 9 | 1 | <$0.0001 | $0.00 | <0.1% |\n"
        "| Bash | 5 | 1 | <$0.0001 | $0.00 | <0.1% |\n\n"
        "_Estimated; findings, the dearest $0.02: view=items._\n\n"
        "_Measured from billed usage, at the API's prices of each message's date. On a"
        " subscription, read dollars as what the API would have charged._"
    )


async def test_savings_below_zero_are_called_a_loss(client: Client, claude: Path) -> None:
    write(claude, [answer(billed=usage(10, cache_creation_input_tokens=100_000))])
    text = await report(client)
    assert "Caching **lost $0.12** net" in text
    assert "cache writes cost $0.12 more than plain input" in text


async def test_a_session_without_caching_says_so(client: Client, claude: Path) -> None:
    write(claude, [answer()])
    assert "Nothing was cached, so caching saved nothing." in await report(client)


async def test_a_fork_names_where_its_messages_came_from(client: Client, claude: Path) -> None:
    lines = [asked(uuid="1"), answer(uuid="2", parent="1", billed=CACHED)]
    write(claude, lines)
    own = answer("msg_own", uuid="9", parent="2", second=90, sessionId=FORK)
    write(claude, [*forked(lines), own], FORK)
    text = await report(client, FORK)
    assert (
        "- 1 message came from another session, which this one was forked or resumed from:"
        f" `{SESSION}` (1). They are counted there, not here."
    ) in text
    assert "**Session `22222222-2222-4222-8222-222222222222`: $0.0003**" in text


async def test_a_fork_that_was_not_asked_anything_yet_says_so(client: Client, claude: Path) -> None:
    lines = [asked(uuid="1"), answer(uuid="2", parent="1")]
    write(claude, lines)
    write(claude, forked(lines), FORK)
    text = await report(client, FORK)
    assert "It has no messages of its own yet: all that stand in it were copied" in text
    assert "$0.00" in text


async def test_partial_messages_make_output_a_lower_bound(client: Client, claude: Path) -> None:
    write(claude, [answer(uuid="1"), answer("msg_b", uuid="2", parent="1", stop=None)])
    assert (
        "- 1 of 2 messages never got a final count of output (old versions of Claude Code, or an"
        " answer cut off): output and cost are lower bounds."
    ) in await report(client)


async def test_unpriced_messages_are_left_out_and_say_what_to_do(
    client: Client, claude: Path
) -> None:
    strange = with_model(answer("msg_b", uuid="2", parent="1"), "mystery-1")
    write(claude, [answer(uuid="1"), strange])
    text = await report(client)
    assert f"**Session `{SESSION}`: $0.0003 + 1 unpriced**" in text
    assert "- 1 message without a known price: `mystery-1` (1). Their cost is left out" in text
    assert "TOKEN_TRACKING_PRICES" in text
    assert "token-tracking reprice" in text


async def test_a_session_without_any_price_has_no_cost(client: Client, claude: Path) -> None:
    write(claude, [with_model(answer(), "mystery-1")])
    text = await report(client)
    assert f"**Session `{SESSION}`: unknown**" in text
    assert "What caching saved in dollars is unknown, as no message has a price." in text
    assert "$0" not in text


async def test_each_model_and_the_subagents_have_their_share(client: Client, claude: Path) -> None:
    helper = answer("msg_b", uuid="2", second=20, isSidechain=True, agentId="a1")
    write(claude, [answer(uuid="1"), with_model(helper, "claude-haiku-4-5-20251001")])
    text = await report(client)
    assert "| `claude-opus-4-6` | 1 | 5 | 0 | 0 | 10 | $0.0003 | $0.00 |" in text
    assert "| `claude-haiku-4-5-20251001` | 1 | 5 | 0 | 0 | 10 | $0.0001 | $0.00 |" in text
    assert "- Of these, 1 message by subagents: $0.0001" in text


async def test_a_synthetic_message_is_no_models(client: Client, claude: Path) -> None:
    zero = {"input_tokens": 0, "output_tokens": 0}
    write(claude, [answer(uuid="1"), with_model(answer("x", uuid="2", billed=zero), "<synthetic>")])
    text = await report(client)
    assert "| no model (written by the client) | 1 | 0 |" in text
    assert "without a known price" not in text


async def test_the_tool_of_a_server_names_the_server(client: Client, claude: Path) -> None:
    calls = [tool_use("toolu_1", "mcp__github__list_issues"), tool_use("toolu_2", "Read")]
    write(
        claude,
        [answer(uuid="1", content=calls), asked([tool_result("toolu_1", "12345")], parent="1")],
    )
    text = await report(client)
    assert "| `github: list_issues` | 1 | 5 bytes |" in text
    assert "| `Read` | 1 | 0 bytes |" in text
    assert "| **All** | **2** | **5 bytes** |" in text


async def test_many_tools_are_folded_into_a_line_that_keeps_the_sums(
    client: Client, claude: Path
) -> None:
    calls = [tool_use(f"toolu_{n}", f"tool_{n:02d}") for n in range(40)]
    results = [tool_result(f"toolu_{n}", "x" * (n + 1)) for n in range(40)]
    write(claude, [answer(uuid="1", content=calls), asked(results, parent="1")])
    text = await report(client)
    assert text.count("| `tool_") == 15
    assert f"| and 25 more | 25 | {sum(range(1, 26))} bytes |" in text
    assert f"| **All** | **40** | **{sum(range(1, 41))} bytes** |" in text


async def test_names_cannot_break_the_markdown(client: Client, claude: Path) -> None:
    bad = "a|b`c\n# d"
    write(claude, [answer(cwd=bad, content=[tool_use("toolu_1", bad)])])
    text = await report(client)
    assert "| `a¦b'c # d` | 1 | 0 bytes |" in text
    assert "\n# d" not in text


def test_the_model_of_the_fixtures_is_the_one_that_was_priced_by_hand() -> None:
    assert MODEL == "claude-opus-4-6"
