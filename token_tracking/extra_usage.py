"""What was billed with a message beside its own counts: advisors, compactions by the API."""

from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Final, TypeGuard, cast

from msgspec import Struct
from msgspec.json import encode

from token_tracking.errors import InvalidUsageError
from token_tracking.usage import Usage


class ExtraUsage(Struct, frozen=True, kw_only=True):
    """What was billed with a message beside its own counts, under a model of its own: an advisor
    that was asked, or a compaction by the API. `model` is `None` for the message's own.
    """

    type: str
    usage: Usage
    model: str | None = None


BILLED_APART: Final = frozenset({"advisor_message", "compaction"})
"""Iterations that the counts of a message do not include, though they are billed (API reference of
the usage object). `message` and `fallback_message` are included."""


def extra_usages(usage: object) -> list[ExtraUsage]:
    """What an Anthropic usage (its object or dict) says was billed beside its own counts.

    Iterations without a valid usage are left out.
    """
    dump = getattr(usage, "model_dump", None)
    raw: object = dump() if callable(dump) else usage
    given: object = raw.get("iterations") if _is_mapping(raw) else None
    found: list[ExtraUsage] = []
    for each in cast("list[Any]", given) if isinstance(given, list) else []:
        if _is_mapping(each) and each.get("type") in BILLED_APART:
            model = each.get("model")
            with suppress(InvalidUsageError):
                counts = Usage.from_anthropic(each)
                counts.check_size()
                named = model if isinstance(model, str) else None
                found.append(ExtraUsage(type=each["type"], model=named, usage=counts))
    return found


def extra_json(usage: object) -> str | None:
    """`extra_usages` as `UsageEvent.extra` holds them."""
    extra = extra_usages(usage)
    return encode(extra).decode() if extra else None


def _is_mapping(value: object) -> TypeGuard[Mapping[str, Any]]:
    return isinstance(value, Mapping)
