"""The laws of a conversation, worded as the API words them.

Where threads and documentation differ, the stricter reading is taken: results of parallel calls in
more than one message are refused, although consecutive messages of one role are said to be joined.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from tests.upstream.errors import invalid
from tests.upstream.schemas import check_block
from tests.upstream.signatures import signature_of
from tests.upstream.values import Json, blocks, objects

_TOOL_ID = re.compile(r"[a-zA-Z0-9_-]+")
TURNS_BETA = "per-turn-control-2026-07-01"
_ROLES = ("user", "assistant", "system")


@dataclass(frozen=True)
class Rules:
    """What depends on the request and the server: may an assistant stand last, is thinking on, are
    `compaction` blocks known, are signatures compared, may a turn have settings of its own."""

    prefill: bool = False
    thinking: bool = False
    compacts: bool = False
    signatures: bool = True
    turns: bool = False


def check_conversation(value: Any, rules: Rules) -> None:
    """Check the messages of a request. Raises `Refusal` (400), for the first broken law."""
    if not isinstance(value, list):
        raise invalid("messages: Input should be a valid list")
    messages = objects(value)
    if not messages:
        raise invalid("messages: at least one message is required")
    for number, message in enumerate(messages):
        _check_message(number, message, rules)
    _check_ends(messages, rules)
    for number, message in enumerate(messages):
        _check_content(number, message, last=number == len(messages) - 1)
    check_texts("messages", [blocks(message["content"]) for message in messages])
    _check_tools(messages)
    if rules.thinking:
        _check_thinking(messages)


def _check_message(number: int, message: Json, rules: Rules) -> None:
    where = f"messages.{number}"
    for name in ("role", "content"):
        if name not in message:
            raise invalid(f"{where}.{name}: Field required")
    for name in message:
        if name not in ("role", "content") and not (rules.turns and name == "output_config"):
            raise invalid(f"{where}.{name}: Extra inputs are not permitted")
    if message["role"] not in _ROLES:
        raise invalid(f"{where}.role: Input should be 'user', 'assistant' or 'system'")
    if not isinstance(message["content"], str | list):
        raise invalid(f"{where}.content: Input should be a valid list")
    for place, block in enumerate(blocks(message["content"])):
        at = f"{where}.content.{place}"
        check_block(at, block, compacts=rules.compacts)
        _check_place(at, block, message["role"])
        if rules.signatures and block["type"] == "thinking":
            _check_signature(at, block)


def _check_place(where: str, block: Json, role: str) -> None:
    owners = {
        "tool_use": "assistant",
        "thinking": "assistant",
        "redacted_thinking": "assistant",
        "compaction": "assistant",
        "tool_result": "user",
    }
    owner = owners.get(block["type"], role)
    if owner != role:
        raise invalid(f"{where}: `{block['type']}` blocks can only be in `{owner}` messages")
    if block["type"] == "tool_use" and not _TOOL_ID.fullmatch(block["id"]):
        raise invalid(f"{where}.tool_use.id: String should match pattern '^[a-zA-Z0-9_-]+$'")


def _check_signature(where: str, block: Json) -> None:
    if block["signature"] != signature_of(block["thinking"]):
        raise invalid(f"{where}: Invalid `signature` in `thinking` block")


def _check_ends(messages: Sequence[Json], rules: Rules) -> None:
    first = blocks(messages[0]["content"])
    continues = bool(first) and first[0]["type"] == "compaction"
    if messages[0]["role"] != "user" and not continues:
        raise invalid('messages: first message must use the "user" role')
    if messages[-1]["role"] == "assistant" and not rules.prefill:
        raise invalid(
            "This model does not support assistant message prefill. "
            "The conversation must end with a user message."
        )
    final = blocks(messages[-1]["content"])
    text = final[-1].get("text", "") if final and messages[-1]["role"] == "assistant" else ""
    if text != text.rstrip():
        raise invalid("messages: final assistant content cannot end with trailing whitespace")


def _check_content(number: int, message: Json, *, last: bool) -> None:
    if message["content"]:
        return
    if message["role"] == "user":
        raise invalid(f"messages.{number}: user messages must have non-empty content")
    if not last:
        raise invalid(
            f"messages.{number}: all messages must have non-empty content "
            "except for the optional final assistant message"
        )


def check_texts(where: str, contents: Sequence[Sequence[Json]]) -> None:
    """Empty texts are refused, and blank ones that stand with nothing else (measured by others,
    2026). Raises `Refusal` (400)."""
    for content in contents:
        texts = [block["text"] for block in content if block.get("type") == "text"]
        if "" in texts:
            raise invalid(f"{where}: text content blocks must be non-empty")
        if content and len(texts) == len(content) and not any(text.strip() for text in texts):
            raise invalid(f"{where}: text content blocks must contain non-whitespace text")


def _of_type(message: Json | None, kind: str) -> Iterator[tuple[int, Json]]:
    for place, block in enumerate(blocks(message["content"]) if message else []):
        if block["type"] == kind:
            yield place, block


def _check_tools(messages: Sequence[Json]) -> None:
    seen: set[str] = set()
    before: Json | None = None
    for number, message in enumerate(messages):
        _check_results(number, message, before)
        following = messages[number + 1] if number + 1 < len(messages) else None
        _check_calls(number, message, following, seen)
        before = message


def _check_calls(number: int, message: Json, following: Json | None, seen: set[str]) -> None:
    asked: list[str] = []
    for place, call in _of_type(message, "tool_use"):
        if call["id"] in seen:
            raise invalid(f"messages.{number}.content.{place}: `tool_use` ids must be unique")
        seen.add(call["id"])
        asked.append(call["id"])
    answered = set(_first_results(following))
    missing = [each for each in asked if each not in answered]
    if missing:
        raise invalid(
            f"messages.{number}: `tool_use` ids were found without `tool_result` blocks "
            f"immediately after: {', '.join(missing)}. Each `tool_use` block must have a "
            "corresponding `tool_result` block in the next message."
        )


def _first_results(message: Json | None) -> Iterator[str]:
    """The results that a message begins with: those after other content do not count."""
    for block in blocks(message["content"]) if message else []:
        if block["type"] != "tool_result":
            return
        yield block["tool_use_id"]


def _check_results(number: int, message: Json, before: Json | None) -> None:
    called = {call["id"] for _, call in _of_type(before, "tool_use")}
    found: set[str] = set()
    for place, result in _of_type(message, "tool_result"):
        name = result["tool_use_id"]
        if name not in called:
            raise invalid(
                f"messages.{number}.content.{place}: unexpected `tool_use_id` found in "
                f"`tool_result` blocks: {name}. Each `tool_result` block must have a "
                "corresponding `tool_use` block in the previous message."
            )
        if name in found:
            raise invalid(
                f"messages.{number}.content.{place}: each tool_use must have a single result. "
                f"Found multiple `tool_result` blocks with id: {name}"
            )
        found.add(name)


def _check_thinking(messages: Sequence[Json]) -> None:
    """With thinking on, the calls that are being answered stand behind the thinking they had."""
    numbers = [n for n, message in enumerate(messages) if message["role"] == "assistant"]
    if not numbers or not any(_of_type(messages[numbers[-1]], "tool_use")):
        return
    kind = blocks(messages[numbers[-1]]["content"])[0]["type"]
    if kind not in ("thinking", "redacted_thinking", "compaction"):
        raise invalid(
            f"messages.{numbers[-1]}.content.0.type: Expected `thinking` or `redacted_thinking`, "
            f"but found `{kind}`. When `thinking` is enabled, a final `assistant` message must "
            "start with a thinking block (preceeding the lastmost set of `tool_use` and "
            "`tool_result` blocks)."
        )
