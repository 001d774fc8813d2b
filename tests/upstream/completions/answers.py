"""A step of a script as a chat completion."""

from typing import Any

from tests.upstream.answers import new_id
from tests.upstream.completions.dialects import Dialect
from tests.upstream.counting import block_tokens, compact, text_tokens, tool_tokens
from tests.upstream.scripts import Answer, ToolUse
from tests.upstream.values import Json, blocks, objects

CREATED = 1_800_000_000
FINGERPRINT = "fp_a1b2c3d4e5"
_REASONS = {"end_turn": "stop", "tool_use": "tool_calls", "max_tokens": "length"}


def prompt_tokens(request: Json) -> int:
    """The prompt's tokens, by the rules of `counting`: text, calls, and definitions of tools."""
    messages = objects(request.get("messages"))
    parts = [part for message in messages for part in blocks(message.get("content"))]
    calls = [call for message in messages for call in objects(message.get("tool_calls"))]
    total = sum(block_tokens(part) for part in parts)
    total += sum(text_tokens(compact(call["function"])) for call in calls)
    return total + sum(tool_tokens(tool) for tool in objects(request.get("tools")))


def call_of(use: ToolUse) -> Json:
    """One call of a function."""
    arguments = compact(dict(use.input))
    function = {"name": use.name, "arguments": arguments}
    return {"id": use.id or new_id("call"), "type": "function", "function": function}


def output_tokens(answer: Answer) -> tuple[int, int]:
    """The tokens of what is visible, and those of the reasoning before it."""
    reasoning = text_tokens(answer.thinking)
    calls = [
        {"type": "tool_use", "name": use.name, "input": dict(use.input)} for use in answer.tools
    ]
    visible = text_tokens(answer.text) + sum(block_tokens(call) for call in calls)
    if answer.output_tokens is not None:
        visible = max(answer.output_tokens - reasoning, 0)
    return max(visible, 1), reasoning


def usage_of(request: Json, answer: Answer, dialect: Dialect) -> Json:
    """The counts. OpenAI's completion holds the reasoning; Gemini has that in the total only."""
    prompt = prompt_tokens(request)
    visible, reasoning = output_tokens(answer)
    total = prompt + visible + reasoning
    if dialect == "gemini":
        return {"completion_tokens": visible, "prompt_tokens": prompt, "total_tokens": total}
    completion = visible + reasoning
    usage: Json = {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": total,
        "prompt_tokens_details": {"cached_tokens": answer.cached_tokens, "audio_tokens": 0},
        "completion_tokens_details": {
            "reasoning_tokens": reasoning,
            "audio_tokens": 0,
            "accepted_prediction_tokens": 0,
            "rejected_prediction_tokens": 0,
        },
    }
    if dialect == "groq":
        times = {"queue_time": 0.01, "prompt_time": 0.002, "completion_time": 0.1}
        del usage["completion_tokens_details"]
        usage = {**times, **usage, "prompt_tokens_details": {"cached_tokens": answer.cached_tokens}}
    return usage


def finish_reason(answer: Answer) -> str:
    """Why the model stopped, in OpenAI's words."""
    reason = answer.stop_reason or ("tool_use" if answer.tools else "end_turn")
    return _REASONS.get(reason, reason)


def completion_of(request: Json, answer: Answer, dialect: Dialect) -> Json:
    """The whole completion."""
    message: dict[str, Any] = {"role": "assistant", "content": answer.text or None}
    if dialect == "openai":
        message |= {"refusal": None, "annotations": []}
    if answer.tools:
        message["tool_calls"] = [call_of(use) for use in answer.tools]
    choice: Json = {"index": 0, "message": message, "finish_reason": finish_reason(answer)}
    if dialect != "gemini":
        choice["logprobs"] = None
    whole: Json = {
        "id": new_id("chatcmpl"),
        "object": "chat.completion",
        "created": CREATED,
        "model": request["model"],
        "choices": [choice],
        "usage": usage_of(request, answer, dialect),
    }
    if dialect == "gemini":
        return dict(sorted(whole.items()))
    whole |= {"service_tier": "default" if dialect == "openai" else "on_demand"}
    whole |= {"system_fingerprint": FINGERPRINT}
    if dialect == "groq":
        whole["x_groq"] = {"id": new_id("req")}
    return whole
