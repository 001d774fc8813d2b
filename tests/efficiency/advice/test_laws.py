"""Laws of findings, on any conversation."""

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.efficiency.attribution.conversations import conversations
from token_tracking.efficiency.advice import KINDS, SIGNED, advise, find_waste, summed
from token_tracking.efficiency.advice.carriage import Carriage, scaled
from token_tracking.efficiency.advice.kinds import CALLED, FLOOR_PICO
from token_tracking.efficiency.attribution import Conversation, attribute, prompt_pico
from token_tracking.shares import QUARTER_MS

_NAMES = st.sampled_from(["Read", "Edit", "Bash", "Skill", "skill_listing", None])


@st.composite
def _sessions(draw: st.DrawFn) -> Conversation:
    """Conversations with breaks, and with tools that findings are about."""
    conversation = draw(conversations())
    pace = draw(st.sampled_from([1, 100_000, 1_000_000]))
    return replace(
        conversation,
        messages=[replace(each, at=each.at * pace) for each in conversation.messages],
        entries=[
            replace(each, name=draw(_NAMES), bytes=None if each.bytes is None else 300)
            for each in conversation.entries
        ],
    )


@settings(max_examples=150, deadline=None)
@given(_sessions())
def test_no_kind_is_without_money_nor_above_what_the_session_paid(
    session: Conversation,
) -> None:
    attribution = attribute(session)
    findings = find_waste(session, attribution)
    paid = attribution.prompt_pico or 0
    together: dict[str, int] = {}
    subjects: dict[tuple[str, str], int] = {}
    for finding in findings:
        assert finding.kind in (*KINDS, CALLED)
        assert finding.tokens >= 0
        assert finding.count >= 0
        key = (finding.kind, finding.subject)
        subjects[key] = subjects.get(key, 0) + finding.pico
        together[finding.kind] = together.get(finding.kind, 0) + finding.pico
    for (kind, _), pico in subjects.items():
        assert pico <= paid
        assert kind in SIGNED or (pico > FLOOR_PICO) == (kind != CALLED)
    assert all(pico <= paid for kind, pico in together.items() if kind not in SIGNED)


@settings(max_examples=200, deadline=None)
@given(_sessions())
def test_the_money_of_a_quarter_was_spent_in_it(session: Conversation) -> None:
    paid: dict[int, int] = {}
    for message in session.messages:
        if message.is_own and message.rates is not None:
            quarter = message.at // QUARTER_MS
            paid[quarter] = paid.get(quarter, 0) + prompt_pico(message.usage, message.rates)
    found: dict[tuple[str, int], int] = {}
    seen: set[tuple[str, str, int]] = set()
    for finding in find_waste(session, attribute(session)):
        quarter = finding.at // QUARTER_MS
        assert (finding.kind, finding.subject, quarter) not in seen
        seen.add((finding.kind, finding.subject, quarter))
        if finding.kind not in SIGNED:
            assert finding.pico >= 0
            key = (finding.kind, quarter)
            found[key] = found.get(key, 0) + finding.pico
    for (_, quarter), pico in found.items():
        assert pico <= paid.get(quarter, 0)


@settings(max_examples=200, deadline=None)
@given(_sessions())
def test_the_quarters_of_an_item_make_up_its_cost(session: Conversation) -> None:
    attribution = attribute(session)
    carriage = Carriage(session, attribution)
    quarters: dict[int, int] = {}
    for item in attribution.items:
        parts = carriage.parts(item)
        assert sum(part.pico for part in parts) == (item.cost_pico or 0)
        if parts:
            assert sum(part.tokens for part in parts) == item.prompt_tokens
            assert parts[0].at // QUARTER_MS == (item.entered_at or 0) // QUARTER_MS
        for part in parts:
            assert 0 <= part.carry <= part.pico
            quarter = part.at // QUARTER_MS
            quarters[quarter] = quarters.get(quarter, 0) + part.pico
        later = carriage.after_turn(item)
        assert sum(part.pico for part in later) <= sum(part.carry for part in parts)
        assert sum(part.tokens for part in later) <= item.prompt_tokens
    sums: dict[int, int] = {}
    for (quarter, _), each in attribution.sums.items():
        sums[quarter] = sums.get(quarter, 0) + each.cost_pico
    assert {key: pico for key, pico in quarters.items() if pico} == {
        key: pico for key, pico in sums.items() if pico
    }


@given(st.lists(st.integers(0, 10**15)), st.integers(1, 9))
def test_equal_parts_make_up_the_whole_in_each_quarter(values: list[int], parts: int) -> None:
    shares = [scaled(values, 1, parts, phase) for phase in range(parts)]
    assert [sum(each) for each in zip(*shares, strict=True)] == values
    assert all(each >= 0 for share in shares for each in share)


@settings(max_examples=60, deadline=None)
@given(_sessions())
def test_the_same_session_has_the_same_findings_in_any_order(session: Conversation) -> None:
    turned = replace(
        session, messages=list(session.messages)[::-1], entries=list(session.entries)[::-1]
    )
    assert find_waste(session, attribute(session)) == find_waste(turned, attribute(turned))


@settings(max_examples=60, deadline=None)
@given(_sessions())
def test_advice_is_sorted_and_all_of_it_is_worth_money(session: Conversation) -> None:
    advice = advise(summed("s", find_waste(session, attribute(session))))
    money = [each.at_stake_usd for each in advice]
    assert money == sorted(money, reverse=True)
    assert all(usd >= 0 for usd in money)
    assert len({(each.kind, each.subject) for each in advice}) == len(advice)
