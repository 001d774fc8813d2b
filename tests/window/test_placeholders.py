"""What stands in cleared places: short, on one line, and the same for the same."""

import json
from functools import partial
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from token_tracking.window.excerpts import around, head_and_tail
from token_tracking.window.placeholders import (
    LONGEST_SUBJECT,
    capped_note,
    cleared_text,
    one_line,
    subject_of,
)

HANDLE = "c-0123456789ab"

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=300),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=9), inner, max_size=4)
    ),
    max_leaves=12,
)
arguments = st.dictionaries(
    st.text(max_size=9) | st.sampled_from(["path", "query", "command", "uris"]), json_values
)


@pytest.mark.parametrize(
    ("given_arguments", "subject"),
    [
        ({"file_path": "/a/b.py", "limit": 3}, "/a/b.py"),
        ({"path": "/a", "pattern": "def .*"}, "def .*"),
        ({"command": "view", "path": "/memories/a.md"}, "/memories/a.md"),
        ({"description": "List files", "command": "ls -l"}, "ls -l"),
        ({"command": ["bash", "-lc", "ls"]}, "bash -lc ls"),
        ({"uris": ["content://a", "content://b"]}, "content://a content://b"),
        ({"text": "x" * 500, "title": "Plan"}, "Plan"),
        ({"deep": {"x": "y"}, "flag": True, "issue": 12}, "issue=12"),
        ({"path": "", "city": "Bern"}, "Bern"),
        ({"path": None, "flag": False}, None),
        ({}, None),
    ],
)
def test_the_subject_is_the_most_telling_argument(
    given_arguments: dict[str, Any], subject: str | None
) -> None:
    assert subject_of(given_arguments) == subject
    assert subject_of(json.dumps(given_arguments)) == subject


def test_arguments_that_are_no_json_object_are_cut_as_text() -> None:
    assert subject_of('{"path": "/a') == '{"path": "/a'
    assert subject_of("[1, 2]") == "[1, 2]"
    assert subject_of(" ") is None
    assert subject_of("[" * 100_000) is not None


@settings(deadline=None)
@given(arguments)
def test_a_subject_is_one_printable_line_of_at_most_80_characters(given_: dict[str, Any]) -> None:
    for subject in (subject_of(given_), subject_of(json.dumps(given_))):
        assert subject is None or (0 < len(subject) <= LONGEST_SUBJECT and subject.isprintable())


@settings(deadline=None)
@given(st.text(max_size=3_000), st.integers(7, 100))
def test_one_line_is_one_line(text: str, longest: int) -> None:
    line = one_line(text, longest)
    assert len(line) <= longest
    assert not line or line.isprintable()
    assert one_line(line, longest) == line


def test_a_long_subject_keeps_its_beginning_and_its_end() -> None:
    line = one_line("/home/someone/" + "folder/" * 40 + "name.py")
    assert line.startswith("/home/someone/folder")
    assert line.endswith("folder/name.py")
    assert len(line) == LONGEST_SUBJECT


def test_a_cleared_result_says_what_was_there_how_large_and_how_to_get_it_back() -> None:
    assert cleared_text("Read", "src/a.py", 3_412, HANDLE) == (
        "[Result of Read(src/a.py) cleared to save context, about 3400 tokens."
        " Get back: fetch_content handle=c-0123456789ab]"
    )
    assert cleared_text("Read", "src/a.py", 3_412) == (
        "[Result of Read(src/a.py) cleared to save context, about 3400 tokens."
        " If needed, call it again.]"
    )
    assert "Result of a tool call cleared" in cleared_text(None, None, 5)


@settings(deadline=None)
@given(st.none() | st.text(), st.none() | st.text(), st.integers(0, 10**7))
def test_what_a_conversation_names_cannot_break_the_line(
    tool: str | None, subject: str | None, tokens: int
) -> None:
    text = cleared_text(tool, subject, tokens, HANDLE)
    assert text.isprintable()
    assert len(text) < 300
    assert text == cleared_text(tool, subject, tokens, HANDLE)


def test_a_capped_result_is_the_same_however_it_is_made() -> None:
    text = "".join(f"line {each}\n" for each in range(1_000))
    found = head_and_tail(text, 500, len, note=partial(capped_note, handle=HANDLE))
    assert len(found.text) <= 500
    note = capped_note(found.left_out_tokens, found.left_out_lines, HANDLE)
    assert found.text == around(found.head, note, found.tail)


def test_a_capped_result_says_how_to_get_the_rest() -> None:
    assert around("head", capped_note(1_234, handle=HANDLE), "tail") == (
        "head\n[... about 1200 tokens left out; for more: fetch_content handle=c-0123456789ab,"
        " lines or query ...]\ntail"
    )
    assert around("excerpts\n", capped_note(1_234, 40), "") == (
        "excerpts\n"
        "[... 40 lines, about 1200 tokens left out; for more: ask the tool for a part ...]"
    )
