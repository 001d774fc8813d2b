"""A baseline over a session: what all its requests would have used otherwise."""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from functools import cache, lru_cache
from typing import Protocol

from msgspec import Struct
from msgspec.structs import replace

from token_tracking.efficiency.baselines import Basis
from token_tracking.efficiency.context import Billed, JitContext, contexts
from token_tracking.efficiency.no_jit import billed_context, uncached, without_jit
from token_tracking.efficiency.scale import Scale, ScaleOf
from token_tracking.errors import UnknownModelError
from token_tracking.loads import SessionLoad
from token_tracking.pricing import Cost, limits, usd
from token_tracking.usage import Usage


class Prices(Protocol):
    """What a message costs: `pricing.PriceBook` is one."""

    def cost(
        self,
        usage: Usage,
        model: str,
        at_ms: int,
        *,
        speed: str | None = None,
        service_tier: str | None = None,
        inference_geo: str | None = None,
    ) -> Cost:
        """Raises UnknownModelError where no price is known."""
        ...


class RequestBaseline(Struct, frozen=True, kw_only=True):
    """One request, and what it would have used otherwise. Tokens are those of the prompt.

    `saved_pico` (pico-USD) is `None` where no price is known, and `unpriced` says why.
    `fits_window` says whether the model could have taken that prompt, `None` where its window is
    unknown. `cost_pico` is what the request itself cost, and `uncached_saved_pico` what would have
    been saved had both prompts been plain input; only `no_jit` tells it.
    """

    message_id: str
    prompt_tokens: int
    baseline_tokens: int
    saved_pico: int | None
    unpriced: str | None
    fits_window: bool | None
    cost_pico: int | None = None
    uncached_saved_pico: int | None = None

    @property
    def tokens_saved(self) -> int:
        """Tokens that the prompt did not have to hold; negative for more."""
        return self.baseline_tokens - self.prompt_tokens


class SessionBaseline(Struct, frozen=True, kw_only=True):
    """What a session would have used otherwise. Tokens are those of the prompts, summed over the
    requests, since a prompt is sent anew each time; savings may be negative.

    `saved_usd` (USD) is that of the requests that have a price, and `None` where none has.
    `error_p95` is the relative error of counted tokens in 95 of 100 texts (0.08 is 8%), where it
    was measured: of a `custom` baseline it is `None`, as nothing here knows how good the user's
    function is. `over_window_requests` could not have been sent to their model: of those the
    baseline is hypothetical; `fits_window` is `None` where no model's window is known.
    """

    name: str
    requests: int
    prompt_tokens: int
    baseline_tokens: int
    saved_usd: Decimal | None
    unpriced_requests: int
    unpriced: str | None
    basis: Basis
    error_p95: float | None
    over_window_requests: int
    fits_window: bool | None

    @property
    def tokens_saved(self) -> int:
        """Tokens that the prompts did not have to hold; negative for more."""
        return self.baseline_tokens - self.prompt_tokens

    @property
    def efficiency(self) -> float | None:
        """What was saved, in percent of the baseline; `None` where that is nothing."""
        if self.baseline_tokens == 0:
            return None
        return self.tokens_saved / self.baseline_tokens * 100


def no_jit_requests(
    sent: Sequence[Billed], loads: Sequence[SessionLoad], prices: Prices, scale_of: ScaleOf
) -> list[RequestBaseline]:
    """Each request with the whole library upfront; none where no load tells its size."""
    held = contexts(sent, loads)
    scale_once = cache(scale_of)
    return [
        _no_jit(each, held[each.message_id], prices, scale_once(each.model))
        for each in sent
        if each.message_id in held
    ]


def _no_jit(request: Billed, counted: JitContext, prices: Prices, scale: Scale) -> RequestBaseline:
    context = billed_context(counted, scale, request.usage.prompt_tokens)
    other = without_jit(request.usage, context)
    row = compare(request, other, prices)
    if row.cost_pico is None:
        return row
    plain = _cost(request, uncached(request.usage), prices)
    return replace(row, uncached_saved_pico=_cost(request, uncached(other), prices) - plain)


def compare(request: Billed, otherwise: Usage, prices: Prices) -> RequestBaseline:
    """A request beside what it would have used otherwise, at the prices of its own date."""
    saved: int | None = None
    cost: int | None = None
    unpriced: str | None = None
    try:
        other, cost = _cost(request, otherwise, prices), _cost(request, request.usage, prices)
        saved = other - cost
    except UnknownModelError as error:
        unpriced = str(error)
    return RequestBaseline(
        message_id=request.message_id,
        prompt_tokens=request.usage.prompt_tokens,
        baseline_tokens=otherwise.prompt_tokens,
        saved_pico=saved,
        unpriced=unpriced,
        fits_window=_fits(request, otherwise.prompt_tokens),
        cost_pico=cost,
    )


def _cost(request: Billed, usage: Usage, prices: Prices) -> int:
    if request.model is None:
        raise UnknownModelError("The message names no model.")
    # Searches cost the same in both, and a price of them may be unknown.
    cost = prices.cost(
        replace(usage, web_search_requests=0),
        request.model,
        request.timestamp,
        speed=request.speed,
        service_tier=request.service_tier,
        inference_geo=request.inference_geo,
    )
    return cost.pico_usd


def _fits(request: Billed, prompt_tokens: int) -> bool | None:
    window = None if request.model is None else _window(request.model)
    # A request that itself is larger had a window that nothing here names (a beta's).
    if window is None or request.usage.prompt_tokens > window:
        return None
    return prompt_tokens <= window


@lru_cache(maxsize=256)  # every request of a session asks, and a name is read in 40 us
def _window(model: str) -> int | None:
    known = limits(model)
    return None if known is None else known.context_window


def session_baseline(
    name: str, requests: Iterable[RequestBaseline], basis: Basis, error_p95: float | None = None
) -> SessionBaseline:
    """The requests of a session as one."""
    rows = list(requests)
    priced = [row.saved_pico for row in rows if row.saved_pico is not None]
    over = sum(row.fits_window is False for row in rows)
    known = any(row.fits_window is not None for row in rows)
    return SessionBaseline(
        name=name,
        requests=len(rows),
        prompt_tokens=sum(row.prompt_tokens for row in rows),
        baseline_tokens=sum(row.baseline_tokens for row in rows),
        saved_usd=usd(sum(priced)) if priced else None,
        unpriced_requests=len(rows) - len(priced),
        unpriced=next((row.unpriced for row in rows if row.unpriced), None),
        basis=basis,
        error_p95=error_p95,
        over_window_requests=over,
        fits_window=over == 0 if known else None,
    )
