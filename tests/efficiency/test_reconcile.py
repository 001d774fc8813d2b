"""The ledger against the client's own totals."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from tests.efficiency.attribution.conversations import RATES, message
from token_tracking.efficiency.attribution import Conversation, attribute
from token_tracking.efficiency.reconcile import (
    client_facts,
    reconcile_session,
    reconciled,
    reconciled_session,
    unseen_calls_pico,
)
from token_tracking.efficiency.reconciliation import ModelReconciliation
from token_tracking.reading import ClientTotal
from token_tracking.shares import Facts
from token_tracking.store import Sums

OPUS = "claude-opus-4-6"
HAIKU = "claude-haiku-5-5"
WHY = "earlier versions wrote none, nor do sessions that were cut off"


def total(model: str = OPUS, pico: int = 0, **counts: int) -> ClientTotal:
    return ClientTotal(session_id="s", model=model, cost_pico=pico, **counts)


def test_what_the_client_has_more_is_taken_apart() -> None:
    found = reconcile_session(
        {OPUS: Sums(messages=3, input_tokens=30, output_tokens=500, cost_pico=700_000_000_000)},
        [
            total(pico=1_000_000_000_000, input_tokens=30, output_tokens=900),
            total(HAIKU, 20_000_000_000, input_tokens=4_000, output_tokens=60),
        ],
        partial_pico=150_000_000_000,
        unseen_pico=50_000_000_000,
    )
    assert found is not None
    assert (found.client_pico, found.ledger_pico) == (1_020_000_000_000, 700_000_000_000)
    assert (found.difference_pico, found.client_only_pico) == (320_000_000_000, 20_000_000_000)
    assert found.unexplained_pico == 100_000_000_000
    assert found.models == (
        ModelReconciliation(
            model=HAIKU,
            client_pico=20_000_000_000,
            ledger_pico=None,
            input_tokens_more=4_000,
            output_tokens_more=60,
            cache_read_tokens_more=0,
            cache_write_tokens_more=0,
        ),
        ModelReconciliation(
            model=OPUS,
            client_pico=1_000_000_000_000,
            ledger_pico=700_000_000_000,
            input_tokens_more=0,
            output_tokens_more=400,
            cache_read_tokens_more=0,
            cache_write_tokens_more=0,
        ),
    )
    assert found.reasons == (
        "claude-haiku-5-5: only the client knows of it (background calls).",
        "claude-opus-4-6: the client counts 400 more output tokens.",
        (
            "The client has $0.10 more than is explained: background calls that left no trace, or"
            " transcripts that were deleted before they were read."
        ),
    )
    assert found.facts() == Facts(
        client_sessions=1,
        client_pico=1_020_000_000_000,
        client_ledger_pico=700_000_000_000,
        client_partial_pico=150_000_000_000,
        client_unseen_pico=70_000_000_000,
    )


def test_a_session_without_a_total_is_not_compared() -> None:
    assert reconcile_session({OPUS: Sums(messages=1, cost_pico=5)}, []) is None


def test_one_model_has_many_names() -> None:
    ledger = {"claude-opus-5-5": Sums(messages=1, cost_pico=30), "claude-opus-5-5-20260901": Sums(
        messages=1, cost_pico=12)}  # fmt: skip
    found = reconcile_session(ledger, [total("claude-opus-5-5[1m]", 42)])
    assert found is not None
    assert [each.model for each in found.models] == ["claude-opus-5-5"]
    assert (found.ledger_pico, found.client_only_pico, found.unexplained_pico) == (42, 0, 0)
    assert found.reasons == ()


def test_other_prices_are_told_from_other_tokens() -> None:
    ledger = {OPUS: Sums(messages=2, output_tokens=100, cost_pico=50_000_000_000)}
    same = reconcile_session(ledger, [total(pico=80_000_000_000, output_tokens=100)])
    other = reconcile_session(ledger, [total(pico=80_000_000_000, output_tokens=101)])
    assert same is not None
    assert other is not None
    prices = "claude-opus-4-6: the tokens agree, and the client reckoned with other prices."
    assert prices in same.reasons
    assert prices not in other.reasons
    assert same.unexplained_pico == other.unexplained_pico == 30_000_000_000


def test_a_total_that_is_smaller_than_the_ledger_is_said_to_be() -> None:
    ledger = {OPUS: Sums(messages=2, cost_pico=50_000_000_000), HAIKU: Sums(messages=1)}
    found = reconcile_session(ledger, [total(pico=20_000_000_000, input_tokens=1)])
    assert found is not None
    assert found.unexplained_pico == -30_000_000_000
    assert found.reasons == (
        "claude-haiku-5-5: only the ledger knows of it; the client's total came before.",
        "claude-opus-4-6: the client counts 1 more input tokens.",
        (
            "The ledger has $0.03 more than the client: sessions that went on after their last"
            " total, totals that began anew, or estimates that are too high."
        ),
    )


def test_messages_without_a_price_and_inherited_ones_are_reasons_and_no_figures() -> None:
    ledger = {OPUS: Sums(messages=2, unpriced_messages=1, cost_pico=7)}
    found = reconcile_session(ledger, [total(pico=7)], inherited_messages=1_200)
    assert found is not None
    assert (found.unpriced_messages, found.unexplained_pico) == (1, 0)
    assert found.reasons == (
        "1 message has no price here, and the client had one.",
        (
            "The session begins with a copy of another's messages (1,200), which count there: the"
            " client may have gone on from that session's total."
        ),
    )


def test_every_kind_of_token_that_differs_is_named() -> None:
    ledger = {OPUS: Sums(messages=1, input_tokens=5, cache_read_tokens=1, cost_pico=9)}
    there = total(pico=9, input_tokens=3, cache_read_tokens=1, cache_write_tokens=2_000)
    found = reconcile_session(ledger, [there])
    assert found is not None
    assert found.reasons == (
        "claude-opus-4-6: the client counts 2 fewer input tokens, 2,000 more cache write tokens.",
    )


def test_what_an_unseen_call_wrote_is_the_least_that_it_cost() -> None:
    given = Conversation(
        messages=[message("m1", write=1_000), message("m2", "m1", read=1_300, write=50)]
    )
    attribution = attribute(given)
    assert unseen_calls_pico(given, attribution) == 300 * RATES.cache_write_5m
    facts = client_facts({OPUS: Sums(messages=2, cost_pico=7)}, [total(pico=10)], given,
                         attribution, [])  # fmt: skip
    assert facts == Facts(
        client_sessions=1,
        client_pico=10,
        client_ledger_pico=7,
        client_unseen_pico=300 * RATES.cache_write_5m,
    )
    assert client_facts({}, [], given, attribution, []) == Facts()


def test_a_session_is_told_from_its_facts_with_each_part_once() -> None:
    ledger = {OPUS: Sums(messages=2, cost_pico=500_000_000_000)}
    totals = [total(pico=600_000_000_000), total(HAIKU, 40_000_000_000)]
    told = reconcile_session(ledger, totals, 30_000_000_000, 20_000_000_000)
    assert told is not None
    found = reconciled_session(ledger, totals, told.facts(), 3)
    assert (found.sessions, found.sessions_without_total) == (1, 0)
    assert found.partial_output_usd == Decimal("0.03")
    assert found.unseen_calls_usd == Decimal("0.06")
    assert found.unexplained_usd == Decimal("0.05")
    assert found.reasons[0] == "claude-haiku-5-5: only the client knows of it (background calls)."
    assert found.reasons[-1].startswith("The client has $0.05 more than is explained:")
    assert len(found.reasons) == 4
    assert reconciled_session(ledger, [], Facts()).sessions_without_total == 1


def test_synthetic_messages_are_no_model() -> None:
    found = reconcile_session({"<synthetic>": Sums(messages=1)}, [total(pico=1)])
    assert found is not None
    assert [each.model for each in found.models] == [OPUS]


def test_a_period_adds_up_its_sessions() -> None:
    facts = Facts(
        client_sessions=2,
        client_pico=1_000_000_000_000,
        client_ledger_pico=800_000_000_000,
        client_partial_pico=10_000_000_000,
        client_unseen_pico=40_000_000_000,
    )
    found = reconciled(facts, 1)
    assert (found.sessions, found.sessions_without_total) == (2, 1)
    assert found.client_usd == Decimal(1)
    assert found.ledger_usd == Decimal("0.8")
    assert found.difference_usd == Decimal("0.2")
    assert found.partial_output_usd == Decimal("0.01")
    assert found.unseen_calls_usd == Decimal("0.04")
    assert found.unexplained_usd == Decimal("0.15")
    assert found.reasons == [
        (
            "The client has $0.15 more than is explained (15.0% of its total): background calls"
            " that left no trace, or transcripts that were deleted before they were read."
        ),
        f"1 session has no total of the client's: {WHY}.",
    ]


def test_a_period_without_totals_has_no_figures() -> None:
    found = reconciled(Facts(), 12)
    assert (found.sessions, found.client_usd, found.unexplained_usd) == (0, None, None)
    assert found.reasons == [f"12 sessions have no total of the client's: {WHY}."]


_MODELS = st.sampled_from([OPUS, HAIKU, f"{OPUS}[1m]", "<synthetic>", "", "gpt-9", "nobody's"])
_COUNTS = st.integers(0, 10**6)
_PICO = st.integers(0, 10**14)
_LEDGERS = st.dictionaries(
    _MODELS,
    st.builds(
        Sums,
        messages=st.integers(0, 3),
        unpriced_messages=st.integers(0, 3),
        input_tokens=_COUNTS,
        output_tokens=_COUNTS,
        cache_read_tokens=_COUNTS,
        cache_write_1h_tokens=_COUNTS,
        cost_pico=_PICO,
    ),
)
_TOTALS = st.lists(
    st.builds(
        ClientTotal,
        session_id=st.just("s"),
        model=_MODELS,
        input_tokens=_COUNTS,
        output_tokens=_COUNTS,
        cache_read_tokens=_COUNTS,
        cache_write_tokens=_COUNTS,
        cost_pico=_PICO,
    ),
    max_size=4,
)


@given(ledger=_LEDGERS, totals=_TOTALS, partial=_PICO, unseen=_PICO)
def test_the_parts_are_the_clients_total_exactly(
    ledger: dict[str, Sums], totals: list[ClientTotal], partial: int, unseen: int
) -> None:
    found = reconcile_session(ledger, totals, partial, unseen)
    if found is None:
        assert not totals
        return
    parts = found.ledger_pico + found.partial_pico + found.unseen_pico
    parts += found.client_only_pico + found.unexplained_pico
    assert parts == found.client_pico == sum(each.cost_pico for each in totals)
    own = [sums for model, sums in ledger.items() if model != "<synthetic>" and sums.messages]
    assert found.ledger_pico == sum(sums.cost_pico for sums in own)
    period = reconciled(found.facts(), 0)
    assert period.client_usd is not None
    assert period.ledger_usd is not None
    assert period.partial_output_usd is not None
    assert period.unseen_calls_usd is not None
    assert period.unexplained_usd is not None
    assert period.client_usd == sum(
        (
            period.ledger_usd,
            period.partial_output_usd,
            period.unseen_calls_usd,
            period.unexplained_usd,
        )
    )
