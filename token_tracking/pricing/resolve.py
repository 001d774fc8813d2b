"""Which price a request has at a moment: the user's, the overlay's, the snapshot's, or none."""

from collections.abc import Callable
from functools import partial
from typing import Final, NamedTuple

from token_tracking.errors import UnknownModelError
from token_tracking.pricing.cards import Band, Card, Quote
from token_tracking.pricing.genai import installed_version
from token_tracking.pricing.money import scaled
from token_tracking.pricing.names import ModelName, read_model_name
from token_tracking.pricing.prices_file import STANDARD, PriceEntry
from token_tracking.pricing.published import Multiplier, Published
from token_tracking.pricing.user_prices import USER, UserPrices

_BATCH: Final = "batch"
_PRIORITY: Final = "priority"
_NO_GEO: Final = frozenset({"", "global", "not_available"})

_Find = Callable[[str, str], Quote | None]


class Request(NamedTuple):
    """What a price depends on, apart from the date and the length of the prompt."""

    raw: str
    name: ModelName
    speed: str
    service_tier: str
    geo: str

    @property
    def is_claude(self) -> bool:
        """Whether Anthropic's published rules hold for the model."""
        return self.name.model.startswith("claude-")


class Elsewhere(NamedTuple):
    """No list of ours has the model: ask genai-prices, for each message."""

    request: Request


def read_request(
    model: str, speed: str | None, service_tier: str | None, inference_geo: str | None
) -> Request:
    """A request, with `-fast` and `:batch` in the name taken for what they say."""
    name = read_model_name(model)
    return Request(
        raw=model,
        name=name,
        speed="fast" if name.fast and speed in {None, "", STANDARD} else speed or STANDARD,
        service_tier=_BATCH if name.batch else service_tier or STANDARD,
        geo=inference_geo or "",
    )


class Resolver:
    """Looks prices up, slowly: `PriceBook` keeps what it finds."""

    def __init__(self, lists: Published, user: UserPrices | None) -> None:
        self._lists: Final = lists
        self._user: Final = user

    def edges(self) -> list[int]:
        """Every moment at which some price changes, in order."""
        user = self._user.edges() if self._user else set[int]()
        return sorted(self._lists.edges() | user)

    def quote(self, request: Request, at_ms: int) -> Quote | Elsewhere:
        """The price in force at `at_ms`.

        Raises:
            UnknownModelError: none is known.
        """
        if self._user is None:
            return self._published(request, at_ms)
        find = partial(self._user.find, request.raw, request.name, at_ms)
        entry = find(request.speed, request.service_tier)
        if entry is not None and entry.same_as is not None:
            return self._published(request._replace(name=read_model_name(entry.same_as)), at_ms)
        own = self._in_list(request, lambda speed, tier: _user_quote(find(speed, tier)))
        return own or self._published(request, at_ms)

    def _published(self, request: Request, at_ms: int) -> Quote | Elsewhere:
        model = request.name.model
        for find in (self._lists.overlaid, self._lists.listed):
            quote = self._in_list(request, partial(find, model, at_ms))
            if quote is not None:
                return self._placed(request, quote)
        if self._lists.knows(model):
            raise UnknownModelError(_no_variant(request))
        if request.is_claude and installed_version() == self._lists.version:
            raise UnknownModelError(_no_model(request))
        return Elsewhere(request)

    def _in_list(self, request: Request, find: _Find) -> Quote | None:
        """The price of one list: as it stands there, or as it follows from the standard one."""
        tier = request.service_tier
        quote = find(request.speed, tier)
        if quote is not None or tier not in {_BATCH, _PRIORITY}:
            return quote
        standard = find(request.speed, STANDARD)
        if standard is None or tier == _PRIORITY:
            return standard
        if request.is_claude and request.speed == STANDARD:
            return _multiplied(request, standard, self._lists.batch)
        return None

    def _placed(self, request: Request, quote: Quote) -> Quote:
        """With the multiplier of the place where the model ran."""
        multiplier: Multiplier | None = None
        if request.geo not in _NO_GEO:
            multiplier = self._lists.geos.get(request.geo)
            if multiplier is None:
                raise UnknownModelError(
                    f"No price of {request.name.model} is published for inference_geo"
                    f" {request.geo!r}: add one to your prices file."
                )
        elif request.name.regional:
            multiplier = self._lists.bedrock_regional
        if multiplier is None or self._lists.family(request.name.model) in multiplier.exempt:
            return quote
        placed = _multiplied(request, quote, multiplier)
        return placed._replace(source=f"{quote.source} + overlay")


def _user_quote(entry: PriceEntry | None) -> Quote | None:
    return None if entry is None or entry.card is None else Quote(entry.card, USER)


def _multiplied(request: Request, quote: Quote, multiplier: Multiplier) -> Quote:
    factor = multiplier.factor
    try:
        bands = tuple(
            Band(band.over, *(scaled(rate, factor) for rate in band[1:]))
            for band in quote.card.bands
        )
    except ValueError as error:
        raise UnknownModelError(
            f"The price of {request.raw} ({request.service_tier}) from {quote.source} cannot be"
            f" exact: {error}. Give it in your prices file, with its own service_tier."
        ) from error
    return quote._replace(card=Card(bands, quote.card.web_search))


def _no_variant(request: Request) -> str:
    return (
        f"No price of {request.name.model} is published for speed {request.speed!r} with service"
        f" tier {request.service_tier!r} at the message's date: add one to your prices file, with"
        " these two as its speed and service_tier."
    )


def _no_model(request: Request) -> str:
    return (
        f"No price of the model {request.raw!r} is known: add it to your prices file, or update"
        " genai-prices."
    )
