from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.efficiency.ledger import USD, sums
from token_tracking.efficiency import EfficiencyEngine, RequestBaseline
from token_tracking.efficiency.snapshot import Against
from token_tracking.errors import UnknownBaselineError
from token_tracking.shares import Facts
from token_tracking.store import Sums

ENGINE = EfficiencyEngine()
JIT = Facts(
    requests=4,
    jit_requests=2,
    jit_prompt_tokens=2_000,
    jit_baseline_tokens=10_000,
    jit_priced=2,
    jit_cost_pico=1 * USD,
    jit_saved_pico=USD // 2,
    jit_uncached_saved_pico=3 * USD,
)


def test_caching_saves_money_and_no_tokens() -> None:
    (found,) = ENGINE.calculate_savings(sums(4, cost=2, plain=8))
    assert found == Against(
        baseline="no_cache", requests=4, priced_requests=4, prompt_tokens=4000,
        baseline_tokens=4000, tokens_saved=0, efficiency=75.0, cost_usd=Decimal(2),
        baseline_cost_usd=Decimal(8), saved_usd=Decimal(6), basis="measured",
    )  # fmt: skip


def test_a_loss_is_shown_as_one() -> None:
    (found,) = ENGINE.calculate_savings(sums(1, cost=5, plain=4))
    assert (found.saved_usd, found.efficiency) == (Decimal(-1), -25.0)


def test_just_in_time_loading_saves_tokens_where_there_is_a_library() -> None:
    assert ENGINE.calculate_savings(sums(4), Facts(), "no_jit") == []
    (found,) = ENGINE.calculate_savings(sums(4), JIT, "no_jit", error_p95=0.1)
    assert found == Against(
        baseline="no_jit", requests=2, priced_requests=2, prompt_tokens=2000,
        baseline_tokens=10_000, tokens_saved=8000, efficiency=80.0, cost_usd=Decimal(1),
        baseline_cost_usd=Decimal("1.5"), saved_usd=Decimal("0.5"), basis="estimated",
        error_p95=0.1,
    )  # fmt: skip


def test_both_together_are_not_the_sum_of_the_two() -> None:
    no_cache, no_jit, both = ENGINE.calculate_savings(sums(4, cost=2, plain=8), JIT)
    # The whole library, uncached: 8 + 3 USD; what was paid: 2 USD.
    assert (both.baseline_cost_usd, both.saved_usd) == (Decimal(11), Decimal(9))
    assert (both.baseline_tokens, both.tokens_saved) == (12_000, 8000)
    assert both.efficiency == pytest.approx(900 / 11)  # pyright: ignore[reportUnknownMemberType]
    assert no_cache.saved_usd is not None
    assert no_jit.saved_usd is not None
    assert no_cache.saved_usd + no_jit.saved_usd == Decimal("6.5") != both.saved_usd


def test_what_has_no_price_saves_no_money() -> None:
    unpriced = Sums(messages=1, unpriced_messages=1, input_tokens=10)
    facts = Facts(jit_requests=1, jit_prompt_tokens=10, jit_baseline_tokens=30)
    for found in ENGINE.calculate_savings(unpriced, facts):
        assert (found.cost_usd, found.baseline_cost_usd, found.saved_usd) == (None, None, None)
        assert found.priced_requests == 0


def test_a_baseline_of_your_own_is_compared_request_by_request() -> None:
    row = RequestBaseline(
        message_id="msg_1", prompt_tokens=100, baseline_tokens=400, saved_pico=3 * USD,
        unpriced=None, fits_window=True, cost_pico=USD,
    )  # fmt: skip
    unpriced = RequestBaseline(
        message_id="msg_2", prompt_tokens=100, baseline_tokens=100, saved_pico=None,
        unpriced="no price", fits_window=None,
    )  # fmt: skip
    (found,) = ENGINE.calculate_savings(sums(2), baseline="custom", custom=[row, unpriced])
    assert (found.requests, found.priced_requests) == (2, 1)
    assert (found.tokens_saved, found.efficiency) == (300, 60.0)
    assert (found.cost_usd, found.saved_usd) == (Decimal(1), Decimal(3))
    assert len(ENGINE.calculate_savings(sums(2), custom=[])) == 2


def test_a_baseline_has_to_exist() -> None:
    with pytest.raises(UnknownBaselineError, match="no_cache, no_jit"):
        ENGINE.calculate_savings(sums(), baseline="no_mcp")
    with pytest.raises(UnknownBaselineError, match="pass custom="):
        ENGINE.calculate_savings(sums(), baseline="custom")


def test_efficiency_is_the_saved_part_of_the_baseline() -> None:
    assert ENGINE.calculate_efficiency(25, 100) == 75.0
    assert ENGINE.calculate_efficiency(150, 100) == -50.0
    assert ENGINE.calculate_efficiency(0, 0) is None


_tokens = st.integers(0, 10**9)


@given(_tokens, _tokens, _tokens, _tokens)
def test_both_are_the_loss_of_either_alone_and_of_what_they_share(
    cost: int, plain: int, saved: int, uncached: int
) -> None:
    ledger = Sums(messages=1, cost_pico=cost, no_cache_pico=plain)
    facts = Facts(
        jit_requests=1, jit_priced=1, jit_saved_pico=saved, jit_uncached_saved_pico=uncached
    )
    no_cache, _, both = ENGINE.calculate_savings(ledger, facts)
    assert both.saved_usd is not None
    assert no_cache.saved_usd is not None
    assert both.saved_usd - no_cache.saved_usd == Decimal(uncached).scaleb(-12)
