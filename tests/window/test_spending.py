"""What a conversation costs as it is sent, beside what it would have cost left alone."""

from decimal import Decimal

import pytest

from tests.window.talk import Clock
from token_tracking.pricing import PriceBook
from token_tracking.window.economics import UNCACHED, Economics, Ratios
from token_tracking.window.prepared import Costs
from token_tracking.window.prompt_cache import (
    FIVE_MINUTES_MS,
    HOUR_MS,
    AutomaticCache,
    CacheUse,
    PromptCache,
)
from token_tracking.window.remaining import UsualRemaining
from token_tracking.window.spending import Caching, Spending

NOW = int(Clock().now * 1000)
OPUS = "claude-opus-4-6"
"""$5 for a million input tokens; a tenth of that to read, a quarter more to write."""
HAIKU = "claude-haiku-5-5"
"""$0.1 for a million input tokens, and $0.5 in a prompt of more than 100,000."""


class Ten:
    """Ten requests are always to come."""

    def expected(self, made: int) -> float:
        return 10.0


def spending(model: str = OPUS, caching: Caching | None = "5m", form: str = "anthropic"):
    return Spending(model, form=form, caching=caching, prices=PriceBook(), remaining=Ten())


def economics(
    held: Spending, tokens: int, readable: int, at_ms: int = NOW, alone: int | None = None
) -> Economics:
    whole = tokens if alone is None else alone
    return held.economics(
        tokens=tokens, readable=readable, alone=whole, alone_kept=readable, at_ms=at_ms
    )


def send(
    held: Spending, use: CacheUse, at_ms: int = NOW, alone: int | None = None, kept: int = 0
) -> Costs:
    weighed = economics(held, use.prompt_tokens, use.read, at_ms, alone)
    whole = use.prompt_tokens if alone is None else alone
    return held.send(use, weighed, alone=whole, alone_kept=kept, at_ms=at_ms)


def test_a_request_costs_what_its_tokens_cost_by_how_they_are_billed():
    costs = send(spending(), CacheUse(read=10_000, write_5m=2_000, write_1h=1_000, uncached=400))
    # 1,000 + 2,500 + 2,000 + 400 = 5,900 input tokens at $5 for a million.
    assert costs.now_usd == Decimal("0.0295")
    assert costs.basis == "estimated"


def test_what_is_to_come_is_read_again_each_time():
    costs = send(spending(), CacheUse(0, 10_000, 0, 0))
    # 12,500 now, and ten times 1,000.
    assert costs.expected_usd == Decimal("0.1125")
    assert costs.remaining_requests == 10.0


def test_left_alone_a_request_reads_what_the_one_before_wrote():
    held = spending()
    first = send(held, CacheUse(0, 10_000, 0, 0))
    assert first.alone_now_usd == first.now_usd == Decimal("0.0625")
    second = send(held, CacheUse(0, 4_000, 0, 0), alone=12_000, kept=10_000)
    # 1,000 for what is read, 2,500 for the new 2,000.
    assert second.alone_now_usd == Decimal("0.0175")
    assert second.now_usd == Decimal("0.025")


def test_left_alone_a_lapsed_cache_is_written_again():
    held = spending()
    send(held, CacheUse(0, 10_000, 0, 0))
    late = NOW + FIVE_MINUTES_MS + 1
    second = send(held, CacheUse(0, 4_000, 0, 0), late, alone=10_000, kept=10_000)
    assert second.alone_now_usd == Decimal("0.0625")


def test_with_an_hour_the_cache_left_alone_lives_for_an_hour():
    held = spending(caching="1h")
    send(held, CacheUse(0, 0, 10_000, 0))
    second = send(held, CacheUse(0, 0, 4_000, 0), NOW + HOUR_MS, alone=10_000, kept=10_000)
    assert second.alone_now_usd == Decimal("0.005")


def test_a_prompt_too_short_to_be_cached_costs_no_premium_left_alone():
    costs = send(spending(), CacheUse(0, 0, 0, 1_000))
    assert costs.alone_now_usd == costs.now_usd == Decimal("0.005")


def test_a_model_without_a_price_costs_none_and_is_weighed_all_the_same():
    held = spending("nobody-knows-this-model")
    costs = send(held, CacheUse(0, 10_000, 0, 0))
    assert costs.now_usd is costs.alone_now_usd is None
    assert costs.expected_usd is costs.alone_expected_usd is None
    assert costs.cache == CacheUse(0, 10_000, 0, 0)
    assert held.ratios(NOW, 1_000) == Ratios(0.1, 1.25)


def test_without_caching_all_tokens_cost_the_same():
    held = spending(caching=None)
    assert held.ratios(NOW, 1_000) == UNCACHED
    assert send(held, CacheUse(0, 0, 0, 10_000)).alone_now_usd == Decimal("0.05")


def test_the_cache_is_that_of_the_form():
    assert isinstance(spending().cache, PromptCache)
    assert isinstance(spending("gpt-5", form="openai").cache, AutomaticCache)
    assert spending("gpt-5", form="openai").ratios(NOW, 1_000) == Ratios(0.1, 1.0)


def test_what_was_spent_adds_up_over_requests():
    held = spending()
    send(held, CacheUse(0, 10_000, 0, 0))
    send(held, CacheUse(10_000, 2_000, 0, 0), alone=12_000, kept=10_000)
    weighed = economics(held, 12_000, 12_000, alone=12_000)
    # 12,500 and 3,500 so far; this one reads 12,000.
    assert weighed.spent == pytest.approx(12_500 + 3_500 + 1_200)
    assert weighed.alone == pytest.approx(12_500 + 3_500 + 1_200)


def test_what_was_billed_takes_the_place_of_what_was_expected():
    held = spending()
    send(held, CacheUse(0, 10_000, 0, 0))
    held.observe(CacheUse(0, 12_000, 0, 0), NOW)
    assert economics(held, 0, 0).spent == pytest.approx(15_000)
    held.observe(CacheUse(0, 20_000, 0, 0), NOW)
    assert economics(held, 0, 0).spent == pytest.approx(25_000)


def test_after_two_requests_that_read_nothing_no_caching_is_expected():
    held = spending()
    for _ in range(2):
        assert held.ratios(NOW, 1_000) == Ratios(0.1, 1.25)
        send(held, CacheUse(10_000, 1_000, 0, 0))
        held.observe(CacheUse(0, 0, 0, 11_000), NOW)
    assert held.ratios(NOW, 1_000) == UNCACHED
    send(held, CacheUse(10_000, 1_000, 0, 0))
    held.observe(CacheUse(10_000, 1_000, 0, 0), NOW)
    assert held.ratios(NOW, 1_000) == Ratios(0.1, 1.25)


def test_one_response_that_is_observed_twice_is_one_miss():
    held = spending()
    send(held, CacheUse(10_000, 1_000, 0, 0))
    for _ in range(3):
        held.observe(CacheUse(0, 0, 0, 11_000), NOW)
    assert held.ratios(NOW, 1_000) == Ratios(0.1, 1.25)
    send(held, CacheUse(10_000, 1_000, 0, 0))
    for _ in range(2):
        held.observe(CacheUse(0, 0, 0, 11_000), NOW)
    assert held.ratios(NOW, 1_000) == UNCACHED


def test_what_could_not_have_been_read_is_no_miss():
    held = spending()
    for _ in range(5):
        send(held, CacheUse(0, 11_000, 0, 0))
        held.observe(CacheUse(0, 11_000, 0, 0), NOW)
    assert held.ratios(NOW, 1_000) == Ratios(0.1, 1.25)


def test_the_expected_requests_are_those_after_this_one():
    held = Spending(
        OPUS, form="anthropic", caching="5m", prices=PriceBook(), remaining=UsualRemaining()
    )
    assert economics(held, 0, 0).remaining == UsualRemaining().expected(1)
    send(held, CacheUse(0, 10_000, 0, 0))
    assert economics(held, 0, 0).remaining == UsualRemaining().expected(2)


def test_what_summaries_cost_is_spent_as_well():
    held = spending()
    weighed = economics(held, 10_000, 0)
    weighed.charged = 777.0
    costs = held.send(CacheUse(0, 10_000, 0, 0), weighed, alone=10_000, alone_kept=0, at_ms=NOW)
    assert costs.now_usd == Decimal("0.0625")  # of the request itself
    assert economics(held, 0, 0).spent == pytest.approx(12_500 + 777)


@pytest.mark.parametrize("caching", [None, "5m", "1h"])
def test_a_provider_that_caches_by_itself_does_so_whatever_was_asked(caching: Caching | None):
    held = spending("gpt-5", caching=caching, form="openai")
    assert held.ratios(NOW, 1_000) == Ratios(0.1, 1.0)
    send(held, CacheUse(0, 0, 0, 10_000))
    late = NOW + FIVE_MINUTES_MS + 1
    weighed = economics(held, 10_000, 10_000, late)
    # 10,000 at first, and as many again: left alone it had lapsed.
    assert weighed.alone == pytest.approx(20_000)


def test_left_alone_no_more_is_read_than_was_sent():
    held = spending()
    send(held, CacheUse(0, 10_000, 0, 0))
    second = send(held, CacheUse(0, 4_000, 0, 0), alone=20_000, kept=15_000)
    # 1,000 for 10,000 that are read, and 12,500 for the rest.
    assert second.alone_now_usd == Decimal("0.0675")


def test_left_alone_no_more_is_read_than_is_unchanged():
    held = spending()
    send(held, CacheUse(0, 10_000, 0, 0))
    second = send(held, CacheUse(0, 4_000, 0, 0), alone=20_000, kept=6_000)
    assert second.alone_now_usd == Decimal("0.0905")  # 600 and 17,500


def test_left_alone_all_that_was_never_edited_is_read_again_each_time():
    costs = send(spending(), CacheUse(0, 10_000, 0, 0), alone=30_000)
    assert costs.expected_usd == Decimal("0.1125")  # 12,500 and ten times 1,000
    assert costs.alone_expected_usd == Decimal("0.3375")  # 37,500 and ten times 3,000


def test_a_request_for_what_was_cleared_would_not_be_made_left_alone():
    held = spending()
    send(held, CacheUse(0, 10_000, 0, 0))
    weighed = held.economics(
        tokens=11_000, readable=10_000, alone=10_000, alone_kept=10_000, at_ms=NOW, is_fetching=True
    )
    assert weighed.spent == pytest.approx(12_500 + 1_000 + 1_250)
    assert weighed.alone == pytest.approx(12_500)
    use = CacheUse(10_000, 1_000, 0, 0)
    costs = held.send(use, weighed, alone=10_000, alone_kept=10_000, at_ms=NOW, is_fetching=True)
    assert costs.alone_now_usd == 0
    assert costs.now_usd == Decimal("0.01125")
    later = economics(held, 0, 0, alone=10_000)
    assert later.alone == pytest.approx(12_500 + 12_500)  # nothing since, and this one unread


def test_the_lifetime_is_that_which_the_caller_writes_for():
    held = spending()
    send(held, CacheUse(0, 0, 10_000, 0))
    assert held.ratios(NOW, 1_000) == Ratios(0.1, 2.0)
    weighed = economics(held, 10_000, 10_000, NOW + HOUR_MS)
    # 2 x 10,000 to write it for an hour, in which it is read.
    assert weighed.alone == pytest.approx(20_000 + 1_000)
    send(held, CacheUse(10_000, 500, 0, 0))
    assert held.ratios(NOW, 1_000) == Ratios(0.1, 1.25)


def test_a_request_that_writes_nothing_tells_no_lifetime():
    held = spending(caching="1h")
    send(held, CacheUse(10_000, 0, 0, 0))
    assert held.ratios(NOW, 1_000) == Ratios(0.1, 2.0)
    uncached = spending(caching=None)
    send(uncached, CacheUse(0, 0, 0, 10_000))
    assert uncached.ratios(NOW, 1_000) == UNCACHED


@pytest.mark.parametrize(
    ("five", "hour", "write"), [(2_000, 1_999, 1.25), (2_000, 2_000, 1.25), (2_000, 2_001, 2.0)]
)
def test_of_two_lifetimes_that_counts_for_which_more_is_written(five: int, hour: int, write: float):
    held = spending()
    send(held, CacheUse(0, five, hour, 0))
    assert held.ratios(NOW, 1_000) == Ratios(0.1, write)


def test_a_long_prompt_costs_what_its_length_makes_it_cost():
    costs = send(spending(HAIKU), CacheUse(40_000, 100_000, 30_000, 30_000))
    # 4,000 + 125,000 + 60,000 + 30,000 = 219,000 tokens of a short prompt, five times as dear.
    assert costs.now_usd == Decimal("0.1095")
    # Ten times 0.1 x 200,000 x 5 more.
    assert costs.expected_usd == Decimal("0.2095")


def test_up_to_the_length_from_which_on_it_is_dearer_a_prompt_is_not():
    for tokens, usd in ((100_000, "0.0125"), (100_001, "0.062500625")):
        costs = send(spending(HAIKU), CacheUse(0, tokens, 0, 0))
        assert costs.now_usd == Decimal(usd)


def test_a_prompt_that_was_kept_short_is_cheaper_than_the_long_one_left_alone():
    held = spending(HAIKU)
    costs = send(held, CacheUse(0, 50_000, 0, 0), alone=200_000)
    assert costs.now_usd == Decimal("0.00625")
    assert costs.expected_usd == Decimal("0.01125")  # ten times 5,000 tokens more
    assert costs.alone_now_usd == Decimal("0.125")  # 250,000 x 5
    assert costs.alone_expected_usd == Decimal("0.225")  # ten times 20,000 x 5 more
    weighed = economics(held, 50_000, 0, alone=200_000)
    assert weighed.spent == pytest.approx(62_500 + 62_500)
    assert weighed.alone == pytest.approx(1_250_000 + 1_250_000)


def test_what_is_spent_on_a_long_prompt_is_told_in_tokens_of_a_short_one():
    held = spending(HAIKU)
    assert economics(held, 200_000, 100_000).spent == pytest.approx(5 * (10_000 + 125_000))
    send(held, CacheUse(0, 200_000, 0, 0))
    held.observe(CacheUse(200_000, 0, 0, 0), NOW)
    assert economics(held, 0, 0).spent == pytest.approx(5 * 20_000)


def test_a_model_that_costs_nothing_is_weighed_all_the_same():
    held = spending("<synthetic>")
    costs = send(held, CacheUse(0, 10_000, 0, 0))
    assert costs.now_usd == costs.alone_expected_usd == 0
    assert economics(held, 0, 0).spent == pytest.approx(12_500)
