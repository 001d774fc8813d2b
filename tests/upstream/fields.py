"""The fields of a request beside its messages."""

import re
from collections.abc import Iterator
from typing import Any

from tests.upstream.conversations import check_texts
from tests.upstream.errors import invalid
from tests.upstream.models import Model
from tests.upstream.values import Json, blocks, objects

MAX_BREAKPOINTS = 4
_BOTH = ("model", "messages", "system", "tools", "tool_choice", "thinking", "cache_control",
         "output_config", "speed", "context_management")  # fmt: skip
_CREATE = ("max_tokens", "stream", "stop_sequences", "temperature", "top_p", "top_k", "metadata",
           "service_tier", "container", "diagnostics", "inference_geo")  # fmt: skip
_TOOL_NAME = re.compile(r"[a-zA-Z0-9_-]{1,128}")


def check_fields(request: Json, *, counting: bool) -> None:
    """Check that the fields are there and are known ones. Raises `Refusal` (400)."""
    required = ("model", "messages") if counting else ("model", "max_tokens", "messages")
    for name in required:
        if name not in request:
            raise invalid(f"{name}: Field required")
    for name in request:
        if name not in (_BOTH if counting else _BOTH + _CREATE):
            raise invalid(f"{name}: Extra inputs are not permitted")
    if not isinstance(request["model"], str):
        raise invalid("model: Input should be a valid string")


def check_output(request: Json, model: Model) -> None:
    """Check `max_tokens` and the budget for thinking within it. Raises `Refusal` (400)."""
    wanted = request["max_tokens"]
    if not isinstance(wanted, int) or isinstance(wanted, bool):
        raise invalid("max_tokens: Input should be a valid integer")
    if wanted < 0:
        raise invalid("max_tokens: Input should be greater than or equal to 0")
    if wanted > model.max_output:
        raise invalid(
            f"max_tokens: {wanted} > {model.max_output}, which is the maximum allowed number of "
            f"output tokens for {model.id}"
        )
    thinking: Json = request.get("thinking") or {}
    if thinking.get("type") == "enabled":
        _check_budget(thinking.get("budget_tokens"), wanted)


def _check_budget(budget: Any, max_tokens: int) -> None:
    if not isinstance(budget, int):
        raise invalid("thinking.enabled.budget_tokens: Field required")
    if budget < 1_024:
        raise invalid(
            "thinking.enabled.budget_tokens: Input should be greater than or equal to 1024"
        )
    if max_tokens <= budget:
        raise invalid("`max_tokens` must be greater than `thinking.budget_tokens`.")


def check_system(system: Any) -> None:
    """Check the system prompt; an empty string is none. Raises `Refusal` (400)."""
    if system in (None, ""):
        return
    if not isinstance(system, str | list):
        raise invalid("system: Input should be a valid list")
    for number, block in enumerate(blocks(system)):
        if block.get("type") != "text":
            raise invalid(f"system.{number}.type: Input should be 'text'")
        if not isinstance(block.get("text"), str):
            raise invalid(f"system.{number}.text: Field required")
    check_texts("system", [blocks(system)])


def check_tools(tools: Any) -> None:
    """Check the definitions of tools. Raises `Refusal` (400)."""
    names: set[str] = set()
    for number, tool in enumerate(objects(tools)):
        name = tool.get("name", "")
        if tool.get("type", "custom") == "custom":
            _check_custom(f"tools.{number}.custom", tool)
        if name in names:
            raise invalid("tools: Tool names must be unique.")
        names.add(name)


def _check_custom(where: str, tool: Json) -> None:
    for name in ("name", "input_schema"):
        if name not in tool:
            raise invalid(f"{where}.{name}: Field required")
    if not isinstance(tool["name"], str) or not _TOOL_NAME.fullmatch(tool["name"]):
        raise invalid(f"{where}.name: String should match pattern '^[a-zA-Z0-9_-]{{1,128}}$'")
    if tool["input_schema"].get("type") != "object":
        raise invalid(f"{where}.input_schema.type: Input should be 'object'")


def _marked(request: Json) -> Iterator[tuple[str, Json]]:
    """The blocks with a breakpoint, in the order of the prompt."""
    for number, tool in enumerate(objects(request.get("tools"))):
        yield f"tools.{number}", tool
    for number, block in enumerate(blocks(request.get("system"))):
        yield f"system.{number}", block
    for number, message in enumerate(objects(request.get("messages"))):
        for place, block in enumerate(blocks(message["content"])):
            yield f"messages.{number}.content.{place}", block
    yield "request", request


def check_breakpoints(request: Json) -> None:
    """Check that breakpoints are few, of a known lifetime, and the longer before the shorter.
    Raises `Refusal` (400)."""
    marked = [(where, block) for where, block in _marked(request) if block.get("cache_control")]
    if len(marked) > MAX_BREAKPOINTS:
        raise invalid(
            f"A maximum of {MAX_BREAKPOINTS} blocks with cache_control may be provided. "
            f"Found {len(marked)}."
        )
    short = False
    for where, block in marked:
        ttl = _ttl(f"{where}.cache_control", block["cache_control"])
        if ttl == "1h" and short:
            raise invalid(
                f"{where}.cache_control.ttl: a ttl='1h' cache_control block must not come after a "
                "ttl='5m' cache_control block. Note that blocks are processed in the following "
                "order: `tools`, `system`, `messages`."
            )
        short = short or ttl == "5m"


def _ttl(where: str, control: Json) -> str:
    if control.get("type") != "ephemeral":
        raise invalid(f"{where}.type: Input should be 'ephemeral'")
    ttl = control.get("ttl") or "5m"
    if ttl not in ("5m", "1h"):
        raise invalid(f"{where}.ephemeral.ttl: Input should be '5m' or '1h'")
    return ttl
