"""What the APIs refuse. Facts are Anthropic's documentation of tool use, extended thinking, prompt
caching and mid-conversation system messages, the errors that its API answers with, and OpenAI's
reference of chat completions."""

from collections.abc import Mapping
from typing import Final

from token_tracking.window.laws.reading import Fault, Law, Reading, place

MAX_BREAKPOINTS: Final = 4
"""Cache breakpoints that a request may have, in tools, system and messages together."""


def _not_empty(reading: Reading) -> Fault | None:
    return None if reading.messages else (None, "there are no messages; give at least one")


def _starts_with_user(reading: Reading) -> Fault | None:
    if not reading.is_anthropic or reading.role(0) in (None, "user"):
        return None
    if _is_compaction(reading):
        return None
    return 0, f"the first message is of the role {reading.role(0)}; it has to be a user's"


def _is_compaction(reading: Reading) -> bool:
    """Whether the API's own summary stands first: what was before it may be left out."""
    first = reading.blocks[0][:1] if reading.blocks else []
    raw = first[0].raw if first else None
    return isinstance(raw, Mapping) and raw.get("type") == "compaction"


def _system_in_its_place(reading: Reading) -> Fault | None:
    if not reading.is_anthropic:
        return None
    for number in range(1, len(reading.messages)):
        if reading.role(number) != "system":
            continue
        if reading.role(number - 1) == "assistant" or reading.role(number + 1) == "user":
            return number, (
                f"message {number} is of the role system; it has to stand behind a user's message "
                "and before an assistant's, or end the conversation"
            )
    return None


def _content_not_empty(reading: Reading) -> Fault | None:
    last = len(reading.messages) - 1
    for number, message in enumerate(reading.messages):
        content = message.get("content")
        if reading.is_anthropic:
            is_empty = not content and not (number == last and message["role"] == "assistant")
        else:
            is_empty = content == [] or (content is None and not reading.blocks[number])
        if is_empty:
            return number, f"message {number} has no content; leave the message out"
    return None


def _text_not_blank(reading: Reading) -> Fault | None:
    if not reading.is_anthropic:
        return None
    for blocks in reading.blocks:
        for block in blocks:
            if block.kind == "text" and block.raw != "" and not block.text.strip():
                return block.message, f"{place(block)} is blank text; leave the block out"
    return None


def _at_most_four_breakpoints(reading: Reading) -> Fault | None:
    allowed = max(0, MAX_BREAKPOINTS - reading.breakpoints_elsewhere)
    over = reading.breakpoints[allowed:]
    if not over:
        return None
    return over[0].block.message, (
        f"{place(over[0].block)} has a cache breakpoint too many: "
        f"{len(reading.breakpoints) + reading.breakpoints_elsewhere} stand in the request, "
        f"{MAX_BREAKPOINTS} are allowed"
    )


def _ttl_order(reading: Reading) -> Fault | None:
    is_short = False
    for each in reading.breakpoints:
        if each.ttl == "1h" and is_short:
            where = place(each.block)
            return each.block.message, f"{where} caches for 1h behind one that caches for 5m"
        is_short = is_short or each.ttl != "1h"
    return None


def _no_breakpoint_on_thinking(reading: Reading) -> Fault | None:
    for each in reading.breakpoints:
        if each.block.kind == "thinking":
            where = place(each.block)
            return each.block.message, f"{where} is thinking, which takes no cache_control"
    return None


MESSAGE_LAWS: Final[tuple[Law[Reading], ...]] = (
    Law("not_empty", "There is a message.", _not_empty),
    Law("starts_with_user", "The first message is a user's (Anthropic).", _starts_with_user),
    Law(
        "system_in_its_place",
        "A system message stands behind a user's, and before an assistant's or last (Anthropic).",
        _system_in_its_place,
    ),
    Law("content_not_empty", "Every message has content.", _content_not_empty),
    Law("text_not_blank", "No text is empty or of white space only (Anthropic).", _text_not_blank),
)
"""In the order in which they are named where one message breaks several."""

BREAKPOINT_LAWS: Final[tuple[Law[Reading], ...]] = (
    Law(
        "at_most_four_breakpoints",
        "A request has at most four cache breakpoints.",
        _at_most_four_breakpoints,
    ),
    Law("ttl_order", "No breakpoint of an hour follows one of five minutes.", _ttl_order),
    Law(
        "no_breakpoint_on_thinking",
        "No thinking block has a cache breakpoint.",
        _no_breakpoint_on_thinking,
    ),
)
"""Of cache breakpoints, which only Anthropic's form has."""
