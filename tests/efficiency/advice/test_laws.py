"""Laws of findings, on any conversation."""

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.efficiency.attribution.conversations import conversations
from token_tracking.efficiency.advice import KINDS, SIGNED, advise, find_waste, summed
from token_tracking.efficiency.advice.kinds import FLOOR_PICO
from token_tracking.efficiency.attribution import Conversation, attribute

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
def test_no_finding_is_without_money_nor_above_what_the_session_paid(
    session: Conversation,
) -> None:
    attribution = attribute(session)
    findings = find_waste(session, attribution)
    paid = attribution.prompt_pico or 0
    together: dict[tuple[str, str], int] = {}
    for finding in findings:
        assert finding.kind in KINDS
        assert finding.pico != 0
        assert finding.kind in SIGNED or finding.pico > FLOOR_PICO
        assert finding.tokens >= 0
        assert finding.count >= 0
        group = finding.subject if finding.kind in SIGNED else ""
        together[finding.kind, group] = together.get((finding.kind, group), 0) + finding.pico
    assert all(pico <= paid for pico in together.values())


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
