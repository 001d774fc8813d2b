"""What a caller gives, checked before anything is made of it."""

from collections.abc import Mapping, Sequence
from typing import Any, cast

from token_tracking.window.breakpoints import MOST, breakpoints_before, lifetimes
from token_tracking.window.conversation import check_is_list
from token_tracking.window.errors import InvalidConversationError
from token_tracking.window.forms import Form
from token_tracking.window.outgoing import Outgoing


def check_given(system: object, messages: object, tools: object) -> None:
    """Raise InvalidConversationError where something is not of the kind that is asked for."""
    check_is_list(messages)
    if not (system is None or isinstance(system, str) or _holds_blocks(system)):
        raise InvalidConversationError(
            'system is no prompt: give a text, a list of blocks such as {"type": "text", "text":'
            ' "..."}, or None'
        )
    if not (tools is None or _holds_blocks(tools)):
        raise InvalidConversationError("tools are no list of definitions: give dicts in a list")


def without_system(form: Form, system: object, messages: Sequence[object]) -> Sequence[object]:
    """OpenAI's messages without the system prompt that was put in front of them when they were
    handed back.

    Raises InvalidConversationError where another one stands there.
    """
    first = messages[0] if messages else None
    if form.name != "openai" or not system or _role(first) not in ("system", "developer"):
        return messages
    if first != {"role": "system", "content": system}:
        raise InvalidConversationError(
            "There is a system message in front, and a system prompt beside it: give one of them."
        )
    return messages[1:]


def check_breakpoints(form: Form, outgoing: Outgoing, system: object, tools: object) -> None:
    """Raise InvalidConversationError where the caller's own breakpoints, in the whole request, are
    too many, or not in the order that Anthropic wants."""
    if form.name != "anthropic":
        return
    given = [each.ttl for each in breakpoints_before(system, tools)]
    for number in outgoing.marked:
        content = cast("list[object]", outgoing.sent[number].message["content"])
        given += [ttl for block in content for ttl in lifetimes(block)]
    if len(given) > MOST:
        raise InvalidConversationError(
            f"There are {len(given)} cache breakpoints in the system prompt, the tools and the"
            f" messages, and {MOST} are allowed: take out cache_control of some."
        )
    if given != sorted(given, key=lambda ttl: ttl != "1h"):
        raise InvalidConversationError(
            "A cache breakpoint of 1h follows one of 5m (tools come first, then the system prompt,"
            " then the messages): give the longer lifetimes first."
        )


def _holds_blocks(value: object) -> bool:
    return isinstance(value, Sequence) and all(map(_is_block, cast("Sequence[object]", value)))


def _is_block(value: object) -> bool:
    return isinstance(value, Mapping) or hasattr(value, "model_dump")


def _role(message: object) -> Any:
    if isinstance(message, Mapping):
        return cast("Mapping[str, object]", message).get("role")
    return getattr(message, "role", None)
