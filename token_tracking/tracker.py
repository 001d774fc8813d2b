"""`TokenTracker`: usage that a program saw itself, into the ledger."""

import time
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, Final, Literal, overload

import msgspec
from msgspec import Struct

from token_tracking.efficiency import Baseline, Custom, EfficiencyEngine, JitContext
from token_tracking.errors import InvalidUsageError
from token_tracking.extra_usage import ExtraUsage, extra_json, extra_usages
from token_tracking.loads import MAX_DOCUMENTS
from token_tracking.pricing import Cost
from token_tracking.store import TokenStore
from token_tracking.usage import Place, Usage, UsageEvent, message_key

_OWN: Final = frozenset(
    {
        "model",
        "session_id",
        "timestamp",
        "request_id",
        "stop_reason",
        "service_tier",
        "speed",
        "inference_geo",
        "category",
        "cwd",
        "git_branch",
        "agent_id",
        "partial",
    }
)


class Tracked(Struct, frozen=True, kw_only=True):
    """A tracked message. `is_new` is false where the ledger had it already.

    `cost_usd` (USD) is `None` where no price is known, and `unpriced` says why.
    """

    message_id: str
    usage: Usage
    is_new: bool
    cost_usd: Decimal | None
    unpriced: str | None


class TokenTracker:
    """Merges, prices and saves usage; knows what it tracked itself since it began."""

    def __init__(self, store: TokenStore, efficiency: EfficiencyEngine | None = None) -> None:
        self._store = store
        self._efficiency = efficiency or EfficiencyEngine()
        self._tracked: set[str] = set()

    async def track(
        self, message_id: str, usage: object, metadata: Mapping[str, Any] | None = None
    ) -> Tracked:
        """Record the usage of one response: Anthropic's usage object or dict, or a `Usage`.

        `metadata` may name `model`, `session_id`, `timestamp` (datetime, ISO 8601, or
        milliseconds since 1970 UTC; now by default), `request_id`, `stop_reason`, `service_tier`,
        `speed`, `inference_geo`, `category`, `cwd`, `git_branch`, `agent_id`; `partial` (bool)
        says that the answer was cut off. `resource_uri` (a text) names a document of a library
        that was loaded for this message, `resource_count` how many were: each counts as a load of
        the library's mean size. What else it holds is kept as it is. The same message again, here
        or in a transcript, counts once.

        Raises:
            InvalidUsageError: the usage, id or a known field of the metadata is not valid.
            StoreError: the ledger cannot be written.
        """
        event = sighting(message_id, usage, metadata or {})
        saved = await self._store.save_usage(event)
        self._tracked.add(message_id)
        row = await self._store.get_message(event.key)
        return Tracked(
            message_id=message_id,
            usage=event.usage if row is None else row.usage,
            is_new=saved.sums.messages == 1,
            cost_usd=None if row is None else row.cost_usd,
            unpriced="It is older than the retention." if row is None else row.unpriced,
        )

    def calculate_cost(
        self,
        usage: object,
        model: str,
        at: datetime | str | int | None = None,
        *,
        speed: str | None = None,
        service_tier: str | None = None,
        inference_geo: str | None = None,
    ) -> Cost:
        """What a message costs at a date (now by default).

        Raises:
            InvalidUsageError: the usage is not valid.
            UnknownModelError: no price is known.
        """
        terms = {"speed": speed, "service_tier": service_tier, "inference_geo": inference_geo}
        return self._cost(read_usage(usage), extra_usages(usage), model, _milliseconds(at), terms)

    @overload
    def calculate_baseline(
        self,
        name: Literal["no_cache"],
        usage: object,
        model: str,
        at: datetime | str | int | None = None,
    ) -> Baseline: ...
    @overload
    def calculate_baseline(
        self,
        name: str,
        usage: object,
        model: str,
        at: datetime | str | int | None = None,
        *,
        context: JitContext | None = None,
        custom: Custom | None = None,
    ) -> Baseline | None: ...
    def calculate_baseline(
        self,
        name: str,
        usage: object,
        model: str,
        at: datetime | str | int | None = None,
        *,
        context: JitContext | None = None,
        custom: Custom | None = None,
    ) -> Baseline | None:
        """What a message would have used otherwise: `no_cache`, `no_jit` or `custom`.

        `no_jit` needs to know what of a library stood in its prompt (`context`, in counted
        tokens), and is `None` without; `custom` your function. Counted tokens become billed ones by
        what the ledger had learned of the model when it was opened, or else by its family's
        default.

        Raises:
            InvalidUsageError: the usage is not valid, or your function failed.
            UnknownBaselineError: there is no such baseline, or `custom` without a function.
            UnknownModelError: no price is known.
        """
        given, extras, moment = read_usage(usage), extra_usages(usage), _milliseconds(at)
        engine = self._efficiency
        if name == "no_jit":
            engine = engine.calibrated(self._store.learned)
        return engine.calculate_baseline(
            name,
            given,
            self._cost(given, extras, model, moment, {}),
            price=lambda other: self._cost(other, extras, model, moment, {}),
            model=model,
            context=context,
            custom=custom,
        )

    def _cost(
        self,
        usage: Usage,
        extras: list[ExtraUsage],
        model: str,
        at: int,
        terms: Mapping[str, str | None],
    ) -> Cost:
        prices = self._store.prices
        cost = prices.cost(usage, model, at, **terms)
        for extra in extras:
            cost += prices.cost(extra.usage, extra.model or model, at, **terms)
        return cost

    def has_tracked(self, message_id: str) -> bool:
        """Whether this tracker recorded the message since it began or was cleared."""
        return message_id in self._tracked

    def clear_tracked(self) -> None:
        """Forget which messages were recorded. The ledger keeps them."""
        self._tracked.clear()


def read_usage(usage: object) -> Usage:
    """A `Usage`, or Anthropic's usage object or dict as one.

    Raises:
        InvalidUsageError: it is not valid.
    """
    return usage if isinstance(usage, Usage) else Usage.from_anthropic(usage)


def sighting(message_id: str, usage: object, metadata: Mapping[str, Any]) -> UsageEvent:
    """A response as a sighting. Terms of billing are read from the usage where it has them.

    Raises:
        InvalidUsageError: the usage, id or a known field of the metadata is not valid.
    """
    _check_resources(metadata)
    message_id = _text({"message_id": message_id}, "message_id") or ""
    if not message_id:
        raise InvalidUsageError("message_id is empty: give the id of the response (msg_...).")
    at = _milliseconds(metadata.get("timestamp"))
    session = _text(metadata, "session_id")
    terms: dict[str, Any] = {name: _text(metadata, name) or _term(usage, name) for name in _TERMS}
    stop = _text(metadata, "stop_reason")
    place = Place(
        session_id=session or "",
        timestamp=at,
        cwd=_text(metadata, "cwd"),
        git_branch=_text(metadata, "git_branch"),
    )
    return UsageEvent(
        key=message_key(message_id, session, _scope(metadata, at), at),
        usage=read_usage(usage),
        timestamp=at,
        source="track",
        model=_text(metadata, "model"),
        terms_final=not metadata.get("partial"),
        stop_reason=None if metadata.get("partial") else stop or "",
        extra=extra_json(usage),
        agent_id=_text(metadata, "agent_id"),
        category=_text(metadata, "category"),
        metadata=_rest(metadata),
        places=(place,),
        **terms,
    )


def _scope(metadata: Mapping[str, Any], at: int) -> str:
    """What tells apart two messages of one id that is not global: the request or time that was
    named. Where neither was, the id has to do: a repeated call counts once."""
    request = _text(metadata, "request_id")
    return request or ("" if metadata.get("timestamp") is None else str(at)) or "-"


_TERMS: Final = ("service_tier", "speed", "inference_geo")


def _term(usage: object, name: str) -> str | None:
    value: object = usage.get(name) if isinstance(usage, Mapping) else getattr(usage, name, None)  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
    return value if isinstance(value, str) and value else None


def _text(metadata: Mapping[str, Any], name: str) -> str | None:
    value: object = metadata.get(name)
    if value is None or value == "":
        return None
    if not isinstance(value, str):
        raise InvalidUsageError(f"{name} is {value!r}: it must be a text.")
    return value.replace("\x00", "\ufffd").encode("utf-8", "replace").decode()


def _check_resources(metadata: Mapping[str, Any]) -> None:
    """What tells of loads is kept with the rest, but has to be what it says."""
    _text(metadata, "resource_uri")
    count: object = metadata.get("resource_count")
    if count is not None and not (type(count) is int and 0 <= count <= MAX_DOCUMENTS):
        raise InvalidUsageError(
            f"resource_count is {count!r}: it must be a whole number from 0 to {MAX_DOCUMENTS:,}."
        )


def _rest(metadata: Mapping[str, Any]) -> str | None:
    rest = {name: value for name, value in metadata.items() if name not in _OWN}
    if not rest:
        return None
    try:
        return msgspec.json.encode(rest, order="deterministic").decode()
    except (TypeError, ValueError) as error:
        raise InvalidUsageError(f"The metadata is no JSON: {error}.") from error


def _milliseconds(at: object) -> int:
    if at is None:
        return time.time_ns() // 1_000_000
    try:
        moment = datetime.fromisoformat(at) if isinstance(at, str) else at
        if isinstance(moment, datetime):
            return int(moment.timestamp() * 1000)
    except (ValueError, OverflowError, OSError) as error:
        raise InvalidUsageError(f"timestamp {at!r} is no time: write 2026-11-21T10:00Z.") from error
    if type(moment) is int:
        return moment
    raise InvalidUsageError(
        f"timestamp {at!r} is no time: give a datetime, ISO 8601, or milliseconds since 1970."
    )
