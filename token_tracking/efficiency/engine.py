"""`EfficiencyEngine`: baselines by name."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final, Literal, overload

from token_tracking.counting.multipliers import Multiplier
from token_tracking.efficiency.baselines import Baseline, no_cache, otherwise
from token_tracking.efficiency.cache import CacheFigures, CacheSums, cache_figures
from token_tracking.efficiency.context import Billed, JitContext, requests
from token_tracking.efficiency.custom import Custom, RequestView, custom_requests, custom_usage
from token_tracking.efficiency.no_jit import billed_context, uncached, without_jit
from token_tracking.efficiency.period import PeriodEfficiency
from token_tracking.efficiency.scale import Scale, ScaleOf, scales
from token_tracking.efficiency.session import (
    Prices,
    SessionBaseline,
    compare,
    no_jit_requests,
    session_baseline,
)
from token_tracking.errors import UnknownBaselineError
from token_tracking.loads import SessionLoad
from token_tracking.pricing import Cost
from token_tracking.usage import Usage

BASELINES: Final = ("no_cache", "no_jit", "custom")
Price = Callable[[Usage], Cost]
"""What a usage costs under the terms of one message."""


class EfficiencyEngine(PeriodEfficiency):
    """Baselines and what they say was saved.

    `scale_of` tells how many tokens a model bills for one that was counted, and its error: by
    default what is known of its family.
    """

    def __init__(self, scale_of: ScaleOf | None = None) -> None:
        self._is_given = scale_of is not None
        self._scale_of = scale_of or scales()

    def calibrated(self, multipliers: Mapping[str, Multiplier]) -> "EfficiencyEngine":
        """The engine with what a ledger learned of its models; itself where it was told how to
        scale."""
        return self if self._is_given else EfficiencyEngine(scales(multipliers))

    @overload
    def calculate_baseline(
        self, name: Literal["no_cache"], usage: Usage, cost: Cost
    ) -> Baseline: ...
    @overload
    def calculate_baseline(
        self,
        name: str,
        usage: Usage,
        cost: Cost,
        *,
        price: Price | None = None,
        model: str | None = None,
        context: JitContext | None = None,
        custom: Custom | None = None,
    ) -> Baseline | None: ...
    def calculate_baseline(
        self,
        name: str,
        usage: Usage,
        cost: Cost,
        *,
        price: Price | None = None,
        model: str | None = None,
        context: JitContext | None = None,
        custom: Custom | None = None,
    ) -> Baseline | None:
        """The baseline `name` of one message: `no_cache`, `no_jit` or `custom`.

        `no_jit` needs its `context` in counted tokens, and is `None` without one; `custom` your
        function. `price` is what a usage costs under this message's terms: without it, only the
        tokens of these two are known.

        Raises:
            UnknownBaselineError: there is none of that name, or `custom` without a function.
            InvalidUsageError: your function failed, or returned what is no usage.
        """
        if name == "no_cache":
            return no_cache(usage, cost)
        if name == "no_jit":
            if context is None:
                return None
            scale = self._scale_of(model)
            billed = billed_context(context, scale, usage.prompt_tokens)
            other = without_jit(usage, billed)
            return otherwise("no_jit", usage, other, cost, price, scale.error_p95)
        if name == "custom":
            view = RequestView(message_id=None, at=None, model=model, usage=usage)
            return otherwise("custom", usage, custom_usage(custom, view), cost, price)
        raise _unknown(name)

    def calculate_session_baseline(
        self,
        name: str,
        messages: Iterable[Billed],
        loads: Sequence[SessionLoad],
        prices: Prices,
        *,
        custom: Custom | None = None,
    ) -> SessionBaseline | None:
        """The baseline `name` of all requests of a session: `no_cache`, `no_jit` or `custom`.

        `no_jit` is `None` where no load tells how large the library is. How wrong `custom` may be
        is known to your function alone: its figures have no error, and are right only as far as
        that is exact.

        Raises:
            UnknownBaselineError: there is none of that name, or `custom` without a function.
            InvalidUsageError: your function failed, or returned what is no usage.
        """
        sent = requests(messages)
        if name == "no_cache":
            rows = [compare(each, uncached(each.usage), prices) for each in sent]
            return session_baseline("no_cache", rows, "measured")
        if name == "custom":
            rows = custom_requests(custom, sent, loads, prices)
            return session_baseline("custom", rows, "estimated")
        if name != "no_jit":
            raise _unknown(name)
        if not any(load.library for load in loads):
            return None
        rows = no_jit_requests(sent, loads, prices, self._scale_of)
        error = self.error_p95({each.model for each in sent})
        return session_baseline("no_jit", rows, "estimated", error)

    def scale(self, model: str | None) -> Scale:
        """From counted tokens to those that a model bills."""
        return self._scale_of(model)

    def cache_figures(self, sums: CacheSums) -> CacheFigures:
        """What caching did over some messages."""
        return cache_figures(sums)

    def error_p95(self, models: Iterable[str | None]) -> float | None:
        """The relative error of counted tokens in 95 of 100 texts, of the model where it is
        largest; `None` where it was not measured for each."""
        errors = [self._scale_of(model).error_p95 for model in models]
        known = [error for error in errors if error is not None]
        return max(known) if known and len(known) == len(errors) else None


def _unknown(name: str) -> UnknownBaselineError:
    return UnknownBaselineError(
        f"There is no baseline {name!r}: those that there are: {', '.join(BASELINES)}."
    )
