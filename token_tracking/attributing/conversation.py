"""A session of the ledger as attribution takes it, with the rates of each request."""

from collections import Counter
from collections.abc import Iterator
from typing import Final, Protocol, cast

from msgspec import DecodeError
from msgspec.json import decode
from msgspec.structs import replace

from token_tracking.efficiency import ScaleOf
from token_tracking.efficiency.attribution import (
    Attribution,
    Conversation,
    Entry,
    Message,
    Removal,
    attribute,
)
from token_tracking.errors import UnknownModelError
from token_tracking.loads import chain_of
from token_tracking.merge import LINKED
from token_tracking.pricing import Rates
from token_tracking.store import ChainCall, ChainEntry, ChainMessage, SessionChains

_SKILL: Final = "skill:"
_AGENT: Final = "agent:"
"""What the URIs of calls of skills and subagents begin with."""

_REMOVALS: Final = frozenset({"compact", "microcompact"})


class RateBook(Protocol):
    """The rates of a message: `pricing.PriceBook` is one."""

    def rates(
        self,
        model: str,
        at_ms: int,
        *,
        prompt_tokens: int = 0,
        speed: str | None = None,
        service_tier: str | None = None,
        inference_geo: str | None = None,
    ) -> Rates:
        """Raises UnknownModelError where no price is known."""
        ...


def session_attribution(
    chains: SessionChains, prices: RateBook, scale_of: ScaleOf | None = None
) -> Attribution:
    """Who paid for the prompts of a session's own requests."""
    return attribute(conversation(chains, prices), scale_of)


def conversation(chains: SessionChains, prices: RateBook) -> Conversation:
    """A session as attribution takes it."""
    keys = {message.row: message.key for message in chains.messages}
    written: Counter[int] = Counter()
    skills: dict[str, str] = {}
    for call in chains.calls:
        if call.input_bytes:
            written[call.message] += call.input_bytes
        if call.uri is not None and call.uri.startswith(_SKILL):
            skills[call.key] = call.uri
    entries = [_result(call, keys) for call in chains.calls]
    entries += [_entry(each, keys, skills) for each in chains.entries if each.kind not in _REMOVALS]
    messages = [_message(each, keys, written.get(each.row, 0), prices) for each in chains.messages]
    if not chains.session_id:
        # Messages that name no session are no conversation.
        messages = [replace(message, is_linked=True) for message in messages]
    return Conversation(
        messages=messages,
        entries=entries,
        removals=[_removal(each, keys) for each in chains.entries if each.kind in _REMOVALS],
        agents=_agents(chains),
    )


def _agents(chains: SessionChains) -> dict[str, str]:
    """The types of subagents by their chains: as the call that started one names it, or else as
    its own messages do."""
    found: dict[str, str] = {}
    for message in chains.messages:
        if message.agent_id and message.attribution and message.agent_id not in found:
            agent = _detail(message.attribution).get("agent")
            if isinstance(agent, str):
                found[message.agent_id] = agent
    for call in chains.calls:
        if call.detail and call.uri is not None and call.uri.startswith(_AGENT):
            agent_id = _detail(call.detail).get("agent")
            if isinstance(agent_id, str):
                found[agent_id] = call.uri.removeprefix(_AGENT)
    return found


def _message(
    message: ChainMessage, keys: dict[int, str], call_bytes: int, prices: RateBook
) -> Message:
    return Message(
        key=message.key,
        at=message.at,
        usage=message.usage,
        parent=None if message.parent is None else keys.get(message.parent),
        chain=chain_of(message.agent_id, is_sidechain=bool(message.is_sidechain)),
        model=message.model,
        rates=_rates(message, prices),
        is_final=message.stop_reason is not None,
        is_own=bool(message.is_own),
        is_linked=message.source == LINKED,
        visible_bytes=message.text_bytes + call_bytes,
        thinking_bytes=message.thinking_bytes,
    )


def _rates(message: ChainMessage, prices: RateBook) -> Rates | None:
    """The rates, where the ledger has a price of the message."""
    if message.cost_pico is None or message.model is None or not message.usage.prompt_tokens:
        return None
    try:
        return prices.rates(
            message.model,
            message.at,
            prompt_tokens=message.usage.prompt_tokens,
            speed=message.speed,
            service_tier=message.service_tier,
            inference_geo=message.inference_geo,
        )
    except UnknownModelError:
        return None


def _result(call: ChainCall, keys: dict[int, str]) -> Entry:
    after = None if call.after is None else keys.get(call.after)
    return Entry(
        key=call.key,
        kind=call.kind,
        name=call.name,
        server=call.server,
        uri=call.uri,
        bytes=None if after is None else call.bytes,
        after=after,
        call=keys[call.message],
        position=call.position or 0,
    )


def _entry(entry: ChainEntry, keys: dict[int, str], skills: dict[str, str]) -> Entry:
    detail = _detail(entry.detail)
    at, agent = detail.get("at"), detail.get("agent")
    # Earlier versions kept no detail: what opened a chain is then the main one's.
    agent = agent if isinstance(agent, str) else None
    chain = chain_of(agent, is_sidechain=bool(detail.get("sidechain"))) if detail else None
    call = detail.get("call")
    return Entry(
        key=entry.key,
        kind=entry.kind,
        name=entry.name,
        server=entry.server,
        uri=entry.uri or (skills.get(call) if isinstance(call, str) else None),
        bytes=entry.bytes,
        after=None if entry.after is None else keys[entry.after],
        position=entry.position or 0,
        at=at if isinstance(at, int) else None,
        chain=chain,
        servers=tuple(_ids(detail.get("servers"))),
    )


def _removal(entry: ChainEntry, keys: dict[int, str]) -> Removal:
    detail = _detail(entry.detail)
    kept = frozenset(_kept(detail))
    after = None if entry.after is None else keys[entry.after]
    position = entry.position or 0
    if entry.kind == "compact":
        return Removal(after=after, position=position, kept=kept, kept_lines=len(kept))
    removed = [*_ids(detail.get("compactedToolIds")), *_ids(detail.get("clearedAttachmentUUIDs"))]
    return Removal(after=after, position=position, removed=frozenset(removed))


def _kept(detail: dict[str, object]) -> Iterator[str]:
    messages = detail.get("preservedMessages")
    if isinstance(messages, dict):
        yield from _ids(cast("dict[str, object]", messages).get("allUuids"))


def _ids(given: object) -> list[str]:
    listed = cast("list[object]", given) if isinstance(given, list) else []
    return [each for each in listed if isinstance(each, str)]


def _detail(text: str | None) -> dict[str, object]:
    try:
        given: object = decode(text or "{}")
    except DecodeError:
        return {}
    return cast("dict[str, object]", given) if isinstance(given, dict) else {}
