"""The facts of real transcripts, each with a file as small as it can be."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.transcripts import (
    FORK,
    MODEL,
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
from token_tracking.ingest import ingest_claude_code
from token_tracking.metrics import TokenMetrics
from token_tracking.store import Sums, TokenStore, TokenUsage


async def read(store: TokenStore, claude: Path) -> Sums:
    await ingest_claude_code(store, [claude])
    return (await TokenMetrics(store).get_summary()).sums


async def only(store: TokenStore, claude: Path) -> TokenUsage:
    await ingest_claude_code(store, [claude])
    (message,) = await store.get_recent_usage()
    return message


async def rows(store: TokenStore, sql: str) -> list[Any]:
    return list(await store._db.execute_fetchall(sql))  # pyright: ignore[reportPrivateUsage]


async def skipped(store: TokenStore) -> tuple[int, int, int]:
    _, lines, malformed, unusable = await store.line_counts()
    return lines, malformed, unusable


async def test_one_message_on_a_line_per_block_counts_once(store: TokenStore, claude: Path) -> None:
    write(
        claude,
        [
            answer(uuid="1", content=[tool_use("toolu_1")], billed=usage(7)),
            answer(uuid="2", parent="1", content=[tool_use("toolu_2")], billed=usage(7)),
        ],
    )
    sums = await read(store, claude)
    assert (sums.messages, sums.output_tokens, sums.tool_uses) == (1, 7, 2)


async def test_the_last_output_of_a_message_is_its_maximum(store: TokenStore, claude: Path) -> None:
    write(
        claude,
        [
            answer(uuid="1", stop=None, billed=usage(3)),
            answer(uuid="2", parent="1", billed=usage(400)),
        ],
    )
    message = await only(store, claude)
    assert (message.usage.output_tokens, message.output_quality) == (400, "final")


async def test_a_fork_repeats_its_parents_lines_and_counts_nothing_twice(
    store: TokenStore, claude: Path
) -> None:
    lines = [asked(), answer(parent="u-u")]
    write(claude, lines)
    write(
        claude,
        [*forked(lines), answer("msg_b", uuid="u-b", parent="u-a", second=90, sessionId=FORK)],
        FORK,
    )
    sums = await read(store, claude)
    assert (sums.messages, sums.output_tokens) == (2, 20)


@pytest.mark.parametrize("first", [SESSION, FORK])
async def test_a_copied_message_belongs_to_the_session_that_ended_first(
    store: TokenStore, claude: Path, first: str
) -> None:
    lines = [asked(), answer(parent="u-u")]
    copied = [*forked(lines), asked("more", uuid="u-2", second=500, sessionId=FORK)]
    files = {SESSION: lines, FORK: copied}
    for name in sorted(files, key=lambda name: name != first):
        write(claude, files[name], name)
        await ingest_claude_code(store, [claude])
    message = await only(store, claude)
    assert message.session_id == SESSION
    assert (message.cwd, message.git_branch) == ("/home/sam/shop", "main")


async def test_a_line_that_forks_do_not_copy_says_when_a_session_was_born(
    store: TokenStore, claude: Path
) -> None:
    """The fork ended first here; but it was born later."""
    lines = [asked(), answer(parent="u-u")]
    born = {"type": "queue-operation", "operation": "enqueue", "timestamp": at(0)}
    write(claude, [{**born, "sessionId": SESSION}, *lines, asked("on", uuid="u-9", second=900)])
    write(claude, [{**born, "sessionId": FORK, "timestamp": at(300)}, *forked(lines)], FORK)
    assert (await only(store, claude)).session_id == SESSION


async def test_a_sessions_report_names_what_it_inherited(store: TokenStore, claude: Path) -> None:
    lines = [asked(), answer(parent="u-u")]
    write(claude, lines)
    write(
        claude,
        [*forked(lines), answer("msg_b", uuid="u-b", parent="u-a", second=90, sessionId=FORK)],
        FORK,
    )
    await ingest_claude_code(store, [claude])
    data = await store.get_session_data(FORK)
    assert [message.message_id for message in data.messages] == ["msg_b"]
    assert data.inherited == {SESSION: 1}


async def test_a_message_without_stop_reason_is_partial(store: TokenStore, claude: Path) -> None:
    write(claude, [answer(stop=None, version="2.1.20")])
    sums = await read(store, claude)
    assert sums.partial_messages == 1


async def test_a_subagents_usage_in_progress_lines_counts(store: TokenStore, claude: Path) -> None:
    nested = answer("msg_sub", uuid="s-1", content=[tool_use("toolu_s", "Read", file_path="/a")])
    result = asked([tool_result("toolu_s", "four")], uuid="s-2", second=11)
    later = answer("msg_sub2", uuid="s-3", second=12)
    write(
        claude,
        [answer(), *(agent_progress("agent1", line) for line in (nested, result, later))],
    )
    sums = await read(store, claude)
    assert (sums.messages, sums.tool_uses) == (3, 1)
    found = {message.message_id: message for message in await store.get_recent_usage()}
    assert (found["msg_sub"].agent_id, found["msg_sub"].is_sidechain) == ("agent1", True)
    parents = await rows(
        store, "SELECT m.key, p.key FROM messages m LEFT JOIN messages p ON p.id = m.parent_id"
    )
    assert dict(parents) == {"msg_a": None, "msg_sub": None, "msg_sub2": "msg_sub"}
    assert await rows(store, "SELECT bytes FROM items WHERE key = 'toolu_s'") == [(4,)]


async def test_a_subagents_file_belongs_to_its_session(store: TokenStore, claude: Path) -> None:
    write(claude, [answer()])
    write(
        claude,
        [answer("msg_sub", uuid="s-1", isSidechain=True, agentId="agent1")],
        f"{SESSION}/subagents/agent-agent1",
    )
    await ingest_claude_code(store, [claude])
    data = await store.get_session_data(SESSION)
    assert {message.message_id for message in data.messages} == {"msg_a", "msg_sub"}


async def test_a_subagents_file_whose_lines_name_no_session_belongs_to_its_folders(
    store: TokenStore, claude: Path
) -> None:
    line = answer("msg_sub", uuid="s-1", isSidechain=True, agentId="agent1")
    del line["sessionId"]
    write(claude, [line], f"{SESSION}/subagents/agent-agent1")
    assert (await only(store, claude)).session_id == SESSION


async def test_a_subagent_seen_in_progress_lines_and_in_a_file_counts_once(
    store: TokenStore, claude: Path
) -> None:
    nested = answer("msg_sub", uuid="s-1")
    write(claude, [agent_progress("agent1", nested)])
    write(
        claude,
        [{**nested, "agentId": "agent1"}],
        f"{SESSION}/subagents/workflows/wf_1/agent-agent1",
    )
    assert (await read(store, claude)).messages == 1


async def test_sidechain_lines_count(store: TokenStore, claude: Path) -> None:
    write(claude, [answer(), answer("msg_side", uuid="s", isSidechain=True)])
    assert (await read(store, claude)).messages == 2


async def test_usage_with_a_space_counts(store: TokenStore, claude: Path) -> None:
    line = json.dumps(answer(), separators=(" , ", " : "))
    write(claude, [line])
    assert '"usage" : {' in line
    assert (await read(store, claude)).output_tokens == 10


async def test_a_null_request_id_counts(store: TokenStore, claude: Path) -> None:
    write(claude, [answer(requestId=None)])
    assert (await read(store, claude)).messages == 1


async def test_ids_that_gateways_reuse_are_scoped_by_session_and_request(
    store: TokenStore, claude: Path
) -> None:
    write(claude, [answer("1", uuid="1"), answer("1", uuid="2", requestId="req_2")])
    write(claude, [answer("1", uuid="3", sessionId=FORK)], FORK)
    assert (await read(store, claude)).messages == 3


async def test_a_message_without_an_id_counts_by_its_request(
    store: TokenStore, claude: Path
) -> None:
    line = answer()
    del line["message"]["id"]
    write(claude, [line, line])
    assert (await read(store, claude)).messages == 1


async def test_a_line_cut_short_is_skipped_and_the_others_are_kept(
    store: TokenStore, claude: Path
) -> None:
    write(claude, [json.dumps(answer())[:80], answer("msg_b", uuid="b"), "garbage", "[1, 2]"])
    assert (await read(store, claude)).messages == 1
    assert await skipped(store) == (4, 3, 0)


async def test_synthetic_messages_count_with_no_tokens_and_no_cost(
    store: TokenStore, claude: Path
) -> None:
    line = answer("11111111-2222-4333-8444-555555555555", billed=usage(0, input_tokens=0))
    line["message"]["model"] = "<synthetic>"
    write(claude, [line])
    sums = await read(store, claude)
    assert (sums.messages, sums.total_tokens, sums.cost_pico) == (1, 0, 0)
    assert sums.unpriced_messages == 0


async def test_the_clients_own_total_is_kept_apart(store: TokenStore, claude: Path) -> None:
    model = {
        "inputTokens": 50,
        "outputTokens": 900,
        "cacheReadInputTokens": 7,
        "cacheCreationInputTokens": 8,
        "webSearchRequests": 1,
        "costUSD": 1.25,
    }
    total = {"type": "cost-state", "sessionId": SESSION, "totalCostUSD": 1.25}
    write(
        claude,
        [
            answer(),
            {**total, "modelUsage": {MODEL: {**model, "outputTokens": 100, "costUSD": 0.5}}},
            {**total, "modelUsage": {MODEL: model}},
        ],
    )
    sums = await read(store, claude)
    assert (sums.messages, sums.output_tokens) == (1, 10)
    assert await rows(
        store,
        "SELECT input_tokens, output_tokens, cache_read_tokens, cache_write_tokens,"
        " web_search_requests, cost_pico FROM client_totals",
    ) == [(50, 900, 7, 8, 1, 1_250_000_000_000)]


async def test_an_unterminated_last_line_counts_if_it_parses(
    store: TokenStore, claude: Path
) -> None:
    write(claude, [answer(), answer("msg_b", uuid="b")], end="")
    assert (await read(store, claude)).messages == 2
    assert await skipped(store) == (2, 0, 0)


async def test_an_unterminated_last_line_that_does_not_parse_waits(
    store: TokenStore, claude: Path
) -> None:
    whole = json.dumps(answer("msg_b", uuid="b"))
    path = write(claude, [answer(), whole[:50]], end="")
    assert (await read(store, claude)).messages == 1
    assert await skipped(store) == (1, 0, 0)
    with path.open("a") as file:
        file.write(whole[50:] + "\n")
    assert (await read(store, claude)).messages == 2
    assert await skipped(store) == (2, 0, 0)


async def test_a_line_that_was_taken_unterminated_is_not_counted_again(
    store: TokenStore, claude: Path
) -> None:
    path = write(claude, [answer()], end="")
    await read(store, claude)
    with path.open("a") as file:
        file.write("\n" + json.dumps(answer("msg_b", uuid="b")) + "\n")
    assert (await read(store, claude)).messages == 2
    assert await skipped(store) == (2, 0, 0)


async def test_a_sessions_project_is_its_first_working_directory(
    store: TokenStore, claude: Path
) -> None:
    write(
        claude,
        [
            {"type": "queue-operation", "timestamp": at(0), "sessionId": SESSION},
            asked(cwd="/home/sam/shop"),
            answer(parent="u-u", cwd="/home/sam/shop/web"),
        ],
    )
    message = await only(store, claude)
    assert (message.project, message.cwd) == ("/home/sam/shop", "/home/sam/shop/web")


async def test_what_later_work_needs_is_kept(store: TokenStore, claude: Path) -> None:
    billed = usage(
        7,
        cache_creation_input_tokens=30,
        cache_read_input_tokens=100,
        cache_creation={"ephemeral_5m_input_tokens": 10, "ephemeral_1h_input_tokens": 20},
        server_tool_use={"web_search_requests": 1, "web_fetch_requests": 2},
        service_tier="standard",
        speed="standard",
        inference_geo="global",
    )
    write(
        claude,
        [
            answer(
                billed=billed,
                agentId="agent1",
                isSidechain=True,
                attributionSkill="pdf",
                attributionMcpServer="github",
                attributionMcpTool="list_issues",
                content=[
                    {"type": "thinking", "thinking": "hmm"},
                    {"type": "text", "text": "grüße"},
                ],
            )
        ],
    )
    message = await only(store, claude)
    assert message.usage.cache_write_5m_tokens == 10
    assert message.usage.cache_write_1h_tokens == 20
    assert (message.usage.web_search_requests, message.usage.web_fetch_requests) == (1, 2)
    assert (message.service_tier, message.speed, message.inference_geo) == (
        "standard",
        "standard",
        "global",
    )
    assert (message.version, message.entrypoint, message.stop_reason) == (
        "2.1.200",
        "cli",
        "end_turn",
    )
    assert (message.agent_id, message.is_sidechain) == ("agent1", True)
    assert message.attribution == ('{"mcp_server":"github","mcp_tool":"list_issues","skill":"pdf"}')
    assert await rows(store, "SELECT text_bytes, thinking_bytes FROM messages") == [(7, 3)]


async def test_what_is_billed_beside_a_message_is_part_of_its_cost(
    store: TokenStore, claude: Path
) -> None:
    iterations = [
        {"type": "message", "input_tokens": 5, "output_tokens": 10},
        {
            "type": "advisor_message",
            "model": "claude-haiku-4-5",
            "input_tokens": 1000,
            "output_tokens": 100,
        },
        {"type": "compaction", "input_tokens": 1000, "output_tokens": 0},
        {"type": "advisor_message", "input_tokens": "odd"},
    ]
    write(claude, [answer(billed=usage(10, iterations=iterations[:3]))])
    message = await only(store, claude)
    assert message.usage.total_tokens == 15
    # Opus 4.6: 5 in, 10 out; Haiku 4.5: 1,000 in, 100 out; Opus 4.6: 1,000 in.
    assert message.cost_pico == (5 * 5 + 10 * 25 + 1000 * 1 + 100 * 5 + 1000 * 5) * 10**6
    write(claude, [answer("msg_b", uuid="b", billed=usage(10, iterations=iterations))], FORK)
    await ingest_claude_code(store, [claude])
    costs = {each.message_id: each.cost_pico for each in await store.get_recent_usage()}
    assert costs["msg_b"] == costs["msg_a"]


async def test_content_items_are_kept_with_what_they_are_about(
    store: TokenStore, claude: Path
) -> None:
    calls = [
        tool_use("toolu_1", "Read", file_path="/a/b.py"),
        tool_use("toolu_2", "mcp__github__list_issues", repo="x"),
        tool_use("toolu_3", "Skill", skill="pdf"),
        tool_use("toolu_4", "Bash", command="cat secret"),
    ]
    image = {"type": "image", "source": {"type": "base64", "data": "QUJD"}}
    write(
        claude,
        [
            asked(),
            answer(parent="u-u", content=calls),
            asked([tool_result("toolu_1", "ünï")], uuid="r1", parent="u-a", second=11),
            asked(
                [tool_result("toolu_2", [{"type": "text", "text": "12345"}, image])],
                uuid="r2",
                parent="r1",
                second=12,
            ),
            {
                "type": "attachment",
                "uuid": "at",
                "parentUuid": "r2",
                "sessionId": SESSION,
                "timestamp": at(13),
                "attachment": {"type": "edited_text_file", "filename": "/a/c.py", "snippet": "x"},
            },
        ],
    )
    await ingest_claude_code(store, [claude])
    found = await rows(
        store,
        "SELECT i.key, i.kind, t.name, s.name, u.name, i.bytes, m.key, a.key, i.position"
        " FROM items i LEFT JOIN names t ON t.id = i.name_id"
        " LEFT JOIN names s ON s.id = i.server_id"
        " LEFT JOIN names u ON u.id = i.uri_id LEFT JOIN messages m ON m.id = i.message_id"
        " LEFT JOIN messages a ON a.id = i.after_id ORDER BY i.key",
    )
    attachment = len(
        json.dumps({"type": "edited_text_file", "filename": "/a/c.py", "snippet": "x"})
    )
    assert found == [
        ("at", "attachment", "edited_text_file", None, "/a/c.py", attachment, None, "msg_a", 2000),
        ("toolu_1", "tool", "Read", None, "/a/b.py", 5, "msg_a", "msg_a", 0),
        ("toolu_2", "tool", "list_issues", "github", None, 9, "msg_a", "msg_a", 1),
        ("toolu_3", "tool", "Skill", None, "skill:pdf", None, "msg_a", None, 2),
        ("toolu_4", "tool", "Bash", None, None, None, "msg_a", None, 3),
        ("u-u", "user", None, None, None, 2, None, None, 0),
    ]
    openings = await rows(store, "SELECT item_key FROM openings ORDER BY item_key")
    assert openings == [("at",), ("u-u",)]


async def test_the_text_itself_is_never_kept(
    store: TokenStore, claude: Path, tmp_path: Path
) -> None:
    secret = "XYZZY-PLUGH"
    write(
        claude,
        [
            asked(secret),
            answer(parent="u-u", content=[
                {"type": "text", "text": secret},
                {"type": "thinking", "thinking": secret},
                tool_use("toolu_1", "Bash", command=secret, description=secret),
                tool_use("toolu_2", "Grep", pattern=secret),
                tool_use("toolu_3", "WebSearch", query=secret),
                tool_use("toolu_4", "WebFetch", url=f"https://a.example/b?key={secret}#{secret}"),
                tool_use("toolu_5", "Read", file_path=f"two\nlines {secret}"),
            ]),
            asked([tool_result("toolu_1", secret)], uuid="r1", parent="u-a",
                  toolUseResult={"stdout": secret}),
            {"type": "summary", "summary": secret, "leafUuid": "r1"},
            {"type": "system", "subtype": "compact_boundary", "uuid": "c", "sessionId": SESSION,
             "compactMetadata": {"trigger": f"{secret} text",
                                 "preservedSegment": {"a": f"{secret} x"},
                                 "preservedMessages": [f"{secret} text"]}},
            {"type": "attachment", "uuid": "at", "parentUuid": "r1", "sessionId": SESSION,
             "timestamp": at(13), "attachment": {"type": "queued_command", "prompt": secret}},
        ],
    )  # fmt: skip
    await read(store, claude)
    for file in tmp_path.glob("ledger.db*"):
        assert secret.encode() not in file.read_bytes()


async def test_a_compaction_is_kept_with_what_it_removed(store: TokenStore, claude: Path) -> None:
    metadata = {"trigger": "auto", "preTokens": 160000, "userContext": "a secret"}
    removed = {"trigger": "auto", "tokensSaved": 9, "compactedToolIds": ["toolu_1"]}
    line = {"type": "system", "sessionId": SESSION, "timestamp": at(20)}
    write(
        claude,
        [
            answer(),
            {**line, "subtype": "compact_boundary", "uuid": "c1", "parentUuid": None,
             "logicalParentUuid": "u-a", "compactMetadata": metadata},
            {**line, "subtype": "microcompact_boundary", "uuid": "c2", "parentUuid": "c1",
             "microcompactMetadata": removed},
            asked("what was said", uuid="sum", parent="c2", second=21, isCompactSummary=True),
        ],
    )  # fmt: skip
    await ingest_claude_code(store, [claude])
    found = await rows(
        store,
        "SELECT i.key, i.kind, a.key, i.detail FROM items i"
        " LEFT JOIN messages a ON a.id = i.after_id ORDER BY i.key",
    )
    assert found == [
        ("c1", "compact", "msg_a", '{"at":1772452820000,"preTokens":160000,"trigger":"auto"}'),
        (
            "c2",
            "microcompact",
            "msg_a",
            '{"at":1772452820000,"compactedToolIds":["toolu_1"],"tokensSaved":9,"trigger":"auto"}',
        ),
        ("sum", "summary", "msg_a", '{"at":1772452821000}'),
    ]


async def test_the_parent_of_a_message_is_the_message_before_it_in_its_chain(
    store: TokenStore, claude: Path
) -> None:
    """A prompt that was taken back begins a second branch."""
    write(
        claude,
        [
            answer("msg_1", uuid="1"),
            asked("a", uuid="2", parent="1", second=11),
            answer("msg_2", uuid="3", parent="2", second=12),
            asked("b", uuid="4", parent="1", second=13),
            answer("msg_3", uuid="5", parent="4", second=14),
        ],
    )
    await ingest_claude_code(store, [claude])
    found = await rows(
        store, "SELECT m.key, p.key FROM messages m LEFT JOIN messages p ON p.id = m.parent_id"
    )
    assert dict(found) == {"msg_1": None, "msg_2": "msg_1", "msg_3": "msg_1"}


@pytest.mark.parametrize(
    ("told", "kept"),
    [({"is_error": True}, '{"is_error":true}'), ({"is_error": False}, None), ({}, None)],
)
async def test_a_tool_that_answered_with_an_error_is_said(
    store: TokenStore, claude: Path, told: dict[str, Any], kept: str | None
) -> None:
    result = {**tool_result("toolu_1"), **told}
    lines = [answer(content=[tool_use("toolu_1")]), asked([result], parent="u-a", second=20)]
    write(claude, lines)
    await ingest_claude_code(store, [claude])
    assert await rows(store, "SELECT key, bytes, detail FROM items") == [("toolu_1", 4, kept)]


async def test_an_error_mark_of_another_type_does_not_lose_the_result(
    store: TokenStore, claude: Path
) -> None:
    result = {**tool_result("toolu_1"), "is_error": "yes"}
    lines = [answer(content=[tool_use("toolu_1")]), asked([result], parent="u-a", second=20)]
    write(claude, lines)
    await ingest_claude_code(store, [claude])
    assert await rows(store, "SELECT key, bytes, detail FROM items") == [("toolu_1", 4, None)]
