"""The join of two sightings: commutative, associative and idempotent.

This is the definition. The database enforces the same rule (`store/queries/*.sql`), and both are
tested on the same cases.

Each field has a join of its own, since sightings differ in what they know:

- token counts: the larger one (a partial sighting's output is a lower bound). Of cache writes it
  is their sum and the one-hour part: a sighting without a breakdown counts all as five-minute;
- the terms of billing (model, tier, speed, place), as one: a final sighting's beat a partial
  one's, and of two alike the larger hold;
- timestamp: the earlier one;
- places: united; of two for one session, the one that tells more, or else the earlier one; where a
  client's session is known, stand-ins for it go (`Place.standing`);
- source: a transcript's, since its lines name their parents, or else the larger one;
- every other field: the larger value, where a missing value is less than any. A stop reason,
  once seen, therefore stays, and makes the message final.
"""

from collections.abc import Iterable
from itertools import zip_longest
from typing import Any, TypeVar

from msgspec.json import decode, encode

from token_tracking.errors import InvalidUsageError
from token_tracking.extra_usage import ExtraUsage
from token_tracking.usage import ContentItem, Place, Usage, UsageEvent, is_folder

_Value = TypeVar("_Value", str, int)

DESCRIPTIVE = (
    "source",
    "stop_reason",
    "version",
    "entrypoint",
    "agent_id",
    "is_sidechain",
    "attribution",
    "category",
    "metadata",
    "text_bytes",
    "thinking_bytes",
)
"""The fields of which the larger value holds."""

LINKED = "claude_code"
"""The source whose lines name their parents."""

TERMS = ("model", "terms_final", "service_tier", "speed", "inference_geo")
"""The terms of billing: they are taken together, from one sighting."""


def join(a: UsageEvent, b: UsageEvent) -> UsageEvent:
    """Two sightings of one message, as one.

    Raises:
        InvalidUsageError: they are sightings of different messages.
    """
    if a.key != b.key:
        raise InvalidUsageError(f"{a.key} and {b.key} are two messages: they cannot be joined.")
    described = larger_fields(a, b, DESCRIPTIVE)
    described["source"] = max(a.source, b.source, key=_source_order)
    return UsageEvent(
        key=a.key,
        usage=join_usage(a.usage, b.usage),
        timestamp=min(a.timestamp, b.timestamp),
        places=join_places(a.places, b.places),
        extra=join_extra(a.extra, b.extra),
        **terms(max(a, b, key=_terms_order)),
        **described,
    )


def _source_order(source: str) -> tuple[bool, str]:
    return (source == LINKED, source)


def join_usage(a: Usage, b: Usage) -> Usage:
    """Count by count the larger one."""
    if a == b:
        return a
    counts = {name: max(getattr(a, name), getattr(b, name)) for name in a.__struct_fields__}
    writes = max(a.cache_write_tokens, b.cache_write_tokens)
    counts["cache_write_5m_tokens"] = writes - counts["cache_write_1h_tokens"]
    return Usage(**counts)


def terms(event: UsageEvent) -> dict[str, Any]:
    """The terms that a message was billed under."""
    return {name: getattr(event, name) for name in TERMS}


def _terms_order(event: UsageEvent) -> tuple[bool, bool, str, str, str, str]:
    return (
        event.model is not None,
        event.terms_final,
        event.model or "",
        event.service_tier or "",
        event.speed or "",
        event.inference_geo or "",
    )


def join_extra(a: str | None, b: str | None) -> str | None:
    """What was billed beside a message, by position: the larger counts of each."""
    if a == b or a is None or b is None:
        return b if a is None else a
    joined = [
        second if first is None else first if second is None else _join_extra_usage(first, second)
        for first, second in zip_longest(
            decode(a, type=list[ExtraUsage]), decode(b, type=list[ExtraUsage])
        )
    ]
    return encode(joined).decode()


def _join_extra_usage(a: ExtraUsage, b: ExtraUsage) -> ExtraUsage:
    return ExtraUsage(
        type=max(a.type, b.type),
        model=larger(a.model, b.model),
        usage=join_usage(a.usage, b.usage),
    )


def join_places(a: tuple[Place, ...], b: tuple[Place, ...]) -> tuple[Place, ...]:
    """All places of the highest standing; of two for one session the one that tells more, then the
    earlier one, and at one time the smaller one."""
    if a == b:
        return a
    places: dict[str, Place] = {}
    for place in (*a, *b):
        known = places.get(place.session_id)
        places[place.session_id] = place if known is None else min(known, place, key=_place_order)
    standing = max((place.standing for place in places.values()), default=0)
    return tuple(place for _, place in sorted(places.items()) if place.standing == standing)


def _place_order(place: Place) -> tuple[int, int, bool, str, str, str]:
    # The lines of one message may share a time, and only the first of them names a parent.
    parent, cwd = place.parent, place.cwd or ""
    return (_silence(place), place.timestamp, parent is None, parent or "", cwd,
            place.git_branch or "")  # fmt: skip


def _silence(place: Place) -> int:
    """How little a place tells: a gateway sees a message earlier than the client's own line of it
    is written, and knows neither its directory nor its parent."""
    if place.cwd is not None:
        return 0 if is_folder(place.cwd) else 1
    return 2 if place.parent is not None or place.git_branch is not None else 3


def join_item(a: ContentItem, b: ContentItem) -> ContentItem:
    """Two sightings of one content item, as one: the sessions united, else the larger value.

    Raises:
        InvalidUsageError: they are sightings of different items.
    """
    if a.key != b.key:
        raise InvalidUsageError(f"{a.key} and {b.key} are two items: they cannot be joined.")
    if a == b:
        return a
    return ContentItem(
        key=a.key,
        kind=max(a.kind, b.kind),
        name=larger(a.name, b.name),
        server=larger(a.server, b.server),
        uri=larger(a.uri, b.uri),
        bytes=larger(a.bytes, b.bytes),
        input_bytes=larger(a.input_bytes, b.input_bytes),
        message=larger(a.message, b.message),
        after=larger(a.after, b.after),
        position=larger(a.position, b.position),
        detail=larger(a.detail, b.detail),
        sessions=tuple(sorted({*a.sessions, *b.sessions})) if a.sessions or b.sessions else (),
    )


def larger_fields(a: object, b: object, names: Iterable[str]) -> dict[str, Any]:
    """The larger value of each of these fields."""
    return {name: larger(getattr(a, name), getattr(b, name)) for name in names}


def larger(a: _Value | None, b: _Value | None) -> _Value | None:
    """The larger of two values, where `None` is less than any."""
    if a is None:
        return b
    return a if b is None or a >= b else b


def owner(sessions: Iterable[tuple[int, int, str]]) -> str:
    """The id of the session that a message belongs to: the smallest (born, end, id).

    A fork repeats its parent's messages, and no line says that it is a copy; but it is born
    later. Times are milliseconds since 1970 UTC.
    """
    return min(sessions)[2]
