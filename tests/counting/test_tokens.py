"""Counts in an encoding are tiktoken's own, whatever the text and however it was cut."""

import os
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.counting.plain import plain_encoding, plain_tokens
from token_tracking.counting import encoding_tokens, encoding_tokens_many
from token_tracking.counting.encodings import EncodingName, encoding_named
from token_tracking.counting.parts import LONGEST, PART, parts
from token_tracking.counting.tokens import EncodingCount, count_exactly

NAMES: list[EncodingName] = ["o200k_base", "cl100k_base"]
FRAGMENTS = [
    *" \t\n\r\v\f/'.,!aZéßñ1२0\0\x1c\x85\xa0\u2028\u3000\u200b\u0301\ufeff",
    *"中文。，、！？；：ーあアヽ한글русскийελ",
    *["😀", "👩‍👩‍👧", "'s", "'LL", "don't", "\r\n", "\n\n", "  ", "    ", "\t\t", "123", "://"],
    *["def f(x):", "<|endoftext|>", '{"a": [1, 2]}', "word", "HTTPServer", "…", "—", "e\u0301"],
]
TEXTS = st.lists(st.one_of(st.sampled_from(FRAGMENTS), st.text(max_size=4))).map("".join)


@settings(max_examples=500, deadline=None)
@given(TEXTS, st.integers(1, 6), st.sampled_from(NAMES))
def test_cutting_at_safe_places_changes_no_count(text: str, size: int, name: EncodingName) -> None:
    cuts = list(parts(text, size=size, longest=10**6))
    assert "".join(text[begin:end] for begin, end, _ in cuts) == text
    assert all(safe for *_, safe in cuts)
    encode = encoding_named(name).encode_ordinary
    assert sum(len(encode(text[begin:end])) for begin, end, _ in cuts) == plain_tokens(text, name)


@settings(max_examples=300, deadline=None)
@given(TEXTS, st.sampled_from(NAMES))
def test_the_tokens_are_tiktokens(text: str, name: EncodingName) -> None:
    ours = encoding_named(name).encode_ordinary(text)
    assert ours == plain_encoding(name).encode_ordinary(text)


def test_special_tokens_are_text() -> None:
    assert encoding_tokens("<|endoftext|>") == plain_tokens("<|endoftext|>") > 1


def test_an_empty_text_has_none() -> None:
    assert encoding_tokens("") == 0
    assert encoding_tokens_many([]) == []
    assert encoding_tokens_many(["", "a", ""]) == [0, 1, 0]


def test_many_texts_are_counted_as_each_is() -> None:
    texts = [f"Text {i}: " + "some words of it, and more. " * (i % 7) for i in range(3000)]
    texts[5] = "A long one, with many lines.\n" * 5000
    assert encoding_tokens_many(iter(texts)) == [plain_tokens(text) for text in texts]


def test_a_page_is_counted_exactly_in_parts() -> None:
    page = "".join(
        f"## Part {i}\n\nIt's text, 中文，and `code({i})`.\n\n    x = {i}\n" for i in range(9999)
    )
    assert len(list(parts(page))) > 10
    for name in NAMES:
        assert count_exactly(page, name) == EncodingCount(plain_tokens(page, name), exact=True)


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("unit", ["a", " ", "😀", "中", "-", "\u0301", " \n", "\0", "aZ"])
def test_a_line_without_end_is_counted_nearly(unit: str, name: EncodingName) -> None:
    text = unit * (1_000_000 // len(unit))
    found = count_exactly(text, name)
    once = plain_tokens(unit * 100_000, name) * len(text) / (100_000 * len(unit))
    assert found.tokens == pytest.approx(once, rel=0.001)
    assert not found.exact


def test_where_it_is_cut_anywhere_it_says_so() -> None:
    assert not count_exactly("a" * (LONGEST + PART + 1), "o200k_base").exact
    assert count_exactly("a" * LONGEST, "o200k_base").exact


def test_half_a_surrogate_pair_counts_as_a_replacement() -> None:
    found = count_exactly("a \ud83d b", "o200k_base")
    assert found == EncodingCount(plain_tokens("a \ufffd b"), exact=False)
    assert encoding_tokens_many(["\udc00", "b"])[1] == 1


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_a_forked_process_counts_with_threads_of_its_own() -> None:
    program = (
        "import os; from token_tracking.counting import encoding_tokens\n"
        "text = 'some words ' * 50_000; before = encoding_tokens(text); child = os.fork()\n"
        "if not child: os._exit(encoding_tokens(text) != before)\n"
        "print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))"
    )
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    assert run.stdout.strip() == b"0"
