"""The ledger beside the organisation's report."""

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from token_tracking.admin import (
    ClaudeCodeRow,
    CostRow,
    OrganizationReport,
    UsageRow,
    compare,
    unsettled_days,
    with_users,
)
from token_tracking.admin.comparison import DayModel, Reason, ledger_days
from token_tracking.store import Sums
from token_tracking.usage import Usage

OPUS = "claude-opus-4-6"
CENT = 10**10


def report(
    usage: list[UsageRow], cost: list[CostRow] | None = None, first: int = 0, end: int = 9
) -> OrganizationReport:
    return OrganizationReport(
        source="analytics", first_day=first, end_day=end, usage=usage, cost=cost
    )


def used(output: int, key: str = "a", model: str | None = OPUS, day: int = 1) -> UsageRow:
    return UsageRow(day=day, model=model, api_key=key, usage=Usage(output_tokens=output))


def paid(
    pico: int, list_pico: int | None = None, model: str | None = OPUS, day: int = 1
) -> CostRow:
    return CostRow(day=day, model=model, pico=pico, list_pico=list_pico)


def reason(ledger: Sums | None, usage: list[UsageRow], cost: list[CostRow]) -> Reason:
    own = {} if ledger is None else {(1, OPUS): ledger}
    (row,) = compare(own, report(usage, cost)).rows
    return row.reason


def test_a_day_is_compared_by_model() -> None:
    own = Sums(messages=1, output_tokens=10, cost_pico=3 * CENT)
    found = compare({(1, OPUS): own}, report([used(10), used(4, "b")], [paid(4 * CENT, 5 * CENT)]))
    assert found.rows == [
        DayModel(
            day=1,
            model=OPUS,
            ledger=own,
            organization=Usage(output_tokens=14),
            ledger_pico=3 * CENT,
            organization_pico=5 * CENT,
            paid_pico=4 * CENT,
            difference_tokens=4,
            reason="other_users",
        )
    ]
    assert (found.api_keys, found.problem) == (2, None)
    assert (found.ledger_pico, found.organization_pico, found.paid_pico) == (
        3 * CENT,
        5 * CENT,
        4 * CENT,
    )


def test_a_difference_has_a_reason() -> None:
    own = Sums(messages=2, output_tokens=10, cost_pico=5 * CENT)
    assert reason(own, [used(10)], [paid(5 * CENT + CENT - 1)]) == "agree"
    assert reason(own, [used(10)], [paid(5 * CENT + CENT)]) == "other_prices"
    assert reason(own, [used(10)], [paid(4 * CENT, 5 * CENT)]) == "agree"
    assert reason(own, [used(10)], []) == "agree"
    assert reason(own, [used(11)], []) == "other_machines"
    assert reason(own, [used(11), used(1, "b")], []) == "other_users"
    assert reason(own, [used(9)], []) == "not_in_report"
    assert reason(own, [], []) == "not_in_report"
    assert reason(None, [used(1)], []) == "not_in_ledger"
    assert reason(None, [], [paid(1)]) == "no_tokens"
    lower = Sums(messages=2, partial_messages=1, input_tokens=7, output_tokens=1)
    whole = UsageRow(day=1, model=OPUS, api_key=None, usage=Usage(input_tokens=7, output_tokens=30))
    assert reason(lower, [whole], []) == "partial_output"


def test_who_used_claude_code_tells_other_users_from_other_machines() -> None:
    own = {(1, OPUS): Sums(messages=1, output_tokens=1), (2, OPUS): Sums(messages=1)}
    usage = [used(3), used(4, "b"), used(5, model="claude-haiku-5-5")]
    found = compare(own, report(usage, []))
    assert unsettled_days(found) == {1}
    row = ClaudeCodeRow(day=1, model=OPUS, actor="sam", tokens=1, pico=1)
    others = replace(row, actor="kim")
    haiku = replace(row, model="claude-haiku-5-5")
    told = {
        each.model: (each.reason, each.claude_code_users)
        for each in with_users(found, [row, haiku]).rows
        if each.day == 1
    }
    assert told == {OPUS: ("other_machines", 1), "claude-haiku-5-5": ("not_in_ledger", 1)}
    assert with_users(found, [row, others]).rows[-1].reason == "other_users"
    assert with_users(found, []) == found


def test_money_that_is_not_known_is_none() -> None:
    own = Sums(messages=1, unpriced_messages=1, output_tokens=10)
    found = compare({(1, OPUS): own}, report([used(10)], None))
    assert found.rows[0].ledger_pico is None
    assert found.rows[0].organization_pico is None
    assert found.organization_pico is None
    assert found.paid_pico is None


def test_only_the_days_of_the_report_are_compared() -> None:
    own = {(day, OPUS): Sums(messages=1, output_tokens=1) for day in range(5)}
    found = compare(own, report([], [], first=1, end=3))
    assert [row.day for row in found.rows] == [2, 1]


def test_names_of_one_model_are_one_row() -> None:
    cells = [
        (96, "claude-haiku-4-5-20251001", Sums(messages=1, output_tokens=1)),
        (191, "claude-haiku-4-5", Sums(messages=1, output_tokens=2)),
        (192, "claude-haiku-4-5", Sums(messages=1, output_tokens=4)),
        (-1, "<synthetic>", Sums(messages=1)),
    ]
    days = ledger_days(cells)
    assert days == {
        (1, "claude-haiku-4-5"): Sums(messages=2, output_tokens=3),
        (2, "claude-haiku-4-5"): Sums(messages=1, output_tokens=4),
    }
    rows = [used(3, model="claude-haiku-4-5-20251001"), used(4, model="claude-haiku-4-5", day=2)]
    assert [row.reason for row in compare(days, report(rows, [])).rows] == ["agree", "agree"]


_DAYS = st.integers(0, 8)
_MODELS = st.sampled_from([OPUS, f"{OPUS}-20260101", "claude-haiku-5-5", None])
_COUNTS = st.integers(0, 10**6)
_USAGE = st.builds(
    UsageRow,
    day=_DAYS,
    model=_MODELS,
    api_key=st.sampled_from([None, "a", "b"]),
    usage=st.builds(Usage, input_tokens=_COUNTS, cache_read_tokens=_COUNTS, output_tokens=_COUNTS),
)
_COST = st.builds(CostRow, day=_DAYS, model=_MODELS, pico=_COUNTS, list_pico=st.none() | _COUNTS)
_OWN = st.builds(
    Sums,
    messages=st.integers(1, 3),
    partial_messages=st.integers(0, 1),
    unpriced_messages=st.integers(0, 1),
    output_tokens=_COUNTS,
    cost_pico=_COUNTS,
)


@given(
    cells=st.lists(st.tuples(st.integers(0, 9 * 96 - 1), st.just(OPUS), _OWN), max_size=5),
    usage=st.lists(_USAGE, max_size=5),
    cost=st.lists(_COST, max_size=5),
)
def test_nothing_is_lost_in_the_comparison(
    cells: list[tuple[int, str, Sums]], usage: list[UsageRow], cost: list[CostRow]
) -> None:
    found = compare(ledger_days(cells), report(usage, cost))
    there = sum(row.usage.total_tokens for row in usage)
    here = sum(sums.total_tokens for _, _, sums in cells)
    assert sum(row.difference_tokens for row in found.rows) == there - here
    assert found.paid_pico == sum(row.pico for row in cost)
    lists = [row.pico if row.list_pico is None else row.list_pico for row in cost]
    assert found.organization_pico == sum(lists)
    keys = [(row.day, row.model) for row in found.rows]
    assert len(keys) == len(set(keys))
    for row in found.rows:
        if row.reason == "agree":
            assert row.difference_tokens == 0
