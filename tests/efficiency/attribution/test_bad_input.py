"""Sessions as broken as files can be: what is attributed adds up, or says why it cannot be."""

import pytest

from tests.efficiency.attribution.conversations import message
from token_tracking.attributing import session_shares
from token_tracking.efficiency.attribution import (
    Attribution,
    Conversation,
    Entry,
    Message,
    NotAttributableError,
    attribute,
    prompt_pico,
)
from token_tracking.efficiency.attribution import positions as row
from token_tracking.shares import QUARTER_MS, ShareSums
from token_tracking.usage import MAX_COUNT, MAX_TIMESTAMP

SECOND = 1_000


def checked(messages: list[Message], entries: list[Entry] | None = None) -> Attribution:
    """Attributed; it adds up, by item, and by label and quarter."""
    found = attribute(Conversation(messages=messages, entries=entries or []))
    own = [each for each in messages if each.is_own]
    tokens = sum(each.usage.prompt_tokens for each in own)
    pico = sum(prompt_pico(each.usage, each.rates) for each in own if each.rates is not None)
    assert sum(item.prompt_tokens for item in found.items) == found.prompt_tokens == tokens
    assert sum(item.cost_pico or 0 for item in found.items) == (found.prompt_pico or 0) == pico
    sums = sum(session_shares("s", found).sums.values(), ShareSums())
    assert (sums.prompt_tokens, sums.cost_pico) == (tokens, pico)
    return found


def results(count: int) -> list[Entry]:
    """A result after each message."""
    return [
        Entry(key=f"t{each}", kind="tool", bytes=300, after=f"m{each}", call=f"m{each}")
        for each in range(count)
    ]


def chain(count: int, *, step: int = SECOND, **usage: int) -> list[Message]:
    """Messages that read all but what entered since, unless `usage` says what they have."""
    return [
        message(
            f"m{each}",
            f"m{each - 1}" if each else None,
            at=each * step,
            **(usage or {"read": 1000 + 120 * each, "write": 118, "fresh": 2}),
        )
        for each in range(count)
    ]


def test_a_missing_parent_begins_a_conversation() -> None:
    found = checked([message("m1", "gone", write=1000), message("m2", "m1", read=1000, write=50)])
    assert [item.id for item in found.items if item.kind == "base"] == ["base"]


def test_a_message_that_is_its_own_parent_begins_a_conversation() -> None:
    assert checked([message("m1", "m1", write=1000)]).findings.cycles == 0


@pytest.mark.parametrize("size", [2, 3, 1000])
def test_a_cycle_is_broken_once(size: int) -> None:
    messages = [message(f"m{each}", f"m{(each + 1) % size}", write=1000) for each in range(size)]
    assert checked(messages).findings.cycles == 1


def test_two_roots_are_two_conversations() -> None:
    assert checked([message("m1", write=1000), message("m2", write=700)]).prompt_tokens == 1700


def test_time_that_runs_backwards_changes_no_sum() -> None:
    forwards, backwards = chain(50), chain(50, step=-QUARTER_MS)
    shifted = [message_at(each, MAX_TIMESTAMP + each.at) for each in backwards]
    entries = results(50)
    there, back = checked(forwards, entries), checked(shifted, entries)
    assert (there.prompt_tokens, there.prompt_pico) == (back.prompt_tokens, back.prompt_pico)


def test_a_clock_that_jumps_to_and_fro_adds_up() -> None:
    messages = [
        message_at(each, index % 3 * 10**12) for index, each in enumerate(chain(100, step=0))
    ]
    found = checked(messages, results(100))
    assert {quarter for quarter, _ in found.sums} == {
        0,
        10**12 // QUARTER_MS,
        2 * 10**12 // QUARTER_MS,
    }


def test_a_request_as_large_as_none_can_be_adds_up() -> None:
    checked(
        [
            message("m1", write=MAX_COUNT, hour=MAX_COUNT, output=MAX_COUNT),
            message("m2", "m1", read=MAX_COUNT, fresh=MAX_COUNT),
            message("m3", "m2", read=1),
        ],
        results(3),
    )


def test_messages_without_tokens_have_no_items() -> None:
    found = checked([message("m1", output=0), message("m2", "m1", output=0)])
    assert (found.items, found.facts, found.sums) == ([], {}, {})


def test_a_session_of_one_message_is_its_base() -> None:
    (item,) = checked([message("m1", write=1000, fresh=5)]).items
    assert (item.id, item.tokens, item.requests, item.entered_with) == ("base", 1005, 1, "m1")


def test_a_session_of_nothing_but_inherited_messages_paid_nothing() -> None:
    found = checked([message("m1", write=1000, is_own=False)])
    assert (found.items, found.prompt_tokens, found.prompt_pico) == ([], 0, 0)


def test_a_row_that_would_take_hours_is_said_to_be_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(row, "_MOST_WORK", 1000)
    messages = [
        message(f"m{each}", f"m{each - 1}" if each else None, at=each % 2 * QUARTER_MS,
                read=10, write=1000 + 120 * each)
        for each in range(300)
    ]  # fmt: skip
    with pytest.raises(NotAttributableError, match="to and fro in time"):
        checked(messages, results(300))


def message_at(given: Message, at: int) -> Message:
    """The same message at another time."""
    return message(given.key, given.parent, at=at, usage=given.usage)


@pytest.mark.slow
@pytest.mark.parametrize("step", [0, SECOND, 60 * SECOND])
def test_a_session_of_a_hundred_thousand_messages_adds_up(step: int) -> None:
    checked(chain(100_000, step=step), results(100_000))


@pytest.mark.slow
def test_a_hundred_thousand_requests_that_read_half_of_their_prompts_add_up() -> None:
    messages = [
        message(f"m{each}", f"m{each - 1}" if each else None, at=each * SECOND,
                read=500 + 60 * each, write=500 + 60 * each)
        for each in range(100_000)
    ]  # fmt: skip
    checked(messages, results(100_000))


@pytest.mark.slow
def test_a_hundred_thousand_messages_that_hang_on_one_add_up() -> None:
    root = message("m0", write=1000)
    others = [message(f"m{each}", "m0", read=1000, write=110) for each in range(1, 100_000)]
    checked([root, *others], results(10))
