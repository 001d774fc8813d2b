"""A period step by step, and against the one before it."""

from collections.abc import Callable, Sequence
from decimal import Decimal
from itertools import groupby
from typing import Final

from rich.table import Table

from token_tracking.efficiency.snapshot import Change, Trend, TrendPoint
from token_tracking_server.cli.fitting import GAP, bar, width_of
from token_tracking_server.cli.output import plain
from token_tracking_server.cli.tables import console
from token_tracking_server.figures import UNKNOWN, money, percent, share, tokens

_HEADINGS: Final = {
    "quarter": "From",
    "hour": "Hour",
    "day": "Day",
    "week": "Week from",
    "month": "Month",
}
_MOST_BAR: Final = 24
_LEAST_BAR: Final = 6
_EMPTY_SHOWN: Final = 2
_NAMES: Final = {
    "cost_per_message": "Cost of a message",
    "prompt_tokens_per_message": "Prompt of a message",
    "hit_rate": "Read from the cache",
    "efficiency": "Saved by caching",
}


def print_trend(trend: Trend) -> None:
    """The steps with a bar of each one's cost, and what changed, and whether that can be told."""
    out = console()
    out.print(steps(trend.points, trend.step, out.width))
    out.print()
    if not trend.changes:
        out.print("There is no period before this one to compare with.")
        return
    table, reasons = changes(trend.changes)
    out.print(table)
    for reason in reasons:
        out.print(reason)


def steps(points: Sequence[TrendPoint], step: str, width: int) -> Table:
    """One row a step; those without a message between others are one row together."""
    headings = [_HEADINGS[step], "Messages", "Prompt", "Output", "Hits", "Cost"]
    most = max((point.cost_usd or Decimal(0) for point in points), default=Decimal(0))
    rows: list[list[str]] = []
    costs: list[Decimal] = []
    for run in _runs(points):
        rows.append(_cells(run[0]) if len(run) == 1 else _empty(len(run)))
        costs.append(run[0].cost_usd or Decimal(0))
    columns = list(zip(headings, *rows, strict=True))
    room = min(_MOST_BAR, width - sum(width_of(column) + GAP for column in columns))
    table = Table(box=None, header_style="bold", pad_edge=False, padding=(0, GAP, 0, 0))
    table.add_column(headings[0], no_wrap=True)
    for heading in headings[1:]:
        table.add_column(heading, justify="right", no_wrap=True)
    if room >= _LEAST_BAR:
        table.add_column("", no_wrap=True)
    for row, cost in zip(rows, costs, strict=True):
        drawn = [bar(float(cost / most) if most else 0.0, room)] if room >= _LEAST_BAR else []
        table.add_row(*row, *drawn)
    return table


def _runs(points: Sequence[TrendPoint]) -> list[list[TrendPoint]]:
    """Each step by itself, but for long runs of those without a message."""
    runs: list[list[TrendPoint]] = []
    for has_messages, group in groupby(points, key=lambda point: point.messages > 0):
        run = list(group)
        is_folded = not has_messages and len(run) > _EMPTY_SHOWN
        runs += [run] if is_folded else [[point] for point in run]
    return runs


def _empty(count: int) -> list[str]:
    return [f"({count:,} empty)", "0", "0", "0", "-", money(Decimal(0))]


def _cells(point: TrendPoint) -> list[str]:
    # A step without a message has no rate, which is not an unknown one.
    rate = share(point.hit_rate) if point.messages else "-"
    return [
        plain(point.label),
        f"{point.messages:,}",
        tokens(point.prompt_tokens),
        tokens(point.output_tokens),
        rate,
        money(point.cost_usd),
    ]


def changes(found: Sequence[Change]) -> tuple[Table, list[str]]:
    """What changed, and the reasons of what cannot be told, each once."""
    table = Table(box=None, header_style="bold", pad_edge=False, padding=(0, GAP, 0, 0))
    table.add_column("Against the period before", no_wrap=True)
    for heading in ("Before", "Now", "Change"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("Direction", no_wrap=True)
    for each in found:
        show = shower(each.metric)
        table.add_row(
            change_name(each.metric), show(each.before), show(each.now), relative(each), told(each)
        )
    reasons = dict.fromkeys(plain(each.reason) for each in found if not each.can_tell)
    return table, [reason for reason in reasons if reason]


def change_name(metric: str) -> str:
    """A figure's name as people read it."""
    return _NAMES.get(metric, metric.removesuffix("_usd").replace("_", " ").capitalize())


def relative(change: Change) -> str:
    """`+12.3%`, or a dash where there is nothing to relate it to."""
    return "-" if change.change is None else f"{change.change:+.1%}"


def told(change: Change) -> str:
    """The direction, or that there is too little to tell one."""
    return change.direction if change.can_tell else "cannot tell"


def shower(metric: str) -> Callable[[float | None], str]:
    """How a figure of this name is written."""
    if "cost" in metric or metric.endswith("usd"):
        return lambda value: money(None if value is None else Decimal(repr(value)))
    if "rate" in metric:
        return share
    if "efficiency" in metric:
        return percent
    return lambda value: UNKNOWN if value is None else tokens(round(value))
