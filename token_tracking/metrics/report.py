"""Totals by day, week, month, block, model, project or session."""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any, Final, Literal, get_args

from msgspec import Struct

from token_tracking.store import Sums

By = Literal["day", "week", "month", "block", "model", "project", "session"]
GROUPINGS: Final[tuple[By, ...]] = get_args(By)


class ReportRow(Struct, frozen=True, kw_only=True):
    """One row: what it is of, its sums, and those of each model in it.

    `label` is a date (`2026-11-21`, a week's first day), a month (`2026-11`), the start of a
    block in ISO 8601, a model, a project's path or a session's id. `first_at` and `last_at`
    (milliseconds since 1970 UTC) and `project` are there for sessions and blocks.
    """

    label: str
    sums: Sums
    models: dict[str, Sums]
    first_at: int | None = None
    last_at: int | None = None
    project: str | None = None


class Report(Struct, frozen=True, kw_only=True):
    """Rows in the order in which they are shown, and the sum of all of them."""

    by: By
    period: str
    rows: list[ReportRow]
    totals: Sums
    unpriced_models: dict[str, int]


def fold(cells: Iterable[tuple[Any, str, Sums]]) -> dict[Any, dict[str, Sums]]:
    """Sums by label and model, from cells that may repeat both."""
    rows: dict[Any, dict[str, Sums]] = {}
    for label, model, sums in cells:
        models = rows.setdefault(label, {})
        known = models.get(model)
        models[model] = sums if known is None else known + sums
    return rows


def total(models: Iterable[Sums]) -> Sums:
    """All of them together."""
    return sum(models, start=Sums())


def date_label(by: By, zone: tzinfo) -> Callable[[int], str]:
    """The label of a quarter of an hour (its number since 1970 UTC)."""
    known: dict[int, str] = {}

    def label(quarter: int) -> str:
        text = known.get(quarter)
        if text is None:
            moment = datetime.fromtimestamp(quarter * 900, UTC).astimezone(zone).date()
            if by == "week":
                moment -= timedelta(days=moment.weekday())
            text = known[quarter] = moment.isoformat()[: 7 if by == "month" else 10]
        return text

    return label
