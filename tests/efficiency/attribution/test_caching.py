"""What became of what was written to the cache, in conversations as clients have them.

Prices a token, in pico-USD: input 5,000,000, read 500,000, written for five minutes 6,250,000, for
an hour 10,000,000.
"""

from collections.abc import Sequence

from tests.efficiency.attribution.conversations import CHEAP, message
from token_tracking.efficiency.attribution import Conversation, Entry, Message, Removal, attribute
from token_tracking.shares import QUARTER_MS, Facts

MINUTE = 60_000
PREMIUM = 1_250_000
"""Of a token written for five minutes, above plain input."""
PREMIUM_HOUR = 5_000_000
AGAIN = 5_750_000
"""Of a token written for five minutes, above reading it."""


def facts(messages: Sequence[Message], **given: Sequence[Entry] | Sequence[Removal]) -> Facts:
    found = attribute(Conversation(messages=messages, **given))  # pyright: ignore[reportArgumentType]
    return sum(found.facts.values(), Facts())


def test_what_the_next_request_reads_was_written_for_a_use_and_the_last_write_was_not() -> None:
    found = facts([message("m1", write=1000), message("m2", "m1", read=1000, write=100)])
    assert found == Facts(
        requests=2, hit_requests=1, unread_write_tokens=100, unread_write_pico=100 * PREMIUM
    )


def test_what_the_next_request_does_not_read_of_a_write_is_unread() -> None:
    found = facts(
        [
            message("m1", hour=600, write=400),
            message("m2", "m1", read=500, write=600),
            message("m3", "m2", read=1100),
        ]
    )
    assert (found.unread_write_tokens, found.unread_write_pico) == (
        500,
        400 * PREMIUM + 100 * PREMIUM_HOUR,
    )


def test_a_request_that_writes_nothing_leaves_what_it_did_not_read_to_the_next() -> None:
    messages = [
        message("m1", write=1000),
        message("m2", "m1", fresh=1010),
        message("m3", "m2", read=1000, fresh=30),
    ]
    assert facts(messages).unread_write_tokens == 0


def test_any_branch_may_read_what_was_written() -> None:
    messages = [
        message("m1", write=1000, at=1),
        message("m2", "m1", write=1010, at=2),
        message("m3", "m1", read=1000, fresh=20, at=3),
    ]
    assert facts(messages).unread_write_tokens == 1010


def test_a_write_for_one_model_is_not_read_by_another() -> None:
    messages = [
        message("m1", write=1000),
        message("m2", "m1", read=1000, fresh=10, model="claude-haiku-5-5", rates=CHEAP),
    ]
    assert facts(messages).unread_write_tokens == 1000


def test_a_cache_lapses_when_more_than_five_minutes_go_by() -> None:
    def after(gap: int) -> Facts:
        return facts(
            [
                message("m1", write=1000, at=0),
                message("m2", "m1", read=1000, write=100, at=MINUTE),
                message("m3", "m2", read=400, write=715, fresh=5, at=MINUTE + gap),
            ]
        )

    lapsed = after(5 * MINUTE + 1)
    assert (lapsed.lapses, lapsed.lapse_tokens, lapsed.lapse_pico) == (1, 700, 700 * AGAIN)
    in_time = after(5 * MINUTE)
    assert (in_time.lapses, in_time.lapse_tokens, in_time.lapse_pico) == (0, 0, 0)


def test_what_was_written_for_an_hour_lapses_after_an_hour() -> None:
    def after(gap: int, read: int) -> Facts:
        return facts(
            [
                message("m1", hour=1000, write=100, at=0),
                message("m2", "m1", read=read, hour=1110 - read, at=gap),
            ]
        )

    hour = after(60 * MINUTE + 1, 0)
    assert (hour.lapses, hour.lapse_tokens, hour.lapse_pico) == (1, 1100, 1100 * 9_500_000)
    part = after(6 * MINUTE, 1000)
    assert (part.lapses, part.lapse_tokens) == (1, 100)
    # Something else than time: the hour's part was not read either.
    assert after(6 * MINUTE, 0).lapses == 0


def test_what_another_model_had_in_the_cache_is_a_switch_only_while_it_lives() -> None:
    def after(gap: int) -> Facts:
        return facts(
            [
                message("m1", hour=1000, write=100, at=0),
                message("m2", "m1", write=1110, at=gap, model="claude-haiku-5-5", rates=CHEAP),
            ]
        )

    alive, part, gone = (
        after(MINUTE),
        after(
            6 * MINUTE,
        ),
        after(61 * MINUTE),
    )
    assert (alive.switch_tokens, alive.lapse_tokens) == (1100, 0)
    assert (part.switch_tokens, part.lapse_tokens) == (1000, 100)
    assert (gone.switches, gone.lapse_tokens) == (0, 1100)
    assert part.switch_pico + part.lapse_pico == alive.switch_pico == gone.lapse_pico > 0


def test_what_was_not_written_again_lapsed_at_the_price_that_was_paid() -> None:
    found = facts(
        [message("m1", write=1000, at=0), message("m2", "m1", fresh=1010, at=10 * MINUTE)]
    )
    assert (found.lapse_tokens, found.lapse_pico) == (1000, 1000 * 4_500_000)


def test_what_a_compaction_removed_did_not_lapse() -> None:
    found = facts(
        [
            message("m1", write=1000, at=0),
            message("m2", "m1", read=1000, write=9000, at=MINUTE),
            message("m3", "m2", read=400, write=1300, at=20 * MINUTE),
        ],
        entries=[
            Entry(key="t", kind="tool", bytes=30_000, after="m1", call="m1"),
            Entry(key="sum", kind="summary", bytes=2_100, after="m2", position=2),
        ],
        removals=[Removal(after="m2", position=1)],
    )
    assert (found.lapses, found.lapse_tokens) == (1, 600)


def test_another_model_has_to_write_all_of_it_again_however_soon() -> None:
    messages = [
        message("m1", write=1000),
        message("m2", "m1", write=1010, model="claude-haiku-5-5", rates=CHEAP),
        message("m3", "m2", read=1000, write=20),
    ]
    found = facts(messages)
    # Back again, the first model has all but what entered meanwhile.
    assert (found.switches, found.switch_tokens) == (2, 1000 + 10)
    assert found.switch_pico == 1000 * (CHEAP.cache_write_5m - CHEAP.cache_read) + 10 * AGAIN
    assert found.lapses == 0


def test_a_model_without_a_price_has_tokens_and_no_money() -> None:
    found = facts(
        [
            message("m1", write=1000, at=0, rates=None),
            message("m2", "m1", write=1010, at=10 * MINUTE, rates=None),
        ]
    )
    assert found == Facts(requests=2, unread_write_tokens=2010, lapses=1, lapse_tokens=1000)


def test_a_call_in_no_line_wrote_what_was_read_beyond_the_prompt_before() -> None:
    found = facts(
        [message("m1", write=1000), message("m2", "m1", read=1300, fresh=10)],
        entries=[Entry(key="t", kind="tool", bytes=900, after="m1", call="m1")],
    )
    assert (found.unseen_writes, found.unseen_write_tokens, found.unseen_write_pico) == (
        1,
        300,
        300 * PREMIUM,
    )


def test_inherited_requests_are_no_facts_and_keep_the_cache() -> None:
    found = facts(
        [
            message("m1", write=1000, is_own=False, at=0),
            message("m2", "m1", write=1010, at=10 * MINUTE),
        ]
    )
    assert (found.requests, found.lapses, found.unread_write_tokens) == (1, 1, 1010)


def test_facts_stand_in_the_quarter_of_the_request() -> None:
    found = attribute(
        Conversation(
            messages=[
                message("m1", write=1000, at=QUARTER_MS - 1),
                message("m2", "m1", write=1010, at=QUARTER_MS),
                message("m3", "m2", read=1010, fresh=10, at=5 * QUARTER_MS),
            ]
        )
    )
    assert found.facts == {
        0: Facts(requests=1, unread_write_tokens=1000, unread_write_pico=1000 * PREMIUM),
        1: Facts(requests=1),
        5: Facts(requests=1, hit_requests=1),
    }
