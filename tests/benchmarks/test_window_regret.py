"""Regret in the replay: what is missed of what was cleared, where the answer is known."""

import pytest

from benchmarks.window_replay.contents import Contents
from benchmarks.window_replay.regret import Recognisable
from benchmarks.window_replay.replaying import FETCH_OUTPUT_TOKENS, Replay
from benchmarks.window_replay.subjects import Rule
from tests.benchmarks.window_conversations import (
    Message,
    asked,
    called,
    clearing,
    conversation,
    replayed,
    result,
    said,
)


def talk(used: str, second: str = "nothing of note") -> list[Message]:
    """A result, another one, and an answer that uses something."""
    return [
        asked("Look."),
        called(1, path="first"),
        result(1, "def load_orders(): return 48213"),
        called(2, path="second"),
        result(2, second),
        said(used),
    ]


async def test_a_name_that_only_a_cleared_result_held_is_missed_and_fetched_once() -> None:
    outcome, _ = await replayed(conversation(*talk("Use load_orders and 48213.")), clearing("t1"))

    assert (outcome.cleared, outcome.used_again) == (1, 1)
    assert outcome.bill.requests == 4


async def test_a_fetch_costs_its_call_its_request_and_its_tokens_once_more() -> None:
    messages = [*talk("Use load_orders."), asked("And now?"), said("Nothing.")]
    again, _ = await replayed(conversation(*messages), clearing("t1"))
    messages[5] = said("Use something.")
    never, _ = await replayed(conversation(*messages), clearing("t1"))

    placeholder = 1_000 - (never.bill.tokens - again.bill.tokens) % 1_000
    assert placeholder in range(1, 1_001)
    prompt = again.bill.largest - never.bill.largest
    assert prompt == 1_000 + FETCH_OUTPUT_TOKENS
    assert again.bill.requests - never.bill.requests == 1
    assert min(again.bill.pico[ttl] - never.bill.pico[ttl] for ttl in ("5m", "1h")) > 0


async def test_what_another_block_says_as_well_is_not_missed() -> None:
    both = talk("Use load_orders.", second="calls load_orders")

    outcome, _ = await replayed(conversation(*both), clearing("t1"))

    assert (outcome.cleared, outcome.used_again) == (1, 0)


async def test_what_was_fetched_is_there_in_later_requests() -> None:
    messages = [*talk("Use load_orders."), asked("And the number?"), said("It is 48213.")]

    outcome, _ = await replayed(conversation(*messages), clearing("t1"))

    assert outcome.used_again == 1
    assert outcome.laws == {}


async def test_plain_words_and_what_was_not_cleared_are_no_regret() -> None:
    outcome, _ = await replayed(conversation(*talk("Use return, then load_orders.")), clearing())
    plain, _ = await replayed(conversation(*talk("I return to this.")), clearing("t1"))

    assert (outcome.cleared, outcome.used_again) == (0, 0)
    assert (plain.cleared, plain.used_again) == (1, 0)


async def test_the_name_of_a_tool_stands_in_its_definition_and_is_never_missed() -> None:
    """All calls but the last are left out, and with them the name WebFetch."""
    messages = [*talk("x")[:5], called(3, path="third"), result(3, "three"), said("End.")]

    outcome, _ = await replayed(
        conversation(*messages), lambda all_: [all_[0], *all_[-2:]] if len(all_) > 3 else all_
    )

    assert outcome.cleared > 0
    assert outcome.used_again == 0


async def test_a_placeholder_that_still_says_the_name_spares_the_fetch() -> None:
    def edit(messages: list[Message]) -> list[Message]:
        blocks = [{**messages[2]["content"][0], "content": "[was load_orders]"}]
        return [*messages[:2], {**messages[2], "content": blocks}, *messages[3:]]

    long_talk = conversation(*talk("Use load_orders."))
    replay = Replay(
        long_talk,
        Contents(long_talk),
        Rule(lambda messages: edit(messages) if len(messages) > 3 else messages),
        200_000,
    )

    assert (await replay.run()).used_again == 0


@pytest.mark.parametrize(("words", "share"), [("load_orders", 1.0), ("only plain words", 0.0)])
def test_results_with_a_string_of_their_own_are_recognisable(words: str, share: float) -> None:
    found = Recognisable()
    some = conversation(asked("Look."), called(1), result(1, words), said("End."))

    found.add(some, Contents(some))

    assert found.share == share
