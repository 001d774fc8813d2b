"""A step of a script as the API's message."""

from collections.abc import Sequence
from typing import Any
from uuid import uuid4

from tests.upstream.caching import Billed
from tests.upstream.counting import block_tokens
from tests.upstream.scripts import Answer, ToolUse
from tests.upstream.signatures import signature_of
from tests.upstream.values import Json


def new_id(kind: str) -> str:
    """An id such as the API gives: `msg`, `toolu` or `req`."""
    return f"{kind}_01{uuid4().hex[:22]}"


def _call(use: ToolUse) -> Json:
    return {
        "type": "tool_use",
        "id": use.id or new_id("toolu"),
        "name": use.name,
        "input": dict(use.input),
    }


def content_of(answer: Answer) -> list[Json]:
    """The blocks of an answer."""
    content: list[Json] = []
    if answer.thinking:
        signature = signature_of(answer.thinking)
        content.append({"type": "thinking", "thinking": answer.thinking, "signature": signature})
    if answer.text:
        content.append({"type": "text", "text": answer.text})
    return content + [_call(use) for use in answer.tools]


def cut(content: Sequence[Json], tokens: int) -> list[Json]:
    """The blocks that fit `tokens`, the last text cut short; a call is whole or not there."""
    kept: list[Json] = []
    for block in content:
        size = block_tokens(block)
        if size > tokens:
            if block["type"] == "text" and tokens:
                kept.append({**block, "text": block["text"][: 4 * tokens]})
            break
        kept.append(block)
        tokens -= size
    return kept


def sampled(answer: Answer, max_tokens: int) -> tuple[list[Json], str, int]:
    """The content, the stop reason and the output tokens of an answer within `max_tokens`."""
    content = content_of(answer)
    tokens = answer.output_tokens
    if tokens is None:
        tokens = max(1, sum(block_tokens(block) for block in content))
    reason = answer.stop_reason or ("tool_use" if answer.tools else "end_turn")
    if tokens <= max_tokens:
        return content, reason, tokens
    return cut(content, max_tokens), "max_tokens", max_tokens


def usage_of(billed: Billed, output_tokens: int) -> Json:
    """The counts of one step that was sampled."""
    return {
        "input_tokens": billed.fresh,
        "cache_creation_input_tokens": billed.write_5m + billed.write_1h,
        "cache_read_input_tokens": billed.read,
        "cache_creation": {
            "ephemeral_5m_input_tokens": billed.write_5m,
            "ephemeral_1h_input_tokens": billed.write_1h,
        },
        "output_tokens": output_tokens,
    }


def message_of(model: str, content: list[Json], reason: str, usage: Json) -> Json:
    """The whole message."""
    settings: dict[str, Any] = {"service_tier": "standard", "inference_geo": "global"}
    return {
        "id": new_id("msg"),
        "type": "message",
        "role": "assistant",
        "model": model,
        "content": content,
        "stop_reason": reason,
        "stop_sequence": None,
        "usage": {**usage, **settings},
    }
