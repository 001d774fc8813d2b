"""When an edit pays, with figures by hand."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from token_tracking.pricing import PriceBook, Rates
from token_tracking.window.economics import GUARD, UNCACHED, USUAL, Economics, Ratios, ratios_of

NOW_MS = int(time.time() * 1000)


def economics(ratios: Ratios, remaining: float, **more: float) -> Economics:
    """Break-even alone: no margin, and a guard that lets everything through."""
    given_: dict[str, float] = {"spent": 0.0, "alone": 1e12, "margin": 1.0, **more}
    return Economics(ratios=ratios, is_cached=True, remaining=remaining, **given_)


def rates_of(model: str) -> Rates:
    return PriceBook().rates(model, NOW_MS, prompt_tokens=1_000)


@pytest.mark.parametrize(
    ("model", "ttl", "read", "write"),
    [
        ("claude-opus-4-6", "5m", 0.1, 1.25),
        ("claude-opus-4-6", "1h", 0.1, 2.0),
        ("claude-opus-5-5", "5m", 0.05, 1.25),
        ("claude-fable-5-2", "5m", 0.025, 1.25),
        ("claude-fable-5-2", "1h", 0.025, 2.0),
    ],
)
def test_the_ratios_are_those_of_the_models_own_prices(
    model: str, ttl: str, read: float, write: float
):
    assert ratios_of(rates_of(model), ttl) == Ratios(read, write)


def test_a_model_without_a_price_has_the_usual_ratios():
    assert ratios_of(None, "5m") == USUAL["5m"] == Ratios(0.1, 1.25)
    assert ratios_of(None, "1h") == USUAL["1h"] == Ratios(0.1, 2.0)


def test_where_nothing_is_cached_all_tokens_cost_the_same():
    assert ratios_of(rates_of("claude-opus-4-6"), None) == UNCACHED


@pytest.mark.parametrize(
    ("ratios", "pays", "does_not"),
    [
        # 20,000 tokens go before 40,000 that stay: writing those again costs (W - R) x 40,000,
        # and this request reads 20,000 less. Each later one saves R x 20,000.
        (Ratios(0.1, 1.25), 23, 21),  # 46,000 - 2,000 = 44,000 against 2,000 each: 22
        (Ratios(0.05, 1.25), 48, 46),  # 48,000 - 1,000 = 47,000 against 1,000 each: 47
        (Ratios(0.025, 1.25), 98, 96),  # 49,000 - 500 = 48,500 against 500 each: 97
        (Ratios(0.1, 2.0), 38, 36),  # 76,000 - 2,000 = 74,000 against 2,000 each: 37
    ],
)
def test_an_edit_pays_from_the_break_even_on(ratios: Ratios, pays: int, does_not: int):
    edit = {"removed_cached": 20_000, "removed_new": 0, "rewritten": 40_000}
    assert economics(ratios, pays).weigh(**edit).pays
    assert not economics(ratios, does_not).weigh(**edit).pays


def test_the_decision_says_what_the_edit_costs_now_and_saves_later():
    found = economics(Ratios(0.1, 1.25), 30).weigh(
        removed_cached=20_000, removed_new=0, rewritten=40_000
    )
    assert found.now == pytest.approx(44_000)
    assert found.later == pytest.approx(60_000)


def test_what_is_new_is_saved_at_the_price_of_writing():
    found = economics(Ratios(0.1, 1.25), 5).weigh(removed_cached=0, removed_new=8_000, rewritten=0)
    assert found.pays
    assert found.now == pytest.approx(-10_000)


def test_with_a_margin_it_has_to_pay_that_often():
    edit = {"removed_cached": 20_000, "removed_new": 0, "rewritten": 40_000}
    assert not economics(Ratios(0.1, 1.25), 43, margin=2.0).weigh(**edit).pays
    assert economics(Ratios(0.1, 1.25), 45, margin=2.0).weigh(**edit).pays


def test_a_lapsed_cache_always_clears():
    lapsed = Economics(
        ratios=Ratios(0.1, 1.25), is_cached=False, remaining=0.0, spent=10.0, alone=1.0
    )
    decision = lapsed.weigh(removed_cached=1, removed_new=0, rewritten=10**6)
    assert decision.pays
    assert decision.now == pytest.approx(-1.25)
    assert not lapsed.weigh(removed_cached=0, removed_new=0, rewritten=0).pays


def test_the_guard_holds_back_what_would_cost_too_much_if_it_ended_here():
    edit = {"removed_cached": 20_000, "removed_new": 0, "rewritten": 40_000}  # 44,000 now
    alone = 1_000_000.0
    at_limit = economics(Ratios(0.1, 1.25), 1_000, spent=GUARD * alone - 44_001, alone=alone)
    over = economics(Ratios(0.1, 1.25), 1_000, spent=GUARD * alone - 43_999, alone=alone)
    assert at_limit.weigh(**edit).pays
    assert not over.weigh(**edit).pays
    assert "if it ended here" in over.weigh(**edit).why


def test_what_saves_at_once_needs_no_guard():
    dear = economics(Ratios(0.1, 1.25), 10, spent=1_000_000.0, alone=1.0)
    decision = dear.weigh(removed_cached=0, removed_new=100, rewritten=0)
    assert decision.now == pytest.approx(-125)  # far from enough to be under the guard
    assert decision.pays


def test_a_decision_that_was_taken_counts_for_the_next():
    weighing = economics(Ratios(0.1, 1.25), 30)
    decision = weighing.weigh(removed_cached=20_000, removed_new=0, rewritten=40_000)
    weighing.spend(decision)
    assert weighing.spent == decision.now


def test_what_was_paid_beside_the_request_adds_up():
    weighing = economics(Ratios(0.1, 1.25), 30)
    decision = weighing.weigh(removed_cached=0, removed_new=0, rewritten=0)
    weighing.spend(decision)
    weighing.spend(decision, 100.0)
    weighing.spend(decision, 25.5)
    assert weighing.charged == 125.5
    assert weighing.spent == 0.0


def test_a_model_that_costs_nothing_has_the_usual_ratios():
    free = Rates(0, 0, 0, 0, 0, None, "user")
    assert ratios_of(free, "5m") == USUAL["5m"]
    assert ratios_of(free, "1h") == USUAL["1h"]


def test_an_edit_that_only_saves_what_it_costs_does_not_pay():
    edit = {"removed_cached": 4, "removed_new": 0, "rewritten": 5}
    ratios = Ratios(0.25, 1.25)  # costs 1 x 5 - 0.25 x 4 = 4 now, and each later one saves 1
    assert not economics(ratios, 4).weigh(**edit).pays
    assert economics(ratios, 5).weigh(**edit).pays
    assert not economics(ratios, 8, margin=2.0).weigh(**edit).pays
    assert economics(ratios, 9, margin=2.0).weigh(**edit).pays


def test_what_is_new_and_goes_is_not_read_later_either():
    found = economics(Ratios(0.1, 1.25), 30).weigh(
        removed_cached=1_000, removed_new=2_000, rewritten=10_000
    )
    # 1.15 x 10,000, less 100 that are not read and 2,500 that are not written.
    assert found.now == pytest.approx(8_900)
    assert found.later == pytest.approx(9_000)  # 30 x 0.1 x 3,000


def test_where_the_cache_has_lapsed_all_that_goes_is_saved_later():
    lapsed = Economics(ratios=Ratios(0.1, 1.25), is_cached=False, remaining=30, spent=0, alone=0)
    found = lapsed.weigh(removed_cached=1_000, removed_new=2_000, rewritten=0, regret=700)
    assert found.now == pytest.approx(-3_750)
    assert found.later == pytest.approx(9_000 - 700)


def test_the_guard_is_two_and_a_half_hundredths_above_leaving_it_alone():
    edit = {"removed_cached": 20_000, "removed_new": 0, "rewritten": 40_000}  # 44,000 now
    ratios, alone = Ratios(0.1, 1.25), 1_000_000.0
    assert economics(ratios, 1_000, spent=980_999, alone=alone).weigh(**edit).pays
    assert not economics(ratios, 1_000, spent=981_001, alone=alone).weigh(**edit).pays


def test_up_to_the_guard_itself_may_be_spent():
    edit = {"removed_cached": 4, "removed_new": 0, "rewritten": 5}  # 4 now
    for spent, pays in ((196.0, True), (196.25, False)):
        weighing = economics(Ratios(0.25, 1.25), 1_000, spent=spent, alone=100.0, guard=2.0)
        assert weighing.weigh(**edit).pays == pays


def test_to_get_something_back_is_a_request_more_and_its_tokens_again():
    # 0.1 x 50,000 are read, 1.25 x 1,000 written; a call of 80 tokens at five times the price.
    assert economics(Ratios(0.1, 1.25), 0).fetching(1_000, 50_000) == pytest.approx(6_650)
    assert economics(UNCACHED, 0).fetching(1_000, 50_000) == pytest.approx(51_400)


def test_to_leave_something_in_is_to_send_it_now_and_each_time_again():
    cached = economics(Ratios(0.1, 1.25), 10)
    assert cached.carrying(1_000) == pytest.approx(1_100)
    cached.is_cached = False
    assert cached.carrying(1_000) == pytest.approx(2_250)


def test_what_has_to_be_got_back_is_no_saving():
    edit = {"removed_cached": 20_000, "removed_new": 0, "rewritten": 40_000}  # 44,000 now
    thirty = economics(Ratios(0.1, 1.25), 30)  # 60,000 later
    assert thirty.weigh(**edit, regret=15_900).pays
    dear = thirty.weigh(**edit, regret=16_100)
    assert not dear.pays
    assert dear.later == pytest.approx(43_900)


@settings(deadline=None)
@given(
    st.sampled_from([Ratios(0.1, 1.25), Ratios(0.05, 1.25), Ratios(0.025, 2.0)]),
    st.integers(1, 10**6),
    st.integers(0, 10**6),
    st.floats(0, 1_000),
)
def test_it_pays_where_k_r_t_is_more_than_w_less_r_of_s(
    ratios: Ratios, removed: int, kept: int, remaining: float
):
    """This request reads T less as well, so k counts it in."""
    saved = (remaining + 1) * ratios.read * removed
    costs = (ratios.write - ratios.read) * kept
    found = economics(ratios, remaining).weigh(
        removed_cached=removed, removed_new=0, rewritten=kept
    )
    if abs(saved - costs) > 1e-6 * max(1.0, saved, costs):
        assert found.pays == (saved > costs)
