"""The views of the two report tools, and what each needs."""

from typing import Any, Final

from token_tracking.efficiency.groupings import check_grouping
from token_tracking.errors import UnknownMetricError
from token_tracking.metrics import GROUPINGS, By
from token_tracking.shares import METRICS
from token_tracking_server.questions import Questions

_USUAL_ROWS: Final = "day"
_BY_NOTHING: Final = frozenset({"advice", "snapshot", "trend"})


async def period_view(about: Questions, period: str, view: str, by: str) -> str:
    """A period: `totals` in rows by time, model, project, session, or where the prompts' money
    went; `top`, by a metric or a grouping; `snapshot`, `trend`, `advice`.

    Raises:
        UnknownMetricError: the view takes no such rows.
    """
    if view in _BY_NOTHING:
        if by != _USUAL_ROWS:
            raise UnknownMetricError(f"view={view} takes no `by`: leave it out.")
        asked = {
            "advice": about.efficiency.advice,
            "snapshot": about.efficiency.snapshot,
            "trend": about.efficiency.trend,
        }
        return await asked[view](period)
    return await (_top if view == "top" else _totals)(about, period, by)


async def period_page(about: Questions, period: str, view: str, by: str) -> dict[str, Any]:
    """The data of the page for a view that was answered."""
    efficiency = about.efficiency
    if view == "advice":
        return await efficiency.advice_page(period)
    if view == "top" and (by in METRICS or by == _USUAL_ROWS):
        return await efficiency.top_page("cost" if by == _USUAL_ROWS else by, period)
    if view == "top" or (view == "totals" and not _grouping(by)):
        return await efficiency.groups_page(check_grouping(by), period)
    return await efficiency.snapshot_page(period)


async def session_view(about: Questions, session_id: str, view: str) -> str:
    """A session: `summary`, or its prompts by `items`."""
    if view == "items":
        return await about.session_items(session_id)
    return await about.session(session_id)


async def _totals(about: Questions, period: str, by: str) -> str:
    if grouping := _grouping(by):
        return await about.report(period, grouping)
    if by in METRICS:
        raise UnknownMetricError(f"by={by} is for view=top.")
    return await about.efficiency.groups(check_grouping(by), period)


async def _top(about: Questions, period: str, by: str) -> str:
    if by in METRICS or by == _USUAL_ROWS:
        return await about.efficiency.top("cost" if by == _USUAL_ROWS else by, period)
    return await about.efficiency.groups(check_grouping(by), period)


def _grouping(by: str) -> By | None:
    return next((each for each in GROUPINGS if each == by), None)
