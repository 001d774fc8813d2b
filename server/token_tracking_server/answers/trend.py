"""A period in steps, and against the one before it."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Final

from token_tracking.efficiency.snapshot import Change, Trend, TrendPoint
from token_tracking_server.answers.groups import known_sum, notes
from token_tracking_server.answers.markdown import fold, paragraphs, plain, row, table
from token_tracking_server.answers.periods import period_name
from token_tracking_server.figures import UNKNOWN, money, percent, share, tokens

_STEPS: Final = 31
_SIZE: Final = 3_500
_HEAD: Final = ("Messages", "Prompt", "Output", "Cost", "Hit rate", "Caching saved")


def trend_answer(trend: Trend, *, stale: str | None = None) -> str:
    """The changes first, then the steps, the newest first."""
    used = [each for each in trend.points if each.messages]
    return paragraphs(
        f"**{period_name(trend.period)}: {trend.direction}** in cost per message",
        stale,
        changes(trend.changes),
        _steps(used, trend.step) if used else "There are no messages in this period.",
        "Steps without messages are left out." if 0 < len(used) < len(trend.points) else None,
    )


def changes(found: Sequence[Change]) -> str | None:
    """What changed against the period before, and whether that can be told from chance."""
    if found and all(each.before is None for each in found):
        return plain(found[0].reason, 200)
    return notes(_change(each) for each in found)


def _change(each: Change) -> str:
    name = each.metric.replace("_", " ")
    if each.now is None or each.before is None:
        return f"{name}: {_value(each.metric, each.now)}; {plain(each.reason, 200)}"
    by = "" if each.change is None else f" ({each.change:+.1%})"
    told = each.direction if each.can_tell else "cannot tell"
    return (
        f"{name}: {_value(each.metric, each.now)}, before {_value(each.metric, each.before)}{by}:"
        f" {told}; {plain(each.reason, 200)}"
    )


def _value(metric: str, value: float | None) -> str:
    if value is None:
        return UNKNOWN
    if "cost" in metric or "usd" in metric:
        return money(Decimal(str(value)))
    if "rate" in metric:
        return share(value)
    return percent(value) if metric == "efficiency" else f"{value:,.0f}"


def _steps(points: Sequence[TrendPoint], step: str) -> str:
    def line(each: TrendPoint) -> str:
        figures = (
            f"{each.messages:,}",
            tokens(each.prompt_tokens),
            tokens(each.output_tokens),
            money(each.cost_usd),
            share(each.hit_rate),
            percent(each.efficiency),
        )
        return row([plain(each.label, 40), *figures])

    def others(rest: Sequence[TrendPoint]) -> str:
        figures = (
            f"{sum(each.messages for each in rest):,}",
            tokens(sum(each.prompt_tokens for each in rest)),
            tokens(sum(each.output_tokens for each in rest)),
            money(known_sum(each.cost_usd for each in rest)),
            "",
            "",
        )
        return row([f"and {len(rest):,} earlier", *figures])

    lines = fold(points[::-1], line, others, most=_STEPS, size=_SIZE)
    return table([step.capitalize(), *_HEAD], lines)
