"""Between values and rows: ids for names on the way in, names for ids on the way out."""

from typing import Any, Final, NamedTuple

from msgspec.json import decode

from token_tracking.errors import UnknownModelError
from token_tracking.extra_usage import ExtraUsage
from token_tracking.merge import DESCRIPTIVE, TERMS
from token_tracking.pricing import Cost, PriceBook
from token_tracking.store.records import TokenUsage
from token_tracking.usage import ContentItem, Place, Usage, UsageEvent

_USAGE: Final = Usage.__struct_fields__
_SEEN: Final = (*TERMS, *DESCRIPTIVE, "extra")
_KNOWN_USAGE: Final = 3 + len(_SEEN)
_KNOWN_PLACE: Final = _KNOWN_USAGE + len(_USAGE)
KNOWN_IDS: Final = _KNOWN_PLACE + 4
"""Where the parts of a row of `known_messages` begin."""

Row = tuple[Any, ...]

QUARTER_MS: Final = 900_000
"""A quarter of an hour: every time zone's hours and days are made of whole ones."""

_MOST_PICO: Final = 10**16
"""10,000 USD. Sums of money stay within 64 bits, and none of them is that of a mistake."""

MESSAGE_COLUMNS: Final = (
    "id",
    "key",
    "at",
    "session_id",
    "cwd_id",
    "branch_id",
    "parent_id",
    *_SEEN,
    *_USAGE,
    "cost_pico",
    "no_cache_pico",
    "write_premium_pico",
    "unpriced",
)
PLACEMENT_COLUMNS: Final = ("message_id", "at", "session_id", "cwd_id", "branch_id", "parent_id")
ITEM_COLUMNS: Final = (
    "key",
    "kind",
    "name_id",
    "server_id",
    "uri_id",
    "bytes",
    "input_bytes",
    "message_id",
    "after_id",
    "position",
    "detail",
)


class Ids:
    """The ids that rows stand under in this database, by their names."""

    def __init__(self) -> None:
        self.names: dict[str, int] = {}
        self.sessions: dict[str, int] = {}
        self.messages: dict[str, int] = {}

    def name(self, name: str | None) -> int | None:
        """The id of a text; `None` for none."""
        return None if name is None else self.names[name]

    def see(self, place: Place, rows: Row) -> None:
        """Take the ids of a place that was read: session, directory, branch, parent."""
        self.sessions[place.session_id] = rows[0]
        if place.cwd is not None:
            self.names[place.cwd] = rows[1]
        if place.git_branch is not None:
            self.names[place.git_branch] = rows[2]
        if place.parent is not None:
            self.messages[place.parent] = rows[3]

    def message(self, key: str | None) -> int | None:
        """The id of a message; `None` for none, and for one that was cleaned up."""
        return None if key is None else self.messages.get(key)


def message_row(event: UsageEvent, place: Place, ids: Ids, prices: PriceBook) -> Row:
    """A message as it stands in the ledger, owned by the session of `place`: `MESSAGE_COLUMNS`."""
    usage = event.usage
    return (
        ids.messages[event.key],
        event.key,
        event.timestamp,
        *place_row(place, ids),
        event.model,
        int(event.terms_final),
        event.service_tier,
        event.speed,
        event.inference_geo,
        event.source,
        event.stop_reason,
        event.version,
        event.entrypoint,
        event.agent_id,
        int(event.is_sidechain),
        event.attribution,
        event.category,
        event.metadata,
        event.text_bytes,
        event.thinking_bytes,
        event.extra,
        usage.input_tokens,
        usage.output_tokens,
        usage.cache_read_tokens,
        usage.cache_write_5m_tokens,
        usage.cache_write_1h_tokens,
        usage.web_search_requests,
        usage.web_fetch_requests,
        *money(
            prices,
            usage,
            Terms(
                event.model,
                event.timestamp,
                event.speed,
                event.service_tier,
                event.inference_geo,
            ),
            event.extra,
        ),
    )


def place_row(place: Place, ids: Ids) -> Row:
    """What one session says of a message: the last four of `PLACEMENT_COLUMNS`."""
    return (
        ids.sessions[place.session_id],
        ids.name(place.cwd),
        ids.name(place.git_branch),
        ids.message(place.parent),
    )


class Terms(NamedTuple):
    """Under which terms a message was billed."""

    model: str | None
    at: int
    speed: str | None
    service_tier: str | None
    inference_geo: str | None


def money(
    prices: PriceBook, usage: Usage, terms: Terms, extra: str | None
) -> tuple[int | None, int | None, int | None, str | None]:
    """Cost, cost without caching and premium for cache writes (pico-USD), or why there are none.

    `extra` is `UsageEvent.extra`.
    """
    try:
        cost = _cost(prices, usage, terms)
        if extra is not None:
            for each in decode(extra, type=list[ExtraUsage]):
                cost += _cost(prices, each.usage, terms._replace(model=each.model or terms.model))
    except UnknownModelError as error:
        return (None, None, None, str(error))
    if max(cost.pico_usd, cost.no_cache_pico) > _MOST_PICO:
        return (None, None, None, f"It would cost {cost.usd:,.0f} USD: no single message does.")
    return (cost.pico_usd, cost.no_cache_pico, cost.cache_write_premium_pico, None)


def _cost(prices: PriceBook, usage: Usage, terms: Terms) -> Cost:
    if terms.model is None:
        raise UnknownModelError("The message names no model.")
    return prices.cost(
        usage,
        terms.model,
        terms.at,
        speed=terms.speed,
        service_tier=terms.service_tier,
        inference_geo=terms.inference_geo,
    )


def repriced(row: Row, prices: PriceBook) -> tuple[dict[str, Any], tuple[int, int]] | None:
    """A row of `messages_to_price` with its new price, and the session and quarter of an hour
    whose sums it changes; `None` where the price is the same."""
    usage = Usage(**dict(zip(_USAGE, row[7:14], strict=True)))
    priced = money(prices, usage, Terms(row[3], row[2], *row[4:7]), row[18])
    if priced == row[14:18]:
        return None
    names = ("cost_pico", "no_cache_pico", "write_premium_pico", "unpriced")
    update = {"id": row[0], **dict(zip(names, priced, strict=True))}
    return update, (row[1], row[2] // QUARTER_MS)


def item_row(item: ContentItem, ids: Ids) -> Row:
    """A content item: `ITEM_COLUMNS`."""
    return (
        item.key,
        item.kind,
        ids.name(item.name),
        ids.name(item.server),
        ids.name(item.uri),
        item.bytes,
        item.input_bytes,
        ids.message(item.message),
        ids.message(item.after),
        item.position,
        item.detail,
    )


def known_event(row: Row) -> UsageEvent:
    """A row of `known_messages`, with the place of its owner."""
    seen: dict[str, Any] = dict(zip(_SEEN, row[3:_KNOWN_USAGE], strict=True))
    for name in ("terms_final", "is_sidechain"):
        seen[name] = bool(seen[name])
    session_id, cwd, git_branch, parent = row[_KNOWN_PLACE:KNOWN_IDS]
    place = Place(
        session_id=session_id, timestamp=row[2], cwd=cwd, git_branch=git_branch, parent=parent
    )
    usage = Usage(**dict(zip(_USAGE, row[_KNOWN_USAGE:_KNOWN_PLACE], strict=True)))
    return UsageEvent(key=row[1], timestamp=row[2], usage=usage, places=(place,), **seen)


def known_place(row: tuple[Any, ...]) -> Place:
    """A row of `known_placements`, without its key."""
    return Place(session_id=row[1], timestamp=row[2], cwd=row[3], git_branch=row[4], parent=row[5])


def token_usage(row: tuple[Any, ...]) -> TokenUsage:
    """A row of the view `ledger`."""
    return TokenUsage(
        message_id=row[0],
        timestamp=row[1],
        usage=Usage(**dict(zip(_USAGE, row[2:9], strict=True))),
        is_sidechain=bool(row[22]),
        **dict(zip(_LEDGER, (*row[9:22], *row[23:30]), strict=True)),
    )


_LEDGER: Final = (
    "model",
    "session_id",
    "project",
    "cwd",
    "git_branch",
    "source",
    "stop_reason",
    "service_tier",
    "speed",
    "inference_geo",
    "version",
    "entrypoint",
    "agent_id",
    "attribution",
    "category",
    "metadata",
    "cost_pico",
    "no_cache_pico",
    "write_premium_pico",
    "unpriced",
)
