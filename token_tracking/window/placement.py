"""The request as it is sent: its messages and system prompt, with breakpoints."""

from collections.abc import Sequence
from typing import Any

from msgspec import Struct

from token_tracking.window.blocks import PlainMessage
from token_tracking.window.breakpoints import Placement, breakpoints_before
from token_tracking.window.draft import Draft
from token_tracking.window.prompt_cache import LOOKBACK_BLOCKS, Breakpoint
from token_tracking.window.spending import Caching


class Placed(Struct, frozen=True):
    """What goes to the provider."""

    messages: list[PlainMessage]
    system: Any
    tools: Any
    breakpoints: list[Breakpoint]


def place(
    draft: Draft, system: Any, tools: Sequence[Any] | None, caching: Caching | None
) -> Placed:
    """A draft with breakpoints: at its end first, then before what may be edited later and before
    what will be gone with the next turn, where the last request ended (if the end is too far off
    to find it), and behind the system prompt."""
    outgoing, form = draft.outgoing, draft.conversation.form
    placing = Placement(form, outgoing, caching or "5m", breakpoints_before(system, tools))
    if caching is not None and form.name == "anthropic":
        last = len(outgoing.sent) - 1
        placing.at_end_of(last)
        for message in (draft.frontier, draft.leaving):
            if message is not None:
                placing.at_end_of(outgoing.sent_before(message) - 1)
        before = draft.unchanged_messages - 1
        far = outgoing.blocks - outgoing.first_block_of(before + 1) >= LOOKBACK_BLOCKS - 2
        if far and before >= 0:
            placing.at_end_of(before)
        system = placing.at_system(system)
    messages = placing.messages
    if form.name == "openai" and system:
        messages = [{"role": "system", "content": system}, *messages]
        system = None
    kept_tools = None if tools is None else list(tools)
    return Placed(messages, system, kept_tools, sorted(placing.placed))
