from decimal import Decimal

from tests.efficiency.ledger import USD, sums
from tests.efficiency.test_groups import READ, SHOP, costing
from token_tracking.efficiency import EfficiencyEngine
from token_tracking.efficiency.overall import cache_health, overall
from token_tracking.efficiency.reconcile import reconciled
from token_tracking.efficiency.snapshot import CacheHealth
from token_tracking.shares import Facts, ShareSums
from token_tracking.store import Sums

FACTS = Facts(
    requests=10, hit_requests=9, unread_write_tokens=100, unread_write_pico=USD // 4, lapses=2,
    lapse_tokens=50_000, lapse_pico=USD // 2, switches=1, switch_tokens=9, switch_pico=USD // 8,
    unseen_writes=1, unseen_write_tokens=700, unseen_write_pico=USD // 10, partial_messages=3,
    partial_tokens=400, partial_pico=USD // 100,
)  # fmt: skip


def test_a_period_in_one_line() -> None:
    ledger = sums(10, cost=5, partial_messages=3, cache_write_5m_tokens=7)
    found = overall(ledger, FACTS, costing(4, prompt_tokens=10_000), sessions=2)
    assert (found.sessions, found.messages, found.requests) == (2, 10, 10)
    assert (found.cost_usd, found.prompt_cost_usd) == (Decimal(5), Decimal(4))
    assert (found.prompt_tokens, found.unattributed_tokens) == (10_007, 7)
    assert (found.partial_messages, found.partial_output_tokens) == (3, 400)
    assert found.partial_output_usd == Decimal("0.01")
    assert [each.baseline for each in found.baselines] == ["no_cache"]


def test_what_nothing_tells_is_none_and_not_nothing() -> None:
    ledger = Sums(messages=2, unpriced_messages=2, partial_messages=1, input_tokens=5)
    found = overall(ledger, Facts(), ShareSums(prompt_tokens=5), sessions=1)
    assert (found.cost_usd, found.prompt_cost_usd) == (None, None)
    assert (found.partial_output_tokens, found.partial_output_usd) == (None, None)


def test_what_caching_did() -> None:
    ledger = sums(10, cost=5, plain=9, cache_write_5m_tokens=7, write_premium_pico=USD)
    assert cache_health(ledger, FACTS) == CacheHealth(
        read_tokens=5000, write_tokens=7, hit_rate_tokens=5000 / 10_007, hit_rate_requests=0.9,
        unread_write_tokens=100, unread_write_usd=Decimal("0.25"), lapses=2, lapse_tokens=50_000,
        lapse_usd=Decimal("0.5"), switches=1, switch_usd=Decimal("0.125"),
        unseen_write_tokens=700, unseen_write_usd=Decimal("0.1"), net_savings_usd=Decimal("3.9"),
        write_premium_usd=Decimal(1),
    )  # fmt: skip
    empty = cache_health(Sums(), Facts())
    assert (empty.hit_rate_requests, empty.unread_write_usd, empty.net_savings_usd) == (None,) * 3


def test_a_snapshot_has_the_parts_of_a_period() -> None:
    found = EfficiencyEngine().generate_snapshot(
        "7d", 5, None, sums=sums(2), facts=FACTS, shares=[(SHOP, READ, costing(1, 3))], sessions=1,
        reconciliation=reconciled(FACTS, 1),
    )  # fmt: skip
    assert (found.period, found.start, found.end, found.trend) == ("7d", 5, None, None)
    assert [row.label for row in found.by_category] == ["Read"]
    assert [row.label for row in found.top_performers] == ["Read"]
    assert found.overall.sessions == 1
    assert found.reconciliation.sessions_without_total == 1


def test_the_engine_groups_and_ranks() -> None:
    engine, shares = EfficiencyEngine(), [(SHOP, READ, costing(1, 3))]
    assert [row.category for row in engine.group_by_category(shares)] == ["Read"]
    assert [row.name for row in engine.get_top_resources(shares, "efficiency", 5)] == ["Read"]
    assert engine.calculate_trend("all", "month", []).points == []
    assert engine.error_p95([]) is None
