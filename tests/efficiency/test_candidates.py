from decimal import Decimal

from hypothesis import given

from tests.efficiency.shares import shares
from tests.efficiency.test_groups import READ, SHOP, USD, costing
from token_tracking.efficiency.candidates import Waste, needs_optimization, top_performers
from token_tracking.efficiency.groups import Share, group_rows, total_shares
from token_tracking.shares import ShareLabel, ShareSums

BASE, USER = ShareLabel("base"), ShareLabel("user")
BASH = ShareLabel("tool", "Bash")


def sums(first: float, carry: float, plain: float) -> ShareSums:
    return ShareSums(
        prompt_tokens=1000,
        cost_pico=round((first + carry) * USD),
        first_pico=round(first * USD),
        no_cache_pico=round(plain * USD),
    )


def test_what_is_carried_for_much_of_the_money_is_worth_a_look() -> None:
    shares: list[Share] = [
        (SHOP, READ, sums(first=10, carry=30, plain=80)),
        (SHOP, USER, sums(first=10, carry=46, plain=112)),
        (SHOP, BASH, sums(first=0, carry=4, plain=8)),
    ]
    rows, total = group_rows("category", shares), total_shares(shares)
    (found,) = needs_optimization(rows, total)
    assert (found.row.label, found.at_stake_usd) == ("Read", Decimal(30))
    assert found.threshold == "carrying is at least 5% of the prompts' cost"
    assert found.reason == (
        "Sending it again with later requests took 30% of what all prompts cost; when it entered,"
        " 10%."
    )


def test_the_base_of_the_prompt_is_worth_a_look_with_a_word_of_caution() -> None:
    shares: list[Share] = [(SHOP, BASE, sums(first=10, carry=30, plain=80))]
    (found,) = needs_optimization(group_rows("category", shares), total_shares(shares))
    assert "Part of it is needed" in found.reason


def test_what_caching_saved_far_less_on_is_worth_what_it_cost_beyond_the_mean() -> None:
    shares: list[Share] = [
        (SHOP, USER, sums(first=6, carry=10, plain=80)),
        (SHOP, BASH, sums(first=24, carry=0, plain=20)),
    ]
    rows, total = group_rows("category", shares), total_shares(shares)
    (found,) = needs_optimization(rows, total)
    # All prompts: 40 of 100 USD. At that rate 20 USD uncached are 8.
    assert (found.row.label, found.at_stake_usd) == ("Bash", Decimal(16))
    assert found.reason.startswith(
        "Caching saved -20% of its uncached cost, and 60% of that of all"
    )
    assert found.threshold == "20 points below all prompts, at 1% of their cost or more"


def test_what_was_loaded_again_is_worth_what_the_copies_cost() -> None:
    shares: list[Share] = [(SHOP, READ, sums(1, 0, 1)), (SHOP, USER, sums(99, 0, 99))]
    total = total_shares(shares)
    (row,) = [row for row in group_rows("path", shares) if not row.is_rest]
    found = needs_optimization([], total, [Waste(row=row, count=3, waste_usd=Decimal("0.4"))])
    assert [(each.row, each.at_stake_usd) for each in found] == [(row, Decimal("0.4"))]
    assert found[0].reason.startswith("Loaded again 3 times, unchanged")
    assert needs_optimization([], total, [Waste(row=row, count=1, waste_usd=Decimal("0.09"))]) == []


def test_a_clean_period_has_nothing_to_look_at() -> None:
    assert needs_optimization([], ShareSums()) == []
    shares: list[Share] = [(SHOP, USER, costing(1, 2)), (SHOP, BASH, ShareSums(prompt_tokens=9))]
    assert needs_optimization(group_rows("category", shares), total_shares(shares)) == []


def test_the_best_are_those_of_which_caching_saved_the_most() -> None:
    shares: list[Share] = [
        (SHOP, READ, sums(1, 1, 4)),
        (SHOP, USER, sums(20, 20, 400)),
        (SHOP, BASH, sums(3, 0, 2)),
        (SHOP, BASE, sums(0.2, 0.2, 40)),
    ]
    rows = group_rows("category", shares)
    assert [row.label for row in top_performers(rows)] == ["Your messages", "Read"]
    assert [row.label for row in top_performers(rows, 1)] == ["Your messages"]


@given(shares)
def test_nothing_is_worth_more_than_it_cost(rows: list[Share]) -> None:
    # A real item costs no less than when it entered.
    real = [
        (project, label, sums) for project, label, sums in rows if sums.first_pico <= sums.cost_pico
    ]
    groups, total = group_rows("category", real), total_shares(real)
    for found in needs_optimization(groups, total):
        assert found.row.cost_usd is not None
        assert 0 < found.at_stake_usd <= found.row.cost_usd
