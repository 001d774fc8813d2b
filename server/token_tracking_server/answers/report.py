"""Totals in rows: by day, model, project or session; the ledger as a whole."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, tzinfo
from itertools import pairwise
from typing import Final

from token_tracking.metrics import Report, ReportRow, Summary
from token_tracking.metrics.report import total
from token_tracking.store import Sums
from token_tracking_server.answers.markdown import bullets, code, fold, paragraphs, row, table
from token_tracking_server.answers.periods import period_name
from token_tracking_server.answers.sums import (
    BASIS,
    HEAD,
    caching,
    cells,
    cost,
    counted,
    gaps,
    model_name,
)

_ROWS: Final = 31
_SIZE: Final = 5_000
_SHORT_ID: Final = 8
_BY_TIME: Final = frozenset({"day", "week", "month", "block", "session"})


def report_answer(
    report: Report, zone: tzinfo, *, notes: Sequence[str] = (), stale: str | None = None
) -> str:
    """A report's headline and rows: the newest, or else the dearest, first."""
    return paragraphs(
        _headline(period_name(report.period), report.totals),
        stale,
        caching(report.totals) if report.rows else "There are no messages in this period.",
        _rows(report, zone) if report.rows else None,
        bullets([*gaps(report.totals, report.unpriced_models), *notes]),
        BASIS if report.rows else None,
    )


def sessions_answer(
    report: Report, zone: tzinfo, *, notes: Sequence[str] = (), stale: str | None = None
) -> str:
    """The sessions of a report by session."""
    return paragraphs(
        _headline(counted(len(report.rows), "session"), report.totals),
        stale,
        _rows(report, zone) if report.rows else None,
        bullets([*gaps(report.totals, report.unpriced_models), *notes]),
        BASIS if report.rows else None,
    )


def summary_answer(
    summaries: Sequence[Summary], *, notes: Sequence[str] = (), stale: str | None = None
) -> str:
    """Periods beside each other, the last of which holds the others, and its models."""
    whole = summaries[-1]
    periods = [row([period_name(each.period.name), *cells(each.sums)]) for each in summaries]
    return paragraphs(
        _headline("All time", whole.sums),
        stale,
        caching(whole.sums) if whole.sums.messages else "The ledger holds no messages.",
        table(["Period", *HEAD], periods) if whole.sums.messages else None,
        _models(whole.models) if whole.models else None,
        bullets([*gaps(whole.sums, whole.unpriced_models), *notes]),
        BASIS if whole.sums.messages else None,
    )


def _headline(of: str, sums: Sums) -> str:
    return f"**{of}: {cost(sums)}** for {counted(sums.messages, 'message')}"


def _rows(report: Report, zone: tzinfo) -> str:
    by_time = report.by in _BY_TIME
    rows = report.rows[::-1] if by_time else report.rows
    digits = _id_digits([each.label for each in rows])

    def line(each: ReportRow) -> str:
        return row([*_label(report, each, zone, digits), *cells(each.sums)])

    def others(rest: Sequence[ReportRow]) -> str:
        sums = total(each.sums for each in rest)
        text = f"and {len(rest):,} {'earlier' if by_time else 'more'}"
        return row([text, *blank, *cells(sums)])

    heads = _heads(report.by)
    blank = [""] * (len(heads) - 1)
    lines = fold(rows, line, others, most=_ROWS, size=_SIZE)
    if len(rows) > 1:
        lines.append(row(["**All**", *blank, *(f"**{each}**" for each in cells(report.totals))]))
    return table([*heads, *HEAD], lines, len(heads))


def _heads(by: str) -> list[str]:
    if by == "session":
        return ["Session", "Project", "Last message"]
    return ["Five hours from" if by == "block" else by.capitalize()]


def _label(report: Report, each: ReportRow, zone: tzinfo, digits: int) -> list[str]:
    if report.by == "session":
        name = code(each.label[:digits], 64) if each.label else "no session"
        last = "" if each.last_at is None else _moment(each.last_at, zone)
        return [name, code(each.project, 28) if each.project else "", last]
    if report.by == "block":
        return [_moment(each.first_at or 0, zone)]
    if report.by == "model":
        return [model_name(each.label)]
    if report.by == "project":
        return [code(each.label, 60) if each.label else "no project"]
    return [each.label]


def _moment(at: int, zone: tzinfo) -> str:
    return f"{datetime.fromtimestamp(at / 1000, UTC).astimezone(zone):%Y-%m-%d %H:%M}"


def _id_digits(ids: Sequence[str]) -> int:
    """How much of an id tells it from all others, as sessions are found by their beginning."""
    ordered = sorted(each.lower() for each in ids)
    return max(_SHORT_ID, *(_shared(*pair) + 1 for pair in pairwise(ordered)), 0)


def _shared(one: str, other: str) -> int:
    """The length of the beginning that two ids share."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((at for at, (a, b) in pairs if a != b), min(len(one), len(other)))


def _models(models: Mapping[str, Sums]) -> str:
    def others(rest: Sequence[tuple[str, Sums]]) -> str:
        return row([f"and {len(rest):,} more", *cells(total(sums for _, sums in rest))])

    rows = fold(
        sorted(models.items(), key=lambda item: (-item[1].cost_pico, item[0])),
        lambda item: row([model_name(item[0]), *cells(item[1])]),
        others,
        most=15,
        size=2_000,
    )
    return table(["Model", *HEAD], rows)
