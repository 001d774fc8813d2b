"""What stands in the prompts and is never called: MCP servers, and the list of skills. Of these two
the use is seen."""

from collections.abc import Iterator, Sequence
from typing import Final

from token_tracking.efficiency.advice.carriage import Carriage, Part, scaled
from token_tracking.efficiency.advice.kinds import CALLED, UNUSED_LOAD, UNUSED_SERVER
from token_tracking.efficiency.advice.quarters import ByQuarter
from token_tracking.efficiency.advice.subjects import SKILL_TOOL, SKILLS, tool_prefix
from token_tracking.efficiency.attribution import Attribution, Conversation
from token_tracking.shares import Finding, quarter_of

_SKILL_LIST: Final = "skill_listing"
_TOOL_LIST: Final = "deferred_tools_delta"
"""Names tools that are loaded when they are asked for, the client's own among them."""


def unused_servers(
    conversation: Conversation, attribution: Attribution, carriage: Carriage
) -> Iterator[Finding]:
    """Servers that the client told of, in attachments, and that were not called in the session.
    The money is their share of these attachments: nothing tells how long the part of each is, and
    they count as equal, as does that of the client's own tools. The definitions of tools that
    stand in the base of the prompt are not in it, since nothing tells their size."""
    found = ByQuarter(UNUSED_SERVER)
    telling = {entry.key: entry for entry in conversation.entries if entry.servers}
    called = {tool_prefix(entry.server) for entry in conversation.entries if entry.server}
    for item in attribution.items if telling else ():
        entry = telling.get(item.id)
        if entry is None or not item.cost_pico:
            continue
        among = len(entry.servers) + (entry.name == _TOOL_LIST)
        for place, server in enumerate(entry.servers):
            if tool_prefix(server) not in called:
                _add_share(found, server, carriage.parts(item), among, place)
    return found.findings()


def _add_share(
    found: ByQuarter, server: str, parts: Sequence[Part], among: int, place: int
) -> None:
    picos = scaled([part.pico for part in parts], 1, among, place)
    tokens = scaled([part.tokens for part in parts], 1, among, place)
    for number, (part, pico, size) in enumerate(zip(parts, picos, tokens, strict=True)):
        found.add(server, part.at, pico, size, int(not number))


def unused_skills(
    conversation: Conversation, attribution: Attribution, carriage: Carriage
) -> Iterator[Finding]:
    """The list of skills, of which the model called none in the session."""
    if any(entry.name == SKILL_TOOL for entry in conversation.entries):
        return iter(())
    lists = [item for item in attribution.items if item.name == _SKILL_LIST and item.cost_pico]
    found = ByQuarter(UNUSED_LOAD, is_measured=all(item.basis == "measured" for item in lists))
    for item in lists:
        for number, part in enumerate(carriage.parts(item)):
            found.add(SKILLS, part.at, part.pico, part.tokens, int(not number))
    return found.findings()


def uncarried_calls(conversation: Conversation, attribution: Attribution) -> Iterator[Finding]:
    """The servers and skills that were called without a request that carried the result, once for
    each quarter of an hour (`CALLED`)."""
    own = {message.key: message.at for message in conversation.messages if message.is_own}
    calls = [
        (own[entry.call], entry)
        for entry in conversation.entries
        if (entry.server or entry.name == SKILL_TOOL) and entry.call in own
    ]
    carried = {item.id for item in attribution.items if item.requests} if calls else set[str]()
    found: dict[tuple[str, int], int] = {}
    for at, entry in calls:
        if entry.key not in carried:
            key = (entry.server or SKILL_TOOL, quarter_of(at))
            found[key] = min(found.get(key, at), at)
    for (subject, _), at in found.items():
        yield Finding(kind=CALLED, subject=subject, at=at, pico=0)
