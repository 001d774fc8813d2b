"""Estimates for answers without a final count."""

from hypothesis import given

from benchmarks.partial import Figures
from tests.efficiency.attribution.conversations import RATES, conversations, message
from token_tracking.efficiency import Scale
from token_tracking.efficiency.attribution import Conversation, Entry, Message, attribute
from token_tracking.efficiency.partial import (
    ERROR_P95,
    PartialEstimate,
    partial_estimates,
    partial_facts,
)
from token_tracking.shares import Facts, quarter_of
from token_tracking.usage import SYNTHETIC_MODEL


def scale_of(model: str | None) -> Scale:
    """One token is 3.36 bytes."""
    return Scale(1.0)


def estimates(*messages: Message, entries: tuple[Entry, ...] = ()) -> list[PartialEstimate]:
    given = Conversation(messages=messages, entries=entries)
    return partial_estimates(given, attribute(given, scale_of), scale_of)


def partial(key: str = "m1", parent: str | None = None, **fields: object) -> Message:
    return message(key, parent, write=1_000, output=2, is_final=False, **fields)  # pyright: ignore[reportArgumentType]


def test_the_next_prompt_tells_what_an_answer_was() -> None:
    found = estimates(partial(visible_bytes=336), message("m2", "m1", read=1_000, write=900))
    assert found == [
        PartialEstimate(
            key="m1",
            at=1,
            tokens_more=898,
            pico_more=898 * RATES.output,
            method="growth",
            error_p95=ERROR_P95["growth"],
        )
    ]


def test_without_a_next_prompt_what_it_shows_tells() -> None:
    (found,) = estimates(partial(visible_bytes=336, thinking_bytes=672))
    assert (found.method, found.tokens_more) == ("visible", 298)
    assert found.pico_more == 298 * RATES.output


def test_a_tool_call_takes_more_than_its_arguments() -> None:
    calls = (Entry(key="t1", kind="tool", call="m1"), Entry(key="t2", kind="tool", call="m1"))
    (found,) = estimates(partial(visible_bytes=336), entries=calls)
    assert (found.method, found.tokens_more) == ("visible", 100 + 2 * 50 - 2)


def test_beside_a_large_result_what_it_shows_tells_better() -> None:
    result = Entry(key="t1", kind="tool", call="m1", after="m1", bytes=33_600)
    after = message("m2", "m1", read=1_000, write=11_000)
    (found,) = estimates(partial(visible_bytes=3_360), after, entries=(result,))
    assert (found.method, found.tokens_more) == ("visible", 1_000 + 50 - 2)


def test_beside_a_small_result_the_next_prompt_does() -> None:
    result = Entry(key="t1", kind="tool", call="m1", after="m1", bytes=336)
    after = message("m2", "m1", read=1_000, write=5_108)
    (found,) = estimates(partial(visible_bytes=3_360), after, entries=(result,))
    assert (found.method, found.tokens_more) == ("growth", 5_000 - 2)


def test_where_nothing_tells_there_is_no_figure() -> None:
    (found,) = estimates(partial())
    assert (found.method, found.tokens_more, found.pico_more) == ("none", None, None)
    assert found.error_p95 is None


def test_an_answer_is_at_least_what_was_recorded() -> None:
    (found,) = estimates(message("m1", write=1_000, output=500, is_final=False, visible_bytes=336))
    assert (found.tokens_more, found.pico_more) == (0, 0)


def test_without_a_price_there_are_tokens_alone() -> None:
    (found,) = estimates(partial(visible_bytes=336, rates=None))
    assert (found.tokens_more, found.pico_more) == (98, None)


def test_final_inherited_and_synthetic_answers_are_not_estimated() -> None:
    assert not estimates(
        message("m1", write=9, visible_bytes=336),
        partial("m2", is_own=False, visible_bytes=336),
        partial("m3", model=SYNTHETIC_MODEL, visible_bytes=336),
    )


def test_facts_add_up_by_quarter() -> None:
    late = 900_000
    found = estimates(
        partial("m1", visible_bytes=336),
        partial("m2", visible_bytes=672, at=late),
        partial("m3", at=late + 1),
    )
    assert partial_facts(found) == {
        0: Facts(partial_messages=1, partial_tokens=98, partial_pico=98 * RATES.output),
        1: Facts(partial_messages=1, partial_tokens=198, partial_pico=198 * RATES.output),
    }
    assert [each.method for each in found] == ["visible", "visible", "none"]


@given(given=conversations())
def test_each_partial_answer_has_one_estimate_that_only_adds(given: Conversation) -> None:
    found = partial_estimates(given, attribute(given))
    messages = {each.key: each for each in given.messages}
    partial = {
        each.key
        for each in given.messages
        if each.is_own and not each.is_final and each.model != SYNTHETIC_MODEL
    }
    assert sorted(each.key for each in found) == sorted(partial)
    for each in found:
        rates = messages[each.key].rates
        assert (each.tokens_more is None) == (each.method == "none")
        if each.tokens_more is None or rates is None:
            assert each.pico_more is None
        else:
            assert each.tokens_more >= 0
            assert each.pico_more == each.tokens_more * rates.output
    facts = partial_facts(found)
    told = [each for each in found if each.tokens_more is not None]
    assert set(facts) == {quarter_of(each.at) for each in told}
    assert sum(each.partial_messages for each in facts.values()) == len(told)
    assert sum(each.partial_tokens for each in facts.values()) == sum(
        each.tokens_more or 0 for each in found
    )


def test_the_benchmark_compares_what_it_hid() -> None:
    figures = Figures()
    figures.hide(
        Conversation(
            messages=[
                message("m1", write=1_000, output=800, visible_bytes=336),
                message("m2", "m1", read=1_000, write=900, output=50, visible_bytes=336),
                partial("m3", visible_bytes=336),
            ]
        )
    )
    assert figures.pairs == {"growth": [(900, 800)], "visible": [(112, 50)]}
