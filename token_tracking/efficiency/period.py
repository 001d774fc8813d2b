"""The questions about a period that `EfficiencyEngine` answers from its sums."""

from collections.abc import Iterable, Sequence

from token_tracking.efficiency.candidates import Waste, needs_optimization, top_performers
from token_tracking.efficiency.groups import (
    Share,
    floor_of,
    group_rows,
    ranked,
    total_shares,
)
from token_tracking.efficiency.overall import cache_health, overall
from token_tracking.efficiency.savings import LedgerSums, percent, savings
from token_tracking.efficiency.session import RequestBaseline
from token_tracking.efficiency.snapshot import (
    Against,
    GroupRow,
    Reconciled,
    Snapshot,
    StepSize,
    Trend,
)
from token_tracking.efficiency.trends import StepSums, calculate_trend
from token_tracking.shares import Facts


class PeriodEfficiency:
    """Figures of a period: pure functions of the sums that a store keeps."""

    def calculate_efficiency(self, used: int, baseline: int) -> float | None:
        """What was saved of a baseline (tokens or pico-USD), in percent; negative for a loss, and
        `None` where the baseline is nothing."""
        return percent(baseline - used, baseline)

    def calculate_savings(
        self,
        sums: LedgerSums,
        facts: Facts | None = None,
        baseline: str | None = None,
        *,
        error_p95: float | None = None,
        custom: Iterable[RequestBaseline] | None = None,
    ) -> list[Against]:
        """What a period saved against `no_cache`, `no_jit`, `no_cache+no_jit` or `custom`; against
        all that there are where none is named. `no_jit` is there only where something was loaded
        from a library, and `custom` where its rows are given (`custom_requests`).

        Raises:
            UnknownBaselineError: there is no such baseline, or `custom` without its rows.
        """
        return savings(sums, facts or Facts(), baseline, error_p95=error_p95, custom=custom)

    def group_by_category(self, shares: Iterable[Share]) -> list[GroupRow]:
        """What the prompts' money went to by category, the dearest first."""
        return group_rows("category", shares)

    def get_top_resources(
        self, shares: Iterable[Share], metric: str = "cost", limit: int = 10
    ) -> list[GroupRow]:
        """The tools, servers and other groups with most of a metric: `cost`, `tokens` (that
        entered), `efficiency` (what caching saved, of groups large enough to matter), or `carried`
        (the prompt tokens of all requests).

        Raises:
            UnknownMetricError: there is no such metric.
        """
        known = list(shares)
        floor = floor_of(total_shares(known))
        return ranked(group_rows("tool", known), metric, limit, floor=floor)

    def calculate_trend(
        self,
        period: str,
        step: StepSize,
        steps: Sequence[StepSums],
        before: Sequence[StepSums] | None = None,
    ) -> Trend:
        """A period in steps, and against the one before it: see `trends.calculate_trend`."""
        return calculate_trend(period, step, steps, before)

    def generate_snapshot(
        self,
        period: str,
        start: int | None,
        end: int | None,
        *,
        sums: LedgerSums,
        facts: Facts,
        shares: Iterable[Share],
        sessions: int,
        reconciliation: Reconciled,
        trend: Trend | None = None,
        waste: Sequence[Waste] = (),
        error_p95: float | None = None,
    ) -> Snapshot:
        """A period as a whole. `start` and `end` are milliseconds since 1970 UTC, half-open."""
        known = list(shares)
        total = total_shares(known)
        rows = group_rows("category", known)
        return Snapshot(
            period=period,
            start=start,
            end=end,
            overall=overall(sums, facts, total, sessions, error_p95),
            by_category=rows,
            cache=cache_health(sums, facts),
            trend=trend,
            top_performers=top_performers(rows),
            needs_optimization=needs_optimization(rows, total, waste),
            reconciliation=reconciliation,
        )
