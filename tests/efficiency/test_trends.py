from decimal import Decimal
from math import exp, sqrt
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.efficiency.ledger import step, sums
from token_tracking.efficiency.ratios import Ratio, differ, ratio
from token_tracking.efficiency.snapshot import Change, TrendPoint
from token_tracking.efficiency.trends import StepSums, calculate_trend
from token_tracking.store import Sums

WEEK = [step(sums(messages, cost=messages * price)) for messages, price in
        ((10, 1.0), (20, 1.1), (10, 0.9), (30, 1.0), (10, 1.05))]  # fmt: skip
DEARER = [step(sums(messages, cost=messages * price)) for messages, price in
          ((10, 2.0), (20, 2.1), (10, 1.9), (30, 2.0), (10, 2.05))]  # fmt: skip


def changes(now: list[StepSums], before: list[StepSums] | None) -> dict[str, Change]:
    return {each.metric: each for each in calculate_trend("7d", "day", now, before).changes}


def test_a_step_has_its_figures_and_those_of_each_model() -> None:
    priced, unpriced = sums(2, cost=1, plain=4), Sums(messages=1, unpriced_messages=1)
    trend = calculate_trend("7d", "day", [step(priced, unpriced, start=5)])
    assert trend.points == [
        TrendPoint(
            label="5", start=5, messages=3, prompt_tokens=2000, output_tokens=20,
            cost_usd=Decimal(1), hit_rate=0.5, efficiency=75.0,
            models={"model-0": Decimal(1), "model-1": None},
            model_tokens={"model-0": 2020, "model-1": 0},
        )
    ]  # fmt: skip


def test_an_empty_step_cost_nothing_and_an_unpriced_one_nobody_knows() -> None:
    empty, unpriced = step(), step(Sums(messages=1, unpriced_messages=1))
    points = calculate_trend("7d", "day", [empty, unpriced]).points
    assert [point.cost_usd for point in points] == [Decimal(0), None]
    assert [point.hit_rate for point in points] == [None, None]


def test_less_cost_for_a_message_is_an_improvement() -> None:
    cost = changes(WEEK, DEARER)["cost_per_message"]
    assert (cost.direction, cost.can_tell) == ("improving", True)
    assert cost.now == pytest.approx(81.5 / 80)  # pyright: ignore[reportUnknownMemberType]
    assert cost.before == pytest.approx(161.5 / 80)  # pyright: ignore[reportUnknownMemberType]
    assert cost.change == pytest.approx(81.5 / 161.5 - 1)  # pyright: ignore[reportUnknownMemberType]
    assert changes(DEARER, WEEK)["cost_per_message"].direction == "declining"
    assert calculate_trend("7d", "day", DEARER, WEEK).direction == "declining"


def test_more_tokens_from_the_cache_are_an_improvement() -> None:
    rates = (0, 30, -20, 10)
    warm = [step(sums(10, input_tokens=200 + d, cache_read_tokens=800 - d)) for d in rates]
    cold = [step(sums(10, input_tokens=700 + d, cache_read_tokens=300 - d)) for d in rates]
    assert changes(warm, cold)["hit_rate"].direction == "improving"
    assert changes(cold, warm)["hit_rate"].direction == "declining"


def test_a_change_that_may_be_chance_is_stable_and_says_so() -> None:
    wild = [step(sums(10, cost=10 * price)) for price in (0.1, 3.0, 0.2, 2.5)]
    other = [step(sums(10, cost=10 * price)) for price in (2.9, 0.3, 0.4, 3.5)]
    cost = changes(wild, other)["cost_per_message"]
    assert (cost.direction, cost.can_tell) == ("stable", False)
    assert "may be chance" in cost.reason
    assert cost.change == pytest.approx(5.8 / 7.1 - 1)  # pyright: ignore[reportUnknownMemberType]


def test_a_small_change_is_stable_even_where_it_is_certain() -> None:
    steady = [step(sums(10, cost=10.0))] * 5
    barely = [step(sums(10, cost=10.4))] * 5
    cost = changes(barely, steady)["cost_per_message"]
    assert (cost.direction, cost.can_tell) == ("stable", True)
    assert cost.reason == "The cost of a message changed by less than 5%."


def test_so_few_steps_cannot_tell() -> None:
    cost = changes(WEEK[:2], DEARER)["cost_per_message"]
    assert (cost.direction, cost.can_tell) == ("stable", False)
    assert cost.reason == (
        "Too few to tell: 2 steps with messages, and 5 in the period before, of which either needs"
        " 3."
    )
    assert "before has no messages" in changes(WEEK, [])["cost_per_message"].reason
    assert "period has no messages" in changes([], WEEK)["cost_per_message"].reason


def test_so_few_messages_cannot_tell() -> None:
    cost = changes([step(sums(9, cost=9))] * 3, [step(sums(10, cost=90))] * 3)["cost_per_message"]
    assert (cost.direction, cost.can_tell) == ("stable", False)
    assert cost.reason == "Too few to tell: 27 messages in a period that needs 30."


def test_all_of_time_has_nothing_before_it() -> None:
    for each in changes(WEEK, None).values():
        assert (each.before, each.change, each.can_tell, each.direction) == (
            None, None, False, "stable",
        )  # fmt: skip
        assert each.reason == "There is no period before this one."


def test_a_ratio_of_sums_has_its_linearized_variance() -> None:
    # R = 12/6 = 2; residuals 0, -1, 1: 3/2 * 2 / 36.
    assert ratio([(2, 1), (3, 2), (7, 3), (5, 0)]) == Ratio(2.0, 3 / 2 * 2 / 36, 3, 3.0)
    assert ratio([(1, 1), (2, 1)]) == Ratio(1.5, None, 2, 2.0)
    assert ratio([(1, 0)]) == Ratio(None, None, 0, 0.0)


def test_steps_that_hang_together_are_worth_fewer() -> None:
    found = ratio([(y, 1) for y in (1, 1, 1, 1, 1, 1, -1, -1, -1, -1, -1, -1)])
    # Ten of eleven neighbours alike: r = 10 / 12 - 1 / 12, and (1 + 3r) / 12 more than that: 0.9
    # at most, and 12 steps are worth 12 * 0.1 / 1.9.
    assert (found.steps, found.worth) == (12, 2.0)
    assert found.variance == pytest.approx(19 * 12 / 11 * 12 / 144)  # pyright: ignore[reportUnknownMemberType]


def independent(value: float, variance: float, steps: int = 4) -> Ratio:
    return Ratio(value, variance, steps, steps)


def test_the_difference_has_to_exceed_students_t() -> None:
    # Equal variances of 1/2 each: a standard error of 1, with 3 + 3 degrees of freedom: t is 2.447.
    assert differ(independent(2.446, 0.5), independent(0, 0.5)) is False
    assert differ(independent(2.448, 0.5), independent(0, 0.5)) is True
    # One of them alone varies: 3 degrees of freedom, 3.182.
    assert differ(independent(3.181, 1.0), independent(0, 0.0)) is False
    assert differ(independent(3.183, 1.0), independent(0, 0.0)) is True
    assert differ(independent(2.05, 0.5, 90), independent(0, 0.5, 90)) is True


def hours(random: Random, together: float, higher: float = 1) -> list[tuple[float, float]]:
    """A day of steps that vary by about 40%, and of which neighbours correlate so much."""
    level, steps = random.gauss(0, 1), list[tuple[float, float]]()
    for _ in range(24):
        count = random.randint(5, 60)
        steps.append((higher * count * exp(0.4 * level), count))
        level = together * level + sqrt(1 - together**2) * random.gauss(0, 1)
    return steps


@pytest.mark.parametrize(("together", "most"), [(0.0, 0.05), (0.3, 0.07), (0.6, 0.10)])
def test_periods_alike_are_seldom_told_apart(together: float, most: float) -> None:
    random = Random(4)
    pairs = [(hours(random, together), hours(random, together)) for _ in range(1000)]
    told = sum(bool(differ(ratio(now), ratio(before))) for now, before in pairs)
    assert told <= most * 1000


def test_a_half_more_is_told_as_a_rule() -> None:
    random = Random(4)
    pairs = [(hours(random, 0.0, higher=1.5), hours(random, 0.0)) for _ in range(300)]
    assert sum(bool(differ(ratio(now), ratio(before))) for now, before in pairs) > 200


_steps = st.lists(
    st.tuples(st.integers(0, 50), st.integers(0, 10**9), st.integers(0, 10**9)).map(
        lambda given: step(
            Sums(
                messages=given[0],
                input_tokens=given[0] * given[1],
                cost_pico=given[0] * given[1],
                no_cache_pico=given[0] * given[2],
            )
        )
    ),
    max_size=12,
)


@given(_steps)
def test_a_period_against_one_that_is_equal_is_stable(steps: list[StepSums]) -> None:
    trend = calculate_trend("7d", "day", steps, steps)
    assert {each.direction for each in trend.changes} == {trend.direction} == {"stable"}
    assert not any(each.change for each in trend.changes)


@given(_steps, _steps)
def test_what_improves_one_way_declines_the_other(
    first: list[StepSums], second: list[StepSums]
) -> None:
    there, back = changes(first, second), changes(second, first)
    opposite = {"improving": "declining", "declining": "improving", "stable": "stable"}
    for metric, change in there.items():
        assert change.can_tell == back[metric].can_tell
        if abs(change.change or 1) > 0.1 and abs(back[metric].change or 1) > 0.1:
            assert back[metric].direction == opposite[change.direction]
