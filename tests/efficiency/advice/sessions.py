"""Sessions for findings: requests at minutes, and attributions with items as a test wants them."""

from collections.abc import Sequence

from tests.efficiency.attribution.conversations import message
from token_tracking.efficiency.advice import find_waste
from token_tracking.efficiency.attribution import (
    Attribution,
    Conversation,
    Entry,
    ItemShare,
    Message,
    Removal,
)
from token_tracking.efficiency.attribution import Findings as Oddities
from token_tracking.shares import Finding

MINUTE = 60_000
USD = 10**12
"""Pico-USD."""


def request(key: str, parent: str | None = None, *, minute: float = 0, **fields: object) -> Message:
    """A request, so many minutes after the session began."""
    return message(key, parent, at=int(minute * MINUTE), **fields)  # pyright: ignore[reportArgumentType]


def read_of(key: str, after: str, uri: str = "/a.py", size: int = 3_000) -> Entry:
    """A file that was read."""
    return called(key, after, "Read", uri, size)


def called(key: str, after: str, name: str, uri: str, size: int = 100) -> Entry:
    """A call and its result."""
    return Entry(key=key, kind="tool", name=name, uri=uri, bytes=size, after=after, call=after)


def item(key: str, pico: int = USD, **fields: object) -> ItemShare:
    """An item that cost so much, the half of it in its first request."""
    given = {
        "kind": "tool",
        "name": "Read",
        "server": None,
        "uri": None,
        "tokens": 1_000,
        "requests": 2,
        "prompt_tokens": 2_000,
        "basis": "estimated",
        "entered_at": 7,
        "first_pico": pico // 2,
        **fields,
    }
    return ItemShare(id=key, cost_pico=pico, **given)  # pyright: ignore[reportArgumentType]


def base(tokens: int) -> ItemShare:
    """The base of the main chain's prompts."""
    return item("base", 0, kind="base", name=None, tokens=tokens)


def found(
    messages: Sequence[Message],
    entries: Sequence[Entry] = (),
    items: Sequence[ItemShare] = (),
    removals: Sequence[Removal] = (),
) -> list[Finding]:
    """The findings of a session with these items."""
    conversation = Conversation(messages=messages, entries=entries, removals=removals)
    attribution = Attribution(
        prompt_tokens=0, prompt_pico=0, items=list(items), findings=Oddities()
    )
    return find_waste(conversation, attribution)
