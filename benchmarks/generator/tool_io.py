"""Tool uses, the progress of the tools, their results, and the subagents they start."""

import json
from dataclasses import replace
from typing import TYPE_CHECKING

from benchmarks.generator.billing import Meter
from benchmarks.generator.chain import Chain, Line

if TYPE_CHECKING:
    from benchmarks.generator.conversation import Conversation

SUBAGENT_MODEL = {"claude-opus-5-5": "claude-haiku-5-5"}  # the others run as their parent
SUBAGENT_PROMPT_TOKENS = 17_000  # 17,856 written by the first request of one in the corpus
INSTANT_TOOLS = ("TaskUpdate", "TodoWrite", "Skill", "Glob")


def tool_use(talk: "Conversation", name: str) -> tuple[Line, int]:
    """A tool_use block and the characters of its input."""
    chain = talk.chain
    words = chain.filler.text(talk.characters(talk.profile.tools[name].text.draw(talk.rng)))
    path = chain.filler.path(chain.envelope.cwd)
    fields: dict[str, dict[str, str]] = {
        "Bash": {"command": words, "description": words[:40]},
        "Read": {"file_path": path},
        "Edit": {"file_path": path, "old_string": words[: len(words) // 2]}
        | {"new_string": words[len(words) // 2 :]},
        "Write": {"file_path": path, "content": words},
        "Skill": {"skill": "release-notes"},
        "mcp__github__list_issues": {"owner": "example", "repo": "bookshop", "query": words},
        "Grep": {"pattern": words[:30], "path": path},
        "Task": {"description": words[:30], "prompt": words, "subagent_type": "Explore"},
        "Agent": {"description": words[:30], "prompt": words, "subagent_type": "Explore"},
    }
    value = fields.get(name, {"input": words})
    block: Line = {"type": "tool_use", "id": chain.filler.api_id("toolu"), "name": name}
    return {**block, "input": value}, len(json.dumps(value))


def result_of(talk: "Conversation", block: Line, uuid: str, *, moves: bool) -> None:
    """Write what a tool use leads to: progress, hooks, a subagent, and its tool_result."""
    chain, name, tool_id = talk.chain, str(block["name"]), str(block["id"])
    chain.wait(20 if name in INSTANT_TOOLS else 3_000)
    agent_id = _run_agent(talk, block) if name in ("Task", "Agent") else None
    if name == "Bash" and talk.rng.random() < talk.profile.bash_with_progress:
        _bash_progress(talk, tool_id)
    result = chain.filler.text(talk.characters(talk.profile.result.draw(talk.rng)))
    talk.enter(result)
    content: Line = {"tool_use_id": tool_id, "type": "tool_result", "content": result}
    fields: Line = {
        "type": "user",
        "message": {"role": "user", "content": [content]},
        "toolUseResult": _client_result(talk, name, result, agent_id),
        "sourceToolAssistantUUID": uuid,
    }
    chain.add(fields, parent=uuid, moves=moves)
    if talk.rng.random() < talk.profile.hook_progress:
        data: Line = {"type": "hook_progress", "hookEvent": "PostToolUse"}
        data |= {"hookName": f"PostToolUse:{name}", "command": "check-formatting --quick"}
        chain.progress(data, tool_id, tool_id)


def _client_result(talk: "Conversation", name: str, result: str, agent_id: str | None) -> Line:
    """What the client keeps of a result for itself: often the same text again."""
    filler, root = talk.chain.filler, talk.chain.envelope.cwd
    if name == "Edit":
        size = talk.profile.original_file.draw(talk.rng)
        original = filler.text(talk.characters(size))
        return {"filePath": filler.path(root), "originalFile": original, "structuredPatch": []}
    if name == "Read":
        file: Line = {"filePath": filler.path(root), "content": result, "numLines": 60}
        return {"type": "text", "file": file}
    if agent_id:
        return {"status": "completed", "agentId": agent_id, "content": result}
    return {"stdout": result, "stderr": "", "interrupted": False, "isImage": False}


def _bash_progress(talk: "Conversation", tool_id: str) -> None:
    output = talk.chain.filler.text(talk.characters(talk.profile.bash_output.draw(talk.rng)))
    for second in range(1, 2 + talk.profile.bash_progress.draw(talk.rng)):
        data: Line = {"type": "bash_progress", "output": output, "fullOutput": output}
        data |= {"elapsedTimeSeconds": second + 1, "totalLines": output.count("\n")}
        talk.chain.progress(data, tool_id, f"bash-progress-{second}")


def _run_agent(talk: "Conversation", block: Line) -> str:
    """A subagent's own conversation: in a file of its own, or in progress lines."""
    agent_id = talk.chain.filler.agent_id()
    value = block["input"]
    assert isinstance(value, dict)
    prompt = str(value["prompt"])  # pyright: ignore[reportUnknownArgumentType]
    child = _child(talk, agent_id)
    child.enter(prompt)
    child.chain.user(prompt)
    names = [name for name in talk.profile.tools if name not in ("Task", "Agent")]
    weights = [talk.profile.tools[name].weight for name in names]
    requests = talk.profile.agent_requests.draw(talk.rng) + 1
    for left in reversed(range(requests)):
        child.request(tools=talk.rng.choices(names, weights) if left else [])
    talk.chain.clock = child.chain.clock
    if talk.profile.agents_in_files:
        talk.agents[agent_id] = child.chain.lines
    else:
        _as_progress(talk, child.chain.lines, str(block["id"]), prompt)
    return agent_id


def _child(talk: "Conversation", agent_id: str) -> "Conversation":
    envelope = replace(talk.chain.envelope, agent_id=agent_id)
    chain = Chain(talk.rng, talk.chain.filler, envelope, talk.chain.clock)
    parent = talk.meter
    model = SUBAGENT_MODEL.get(parent.model, parent.model)
    meter = Meter(talk.rng, model, hour=False, spent=parent.spent)
    meter.entered = SUBAGENT_PROMPT_TOKENS
    return type(talk)(chain, meter, talk.profile, talk.shrink)


def _as_progress(talk: "Conversation", lines: list[Line], tool_id: str, prompt: str) -> None:
    agent_id = lines[0]["agentId"]
    for line in lines:
        if line["type"] not in ("user", "assistant"):
            continue  # the progress of a subagent's own tools is not reported
        kept = ("type", "timestamp", "message", "requestId", "uuid")
        data: Line = {"message": {key: line[key] for key in kept if key in line}}
        data |= {"normalizedMessages": [], "type": "agent_progress"}
        data |= {"prompt": prompt, "agentId": agent_id}
        talk.chain.progress(data, tool_id, f"agent_{tool_id}")
