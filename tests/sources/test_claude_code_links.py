"""What lines tell of where something came from: agents, skills, servers. Ids and names alone."""

from pathlib import Path
from typing import Any

from tests.transcripts import SESSION, answer, asked, at, tool_result, tool_use, usage, write
from token_tracking.attributing.conversation import conversation
from token_tracking.efficiency.attribution import Attribution, Conversation, attribute
from token_tracking.ingest import ingest_claude_code
from token_tracking.store import TokenStore

BILLED = usage(10, cache_creation_input_tokens=1000)


async def read(store: TokenStore, claude: Path, lines: list[Any]) -> Conversation:
    write(claude, lines)
    await ingest_claude_code(store, [claude])
    return conversation(await store.session_chains(SESSION), store.prices)


def agents_of(found: Attribution) -> set[tuple[str, str]]:
    return {(item.id, item.agent) for item in found.items}


def subagent_lines(agent: str, **line: Any) -> list[dict[str, Any]]:
    """A subagent's task and its answer."""
    sidechain: dict[str, Any] = {"agentId": agent, "isSidechain": True}
    return [
        asked("task", uuid=f"{agent}-u", second=3, **sidechain),
        answer(
            f"msg_{agent}", uuid=f"{agent}-a", parent=f"{agent}-u", second=4, billed=BILLED,
            **sidechain, **line,
        ),
    ]  # fmt: skip


async def test_a_subagent_has_the_type_that_its_call_names(store: TokenStore, claude: Path) -> None:
    result = [tool_result("toolu_1")]
    given = await read(
        store,
        claude,
        [
            answer(uuid="1", content=[tool_use("toolu_1", "Agent", subagent_type="Explore")]),
            asked(result, uuid="r", parent="1", second=9, toolUseResult={"agentId": "a1"}),
            *subagent_lines("a1"),
            *subagent_lines("b2"),
        ],
    )
    assert given.agents == {"a1": "Explore"}
    assert agents_of(attribute(given)) == {
        ("base", ""),
        ("toolu_1", ""),
        ("base:a1", "Explore"),
        ("a1-u", "Explore"),
        ("base:b2", "subagent"),
        ("b2-u", "subagent"),
    }


async def test_a_subagents_own_lines_may_name_its_type(store: TokenStore, claude: Path) -> None:
    given = await read(store, claude, subagent_lines("a1", attributionAgent="reviewer"))
    assert given.agents == {"a1": "reviewer"}


async def test_a_result_of_any_shape_is_read(store: TokenStore, claude: Path) -> None:
    odd = [None, "Error: no", ["a", 1], 3, {"agentId": 7}, {"agentId": "two words"}, {"a": "b"}]
    lines = [
        asked([tool_result(f"toolu_{each}")], uuid=f"r{each}", parent="1", toolUseResult=value)
        for each, value in enumerate(odd)
    ]
    calls = [tool_use(f"toolu_{each}", "Task", subagent_type="x") for each in range(len(odd))]
    given = await read(store, claude, [answer(uuid="1", content=calls), *lines])
    assert given.agents == {}
    assert [entry.bytes for entry in given.entries] == [4] * len(odd)


async def test_the_body_of_a_skill_is_the_skills(store: TokenStore, claude: Path) -> None:
    calls = [tool_use("toolu_1", "Skill", skill="pdf"), tool_use("toolu_2", "Bash")]
    body: list[dict[str, Any]] = [
        asked("body", uuid="b1", parent="r", isMeta=True, sourceToolUseID="toolu_1"),
        asked("note", uuid="b2", parent="b1", isMeta=True, sourceToolUseID="toolu_2"),
        asked("other", uuid="b3", parent="b2", isMeta=True, sourceToolUseID="two words"),
    ]
    given = await read(
        store,
        claude,
        [
            answer(uuid="1", content=calls),
            asked([tool_result("toolu_1"), tool_result("toolu_2")], uuid="r", parent="1"),
            *body,
        ],
    )
    found = {entry.key: (entry.kind, entry.uri) for entry in given.entries}
    assert found == {
        "toolu_1": ("tool", "skill:pdf"),
        "toolu_2": ("tool", None),
        "b1": ("meta", "skill:pdf"),
        "b2": ("meta", None),
        "b3": ("meta", None),
    }


def attachment(key: str, **fields: Any) -> dict[str, Any]:
    return {
        "type": "attachment", "uuid": key, "parentUuid": "u-a", "sessionId": SESSION,
        "timestamp": at(13), "attachment": fields,
    }  # fmt: skip


async def test_attachments_tell_of_servers_by_their_names(store: TokenStore, claude: Path) -> None:
    tools = [
        "mcp__github__list_issues",
        "mcp__github__get_issue",
        "WebSearch",
        "mcp__db__ask",
        "x y",
    ]
    many = [f"mcp__s{each}__t" for each in range(99)]
    given = await read(
        store,
        claude,
        [
            answer(),
            attachment("a1", type="deferred_tools_delta", addedNames=tools, addedLines=["text"]),
            attachment("a2", type="mcp_instructions_delta", addedNames=["claude.ai Mail"]),
            attachment("a3", type="mcp_instructions_delta", addedNames=["x" * 65, 5, "ok"]),
            attachment("a4", type="skill_listing", addedNames=["mcp__no__no"]),
            attachment("a5", type="deferred_tools_delta", addedNames=many),
        ],
    )  # fmt: skip
    servers = {entry.key: entry.servers for entry in given.entries}
    assert len(servers.pop("a5")) == 64
    assert servers == {"a1": ("db", "github"), "a2": ("claude_ai_Mail",), "a3": (), "a4": ()}
