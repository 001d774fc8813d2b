"""What stands in the prompts and is never called: MCP servers, and the list of skills.

A file that nobody names again is no finding: to read it was its use. Of these two the use is seen.
"""

from collections.abc import Iterator
from typing import Final

from token_tracking.efficiency.advice.kinds import UNUSED_LOAD, UNUSED_SERVER
from token_tracking.efficiency.advice.subjects import SKILL_TOOL, SKILLS, tool_prefix
from token_tracking.efficiency.attribution import Attribution, Conversation, ItemShare
from token_tracking.shares import Finding

_SKILL_LIST: Final = "skill_listing"
_TOOL_LIST: Final = "deferred_tools_delta"
"""Names tools that are loaded when they are asked for, the client's own among them."""


def unused_servers(conversation: Conversation, attribution: Attribution) -> Iterator[Finding]:
    """Servers that the client told of, in attachments, and that were not called in the session.
    The money is their share of these attachments: nothing tells how long the part of each is, and
    they count as equal, as does that of the client's own tools. The definitions of tools that
    stand in the base of the prompt are not in it, since nothing tells their size."""
    telling = [entry for entry in conversation.entries if entry.servers]
    if not telling:
        return
    called = {tool_prefix(entry.server) for entry in conversation.entries if entry.server}
    costs = {item.id: item for item in attribution.items}
    unused: dict[str, list[tuple[ItemShare, int]]] = {}
    for entry in telling:
        item = costs.get(entry.key)
        if item is not None and item.entered_at is not None and item.cost_pico:
            parts = len(entry.servers) + (entry.name == _TOOL_LIST)
            for server in entry.servers:
                if tool_prefix(server) not in called:
                    unused.setdefault(server, []).append((item, parts))
    for server, shares in unused.items():
        yield Finding(
            kind=UNUSED_SERVER,
            subject=server,
            at=min(item.entered_at or 0 for item, _ in shares),
            pico=sum((item.cost_pico or 0) // among for item, among in shares),
            tokens=sum(item.prompt_tokens // among for item, among in shares),
            count=len(shares),
        )


def unused_skills(conversation: Conversation, attribution: Attribution) -> Iterator[Finding]:
    """The list of skills, of which the model called none in the session."""
    if any(entry.name == SKILL_TOOL for entry in conversation.entries):
        return
    lists = [
        item
        for item in attribution.items
        if item.name == _SKILL_LIST and item.cost_pico and item.entered_at is not None
    ]
    if lists:
        yield Finding(
            kind=UNUSED_LOAD,
            subject=SKILLS,
            at=min(item.entered_at or 0 for item in lists),
            pico=sum(item.cost_pico or 0 for item in lists),
            tokens=sum(item.prompt_tokens for item in lists),
            count=len(lists),
            is_measured=all(item.basis == "measured" for item in lists),
        )
