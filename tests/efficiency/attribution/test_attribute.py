"""What each request's prompt is made of, in conversations as clients have them.

Prices a token, in pico-USD: input 5,000,000, read 500,000, written for five minutes 6,250,000, for
an hour 10,000,000. Three and a third bytes are a token of o200k_base, 1.12 tokens of this model's.
"""

from collections.abc import Sequence

import pytest
from msgspec.structs import replace

from tests.efficiency.attribution.conversations import CHEAP, RATES, message
from token_tracking.efficiency.attribution import (
    Attribution,
    Conversation,
    Entry,
    ItemShare,
    Message,
    Removal,
    attribute,
)
from token_tracking.usage import SYNTHETIC_MODEL

READ, PLAIN, WRITE, HOUR = RATES.cache_read, RATES.input, RATES.cache_write_5m, RATES.cache_write_1h


def result(key: str, after: str, size: int | None = 300, **fields: object) -> Entry:
    """A tool's result, of about a third as many tokens as bytes."""
    return Entry(key=key, kind="tool", bytes=size, after=after, call=after, **fields)  # pyright: ignore[reportArgumentType]


def text(key: str, after: str | None, size: int = 300, **fields: object) -> Entry:
    """What a user wrote."""
    return Entry(key=key, kind="user", bytes=size, after=after, **fields)  # pyright: ignore[reportArgumentType]


def told(
    messages: Sequence[Message], entries: Sequence[Entry] = (), removals: Sequence[Removal] = ()
) -> Attribution:
    return attribute(Conversation(messages=messages, entries=entries, removals=removals))


def sizes(found: Attribution) -> dict[str, int | None]:
    return {item.id: item.tokens for item in found.items}


def item(found: Attribution, key: str) -> ItemShare:
    return next(each for each in found.items if each.id == key)


def test_an_answer_takes_what_was_billed_for_it_and_a_result_the_rest_of_the_growth() -> None:
    found = told(
        [message("m1", write=1000, output=40), message("m2", "m1", read=1000, write=140)],
        [result("t", "m1")],
    )
    assert found.items == [
        ItemShare(
            id="base", kind="base", name=None, server=None, uri=None, tokens=1000, requests=2,
            prompt_tokens=2000, cost_pico=1000 * (WRITE + READ), basis="measured", entered_at=1,
            entered_with="m1", no_cache_pico=2000 * PLAIN, first_pico=1000 * WRITE,
        ),
        ItemShare(
            id="t", kind="tool", name=None, server=None, uri=None, tokens=100, requests=1,
            prompt_tokens=100, cost_pico=100 * WRITE, basis="measured", entered_at=2,
            entered_with="m2", no_cache_pico=100 * PLAIN, first_pico=100 * WRITE,
        ),
        ItemShare(
            id="m1", kind="answer", name="claude-opus-4-6", server=None, uri=None, tokens=40,
            requests=1, prompt_tokens=40, cost_pico=40 * WRITE, basis="measured", entered_at=2,
            entered_with="m2", no_cache_pico=40 * PLAIN, first_pico=40 * WRITE,
        ),
    ]  # fmt: skip
    assert (found.prompt_tokens, found.prompt_pico) == (2140, 1000 * READ + 1140 * WRITE)


def test_parallel_results_share_by_their_bytes() -> None:
    found = told(
        [message("m1", write=1000, output=40), message("m2", "m1", read=1000, write=400)],
        [result("t1", "m1", 800), result("t2", "m1", 200), result("none", "m1", None)],
    )
    assert sizes(found) == {"base": 1000, "m1": 40, "t1": 282, "t2": 78, "none": None}
    assert item(found, "t1").basis == item(found, "t2").basis == "estimated"
    assert (item(found, "none").requests, item(found, "none").basis) == (0, "unknown")


def test_a_picture_weighs_the_same_whatever_its_bytes() -> None:
    found = told(
        [message("m1", write=1000, output=0), message("m2", "m1", read=1000, write=3008)],
        [
            result("shot", "m1", 4_000_000, uri="/shot.PNG"),
            Entry(key="paste", kind="image", bytes=90, after="m1"),
            text("u", "m1", 0),
        ],
    )
    assert sizes(found) == {"base": 1000, "shot": 1500, "paste": 1500, "u": 8}


def test_each_item_pays_for_where_it_stands() -> None:
    """Read, then written for an hour, for five minutes, then neither."""
    found = told(
        [
            message("m1", write=1000, output=100),
            message("m2", "m1", read=1050, hour=20, write=80, fresh=150),
        ],
        [result("t", "m1")],
    )
    assert item(found, "base").cost_pico == 1000 * (WRITE + READ)
    assert item(found, "m1").cost_pico == 50 * READ + 20 * HOUR + 30 * WRITE
    assert item(found, "t").cost_pico == 50 * WRITE + 150 * PLAIN


def test_a_lapsed_cache_is_written_again() -> None:
    messages = [
        message("m1", write=1000, output=100),
        message("m2", "m1", read=1000, write=100),
        message("m3", "m2", write=1110),
    ]
    assert item(told(messages), "m1").cost_pico == 100 * (WRITE + WRITE)


def test_what_was_there_before_the_first_entry_is_the_base() -> None:
    found = told([message("m1", write=1000)], [text("u", None, 300, chain="", at=0)])
    assert sizes(found) == {"base": 892, "u": 108}
    read = told([message("m1", read=990, write=10)], [text("u", None, 300, chain="", at=0)])
    assert sizes(read) == {"base": 990, "u": 10}


def test_what_enters_with_no_line_is_no_items() -> None:
    found = told(
        [
            message("m1", write=1000, output=10),
            message("m2", "m1", read=1000, write=21),
            message("m3", "m2", read=1021, write=9_000),
        ],
        [result("t", "m2")],
    )
    unlisted = item(found, "unlisted")
    assert (unlisted.tokens, unlisted.requests) == (11 + 9_000 - 10 - (2 * 108 + 200), 2)
    assert unlisted.basis == "estimated"
    assert (found.findings.unlisted, found.findings.unlisted_tokens) == (2, unlisted.tokens)


def test_the_growth_tells_what_a_partial_answer_hides() -> None:
    found = told(
        [
            message("m1", write=1000, output=2, is_final=False, visible_bytes=300),
            message("m2", "m1", read=1000, write=5_000),
        ],
        [result("t", "m1")],
    )
    assert sum(size or 0 for size in sizes(found).values()) == 6000
    assert item(found, "t").tokens == pytest.approx(108, abs=1)
    alone = told(
        [
            message("m1", write=1000, output=2, is_final=False),
            message("m2", "m1", read=1000, write=500),
        ]
    )
    assert (item(alone, "m1").tokens, item(alone, "m1").basis) == (500, "measured")


def test_thinking_goes_first_where_a_turn_makes_the_prompt_smaller() -> None:
    found = told(
        [
            message("m1", write=1000, output=500, visible_bytes=300, thinking_bytes=1000),
            message("m2", "m1", read=1000, write=600, output=20, visible_bytes=60),
            message("m3", "m2", read=1000, write=300),
        ],
        [result("t", "m1"), text("u", "m2", 100)],
    )
    assert item(found, "m1").tokens == 500
    assert item(found, "m1").prompt_tokens == 500 + 500 - (300 + 20 + 41)
    assert item(found, "t").prompt_tokens == 100 + 100
    assert (found.findings.shrunk, found.findings.shrunk_unsaid) == (1, 0)


def test_what_was_read_from_the_cache_stays_where_a_prompt_shrinks() -> None:
    found = told(
        [
            message("m1", write=1000, output=10),
            message("m2", "m1", read=1000, write=310, output=10, visible_bytes=60),
            message("m3", "m2", read=1310, write=310, output=10, visible_bytes=60),
            message("m4", "m3", read=1310, write=20),
        ],
        [result("t1", "m1", 900), result("t2", "m2", 900)],
    )
    assert item(found, "t1").prompt_tokens == 3 * 300
    assert item(found, "t2").prompt_tokens == 300
    assert (found.findings.shrunk, found.findings.shrunk_unsaid) == (1, 1)


def test_a_compaction_removes_all_but_the_base_and_what_it_kept() -> None:
    found = told(
        [
            message("m1", write=1000, output=10),
            message("m2", "m1", read=1000, write=9000, output=10),
            message("m3", "m2", read=1000, write=700),
        ],
        [
            result("t1", "m1", 20_000),
            text("kept", "m1", 300),
            result("t2", "m2", 600),
            Entry(key="sum", kind="summary", bytes=1500, after="m2", position=2000),
        ],
        [Removal(after="m2", position=1000, kept=frozenset({"kept"}), kept_lines=1)],
    )
    assert item(found, "base").prompt_tokens == 3000
    assert (item(found, "t1").requests, item(found, "kept").requests) == (1, 2)
    assert (item(found, "t2").requests, item(found, "t2").tokens) == (0, None)
    assert item(found, "sum").tokens == 700 - (item(found, "kept").tokens or 0)
    assert found.findings.shrunk_unsaid == 0


def test_a_compaction_that_names_lines_kept_the_newest_of_what_fits() -> None:
    found = told(
        [
            message("m1", write=1000, output=10),
            message("m2", "m1", read=1000, write=9000, output=10),
            message("m3", "m2", read=1000, write=900),
        ],
        [
            result("t1", "m1", 20_000),
            result("t2", "m2", 600),
            Entry(key="sum", kind="summary", bytes=1500, after="m2", position=2000),
        ],
        [Removal(after="m2", position=1000, kept=frozenset({"x", "y"}), kept_lines=2)],
    )
    assert (item(found, "t1").requests, item(found, "t2").requests) == (1, 1)
    assert item(found, "m2").tokens == 10


def test_results_that_a_client_cleared_leave_the_middle() -> None:
    found = told(
        [
            message("m1", write=1000, output=10),
            message("m2", "m1", read=1000, write=510, output=10),
            message("m3", "m2", read=1000, write=330),
        ],
        [result("t1", "m1", 1500), result("t2", "m2", 900)],
        [Removal(after="m2", position=1000, removed=frozenset({"t1"}))],
    )
    assert item(found, "t1").prompt_tokens == 500
    assert item(found, "m1").prompt_tokens == 20
    assert (item(found, "t2").tokens, item(found, "t2").basis) == (310, "estimated")
    assert item(found, "m1").basis == "measured"


def test_a_user_who_goes_back_carries_what_stood_before() -> None:
    found = told(
        [
            message("m1", write=1000, output=10),
            message("m2", "m1", read=1000, write=110, at=20),
            message("m3", "m1", read=1000, write=210, at=40),
        ],
        [text("first", "m1", 300, at=15), text("second", "m1", 600, at=35)],
    )
    assert sizes(found) == {"base": 1000, "m1": 10, "first": 100, "second": 200}
    assert (item(found, "first").requests, item(found, "m1").requests) == (1, 2)


def test_what_was_sent_again_stands_in_both() -> None:
    found = told(
        [
            message("m1", write=1000, output=10),
            message("m2", "m1", read=1000, write=110, at=20),
            message("m3", "m1", read=1110, at=21),
        ],
        [text("u", "m1", 300, at=15)],
    )
    assert item(found, "u").requests == 2


def test_a_fork_pays_for_what_it_inherited_in_its_own_requests_alone() -> None:
    found = told(
        [
            message("m1", write=1000, output=10, is_own=False),
            message("m2", "m1", read=1000, write=110, output=10, is_own=False),
            message("m3", "m2", read=1110, write=30),
        ],
        [result("t", "m1")],
    )
    assert (found.prompt_tokens, found.findings.requests) == (1140, 1)
    assert item(found, "t") == ItemShare(
        id="t", kind="tool", name=None, server=None, uri=None, tokens=100, requests=1,
        prompt_tokens=100, cost_pico=100 * READ, basis="measured", entered_at=3,
        entered_with="m3", no_cache_pico=100 * PLAIN, first_pico=0, is_inherited=True,
    )  # fmt: skip
    # The answer and the results of the last message that it inherited are its parent's as well.
    assert {each.id for each in found.items if not each.is_inherited} == {"unlisted"}
    assert sum(each.loads for each in found.sums.values()) == 1


def test_each_agent_has_a_chain_and_a_base_of_its_own() -> None:
    found = told(
        [
            message("m1", write=1000, output=10),
            message("m2", "m1", read=1000, write=110),
            message("m3", "m1", write=500, chain="a", at=1),
            message("m4", "m3", read=500, write=110, chain="a"),
        ],
        [result("t1", "m1"), result("t2", "m3"), text("task", None, 300, chain="a", at=0)],
    )
    assert [(each.id, each.requests) for each in found.items if each.kind == "base"] == [
        ("base", 2),
        ("base:a", 2),
    ]
    assert (item(found, "task").requests, item(found, "t2").tokens) == (2, 100)


def test_an_agent_of_a_name_that_was_used_before_begins_anew() -> None:
    found = told(
        [
            message("m1", write=500, chain="sidechain", at=10),
            message("m2", write=700, chain="sidechain", at=20),
        ],
        [
            text("one", None, 300, chain="sidechain", at=9),
            text("two", None, 600, chain="sidechain", at=19),
        ],
    )
    assert (item(found, "one").requests, item(found, "two").requests) == (1, 1)
    base = item(found, "base:sidechain")
    assert (base.requests, base.prompt_tokens, base.tokens) == (2, 392 + 492, 492)


def test_a_model_without_a_price_has_tokens_and_no_cost() -> None:
    found = told(
        [
            message("m1", write=1000, output=10, model="nobody-knows", rates=None),
            message("m2", "m1", read=1000, write=110),
        ],
        [result("t", "m1")],
    )
    assert (found.prompt_tokens, found.prompt_pico) == (2110, 1000 * READ + 110 * WRITE)
    assert (found.findings.unpriced, item(found, "base").cost_pico) == (1, 1000 * READ)
    nothing = told([message("m1", write=1000, model="nobody-knows", rates=None)])
    assert (nothing.prompt_pico, nothing.prompt_cost_usd) == (None, None)
    assert (item(nothing, "base").cost_pico, item(nothing, "base").prompt_cost_usd) == (None, None)


def test_a_model_changed_in_mid_session_bills_by_its_own_rates() -> None:
    messages = [
        message("m1", write=1000, output=10),
        message("m2", "m1", write=1010, rates=CHEAP, model="claude-haiku-5-5"),
        message("m3", "m2", read=1000, write=20),
    ]
    found = told(messages)
    assert item(found, "base").cost_pico == 1000 * (WRITE + CHEAP.cache_write_5m + READ)


def test_what_a_request_reads_and_no_line_wrote_is_told() -> None:
    found = told(
        [
            message("m1", write=1000, output=10),
            message("m2", "m1", read=1300, write=10),
            message("m3", "m2", read=1310, write=90),
        ],
        [result("t", "m1", 900)],
    )
    assert (found.findings.unseen_writes, found.findings.unseen_write_tokens) == (1, 300)


def test_what_a_branch_before_wrote_is_not_unseen() -> None:
    found = told(
        [
            message("m1", write=1000, output=10),
            message("m2", "m1", read=1000, write=500),
            message("m3", "m1", read=1400, write=10),
        ],
    )
    assert found.findings.unseen_writes == 0


def test_a_clock_that_runs_backwards_changes_nothing_where_lines_name_their_parents() -> None:
    def sent(times: Sequence[int]) -> list[ItemShare]:
        found = told(
            [
                message("m1", write=1000, output=10, at=times[0]),
                message("m2", "m1", read=1000, write=110, at=times[1]),
                message("m3", "m2", read=1110, write=120, at=times[2]),
            ],
            [result("t", "m1"), text("u", "m2", 300, at=times[2])],
        )
        return [replace(each, entered_at=None) for each in found.items]

    assert sent([3, 2, 1]) == sent([1, 2, 3]) == sent([5, 5, 5])


def test_a_prompt_larger_than_any_window_adds_up() -> None:
    found = told([message("m1", write=10**9), message("m2", "m1", read=10**9, fresh=10**9)])
    assert (found.prompt_tokens, item(found, "base").prompt_tokens) == (3 * 10**9, 2 * 10**9)


def test_a_message_that_was_no_request_carries_nothing_and_passes_on_what_entered() -> None:
    found = told(
        [
            message("m1", write=1000, output=10),
            message("m2", "m1", output=0, model=SYNTHETIC_MODEL),
            message("m3", "m2", read=1000, write=210),
        ],
        [result("t", "m1"), text("again", "m2")],
    )
    assert sizes(found) == {"base": 1000, "m1": 10, "t": 100, "again": 100}
    assert found.findings.requests == 2


def test_messages_of_a_source_without_parents_follow_each_other_in_time() -> None:
    messages = [
        message("m2", read=1000, write=30, is_linked=False),
        message("m1", write=1000, output=30, is_linked=False),
    ]
    assert sizes(told(messages)) == {"base": 1000, "m1": 30}


def test_a_message_whose_parent_is_gone_has_all_before_it_as_its_base() -> None:
    found = told([message("m2", "gone", read=90_000, write=1000), message("m3", "m2", read=91_010)])
    assert sizes(found) == {"base": 91_000, "m2": 10}


@pytest.mark.parametrize("parents", [("m1",), ("m2", "m1"), ("m2", "m3", "m1")])
def test_a_cycle_begins_at_its_earliest_message(parents: tuple[str, ...]) -> None:
    messages = [
        message(f"m{index}", parent, write=1000 + 10 * index)
        for index, parent in enumerate(parents, start=1)
    ]
    after = message("m9", "m1", read=1000, write=500)
    found = told([*messages, after])
    expected = sum(each.usage.prompt_tokens for each in messages) + 1500
    assert (found.prompt_tokens, found.findings.cycles) == (expected, len(parents) > 1)


def test_a_session_without_messages_has_no_items() -> None:
    found = told([])
    assert (found.items, found.prompt_tokens, found.prompt_pico) == ([], 0, 0)


@pytest.mark.slow
@pytest.mark.parametrize("lapsed", [False, True])
def test_a_hundred_thousand_messages_are_attributed(lapsed: bool) -> None:
    count = 100_000
    messages = [
        message(
            f"m{index}",
            f"m{index - 1}" if index else None,
            read=(1000 + 40 * index) * (not lapsed),
            write=100 + (1000 + 40 * index - 150 * (index % 2)) * lapsed,
        )
        for index in range(count)
    ]
    entries = [result(f"t{index}", f"m{index}") for index in range(count)]
    found = told(messages, entries)
    assert found.prompt_tokens == sum(each.usage.prompt_tokens for each in messages)
    assert found.findings.shrunk == lapsed * count // 2
