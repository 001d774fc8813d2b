"""Which results are still in use."""

import pytest

from token_tracking.window.blocks import Block, Kind
from token_tracking.window.uses import LONGEST, Uses, distinctive


def block(message: int, text: str, kind: Kind = "text", tool_id: str | None = None) -> Block:
    return Block(message, 0, kind, text, text, tool_id=tool_id)


def result(message: int, text: str) -> Block:
    return block(message, text, "tool_result", f"t{message}")


def call(message: int, path: str, tool_id: str) -> Block:
    raw = {"type": "tool_use", "id": tool_id, "name": "Read", "input": {"file_path": path}}
    return Block(message, 0, "tool_use", raw, f"Read\n{path}", tool_id=tool_id, tool="Read")


def grown(*blocks: Block) -> Uses:
    uses = Uses()
    uses.grow(blocks)
    return uses


@pytest.mark.parametrize(
    "text", ["src/app.py", "handle_request", "handleRequest", "invoice-4711", "4711", "a1b2c3"]
)
def test_paths_names_and_numbers_are_distinctive(text: str):
    assert distinctive(f"see {text}, and go on.") == {text}


@pytest.mark.parametrize("text", ["invoice", "Invoice", "NASA", "a.b", "x" * (LONGEST + 1), ""])
def test_words_and_data_are_not_distinctive(text: str):
    assert distinctive(text) == set()


def test_of_a_very_long_text_both_ends_are_looked_at():
    text = f"first_name {'word ' * 100_000} middle_name {'word ' * 100_000} last_name"
    assert distinctive(text) == {"first_name", "last_name"}


def test_a_result_that_nobody_names_was_last_used_when_it_came():
    found = result(2, "handle_request is slow")
    assert grown(found, block(3, "so it is")).last(found) == 2


def test_naming_what_stands_only_in_a_result_uses_it():
    found = result(2, "handle_request is slow")
    uses = grown(found, block(3, "a word"), block(7, "I change handle_request"))
    assert uses.last(found) == 7


def test_what_stands_in_an_answer_already_is_no_later_use():
    found = result(2, "handle_request is slow")
    uses = grown(found, block(7, "I change handle_request"), block(9, "handle_request is done"))
    assert uses.last(found) == 7


def test_what_stands_elsewhere_too_is_no_use_of_either():
    first, second = result(2, "handle_request here"), result(4, "handle_request there")
    uses = grown(first, second, block(7, "handle_request"))
    assert (uses.last(first), uses.last(second)) == (2, 4)


def test_what_the_user_said_first_is_not_of_the_result():
    found = result(2, "handle_request is slow")
    uses = grown(block(0, "look at handle_request"), found, block(3, "handle_request"))
    assert uses.last(found) == 2


def test_a_call_about_the_same_path_uses_what_was_read_of_it():
    read = Block(2, 0, "tool_result", "x", "plain words", tool_id="a")
    uses = grown(call(1, "/src/app.py", "a"), read, call(5, "/src/app.py", "b"))
    assert uses.last(read) == 5
    uses.grow([call(9, "/src/other.py", "c")])
    assert uses.last(read) == 5


def test_it_grows_with_the_conversation():
    found = result(2, "handle_request is slow")
    uses = grown(found)
    uses.grow([block(3, "handle_request")])
    assert uses.last(found) == 3
