"""Alerts at shares of the window: once each, on the way up, with what fills it."""

import asyncio
import math
from typing import Any

import pytest

from tests.window.talk import MODEL, agent, prepare, window_of
from token_tracking.window.alerts import Alerts
from token_tracking.window.errors import InvalidBudgetError
from token_tracking.window.policies.clear import ClearToolResults
from token_tracking.window.prepared import Alert
from token_tracking.window.window import ContextWindow


def filled() -> list[tuple[str, int]]:
    return [("system", 10), ("results of look", 60), ("text", 5)]


def shares(alerts: Alerts, tokens: int) -> list[float]:
    return [each.share for each in alerts.check(tokens, 100, filled)]


def test_each_share_is_told_once_on_the_way_up():
    alerts = Alerts()
    assert shares(alerts, 74) == []
    assert shares(alerts, 75) == [0.75]
    assert shares(alerts, 80) == []
    assert shares(alerts, 90) == [0.9]
    assert shares(alerts, 100) == []


def test_a_leap_tells_all_that_were_passed():
    assert shares(Alerts(), 95) == [0.75, 0.9]


def test_a_share_is_told_again_only_after_the_prompt_fell_well_below_it():
    alerts = Alerts()
    assert shares(alerts, 95) == [0.75, 0.9]
    assert shares(alerts, 80) == []
    assert shares(alerts, 91) == []
    assert shares(alerts, 71) == []
    assert shares(alerts, 91) == [0.9]
    assert shares(alerts, 10) == []
    assert shares(alerts, 76) == [0.75]


def test_what_fills_the_window_is_asked_only_where_an_alert_is_raised():
    asked: list[int] = []

    def filling() -> list[tuple[str, int]]:
        asked.append(1)
        return filled()

    alerts = Alerts()
    alerts.check(10, 100, filling)
    assert not asked
    alerts.check(95, 100, filling)
    assert len(asked) == 1


def test_an_alert_says_what_fills_the_window_the_most_first():
    (alert,) = Alerts((0.5,)).check(75, 100, filled)
    assert alert.filling == (("results of look", 60), ("system", 10), ("text", 5))
    text = "75 of 100 tokens (50% passed); most of it: results of look 60, system 10, text 5"
    assert str(alert) == text


def test_shares_may_be_given_in_any_order_and_twice():
    assert shares(Alerts((0.9, 0.5, 0.9)), 95) == [0.5, 0.9]
    assert shares(Alerts(()), 100) == []


@pytest.mark.parametrize("share", [0, -1, 1.1, True, math.nan, "0.5", None])
def test_what_is_no_share_is_named(share: Any):
    with pytest.raises(InvalidBudgetError, match="alert_at"):
        ContextWindow(MODEL, alert_at=[share])


async def test_a_window_alerts_as_its_conversation_grows():
    told: list[Alert] = []
    window = window_of((), window=10_000, context=9_900, on_alert=told.append, alert_at=(0.5,))
    first = await prepare(window, agent(2, 1_000))
    second = await prepare(window, agent(6, 1_000))
    third = await prepare(window, agent(7, 1_000))
    assert (first.alerts, third.alerts) == ((), ())
    assert second.alerts == tuple(told)
    (alert,) = told
    room = window.room.context
    assert (alert.share, alert.tokens, alert.window) == (0.5, second.tokens.total, room)
    assert alert.filling[0] == ("results of look", 6_000)
    assert sum(tokens for _, tokens in alert.filling) <= alert.tokens


async def test_what_was_cleared_is_not_among_what_fills_the_window():
    policy = ClearToolResults(keep=1, is_gated=False)
    window = window_of(policy, window=4_000, context=3_900, alert_at=(0.1,))
    prepared = await prepare(window, agent(4, 500))
    (alert,) = prepared.alerts
    assert dict(alert.filling)["results of look"] < 1_200


def grown(**options: Any) -> ContextWindow:
    """A window that alerts at `agent(6, 1_000)`."""
    return window_of((), window=10_000, context=9_900, alert_at=(0.5,), **options)


async def test_an_async_function_is_awaited():
    told: list[Alert] = []

    async def tell(alert: Alert) -> None:
        await asyncio.sleep(0)
        told.append(alert)

    prepared = await prepare(grown(on_alert=tell), agent(6, 1_000))
    assert prepared.alerts == tuple(told)
    assert len(told) == 1


async def test_who_is_told_may_prepare_a_request_itself():
    async def tell(alert: Alert) -> None:
        await prepare(window, agent(6, 1_000))

    window = grown(on_alert=tell)
    await asyncio.wait_for(prepare(window, agent(6, 1_000)), 5)


@pytest.mark.parametrize("is_async", [False, True])
async def test_a_function_that_fails_loses_no_request(
    is_async: bool, caplog: pytest.LogCaptureFixture
):
    def tell(alert: Alert) -> None:
        raise OSError("no mail today")

    async def tell_later(alert: Alert) -> None:
        tell(alert)

    window = grown(on_alert=tell_later if is_async else tell)
    prepared = await prepare(window, agent(6, 1_000))
    assert len(prepared.alerts) == 1
    assert "on_alert failed" in caplog.text
    assert "no mail today" in caplog.text
    assert (await prepare(window, agent(7, 1_000))).tokens.total > 7_000
