"""Estimates without the vocabulary are near what tiktoken counts, at any size."""

import argparse
import base64
import inspect
import json
import random
import subprocess
import sys
from pydoc_data.topics import topics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.counting_quick import LANGUAGE, Piece, errors, fitted
from tests.counting.plain import plain_tokens
from token_tracking.counting import quick_tokens
from token_tracking.counting.quick import (
    CUT,
    FOREIGN_WEIGHTS,
    QUICK_ERROR_P95,
    WEIGHTS,
    measures,
    quick_tokens_many,
)

MEASURED = [*WEIGHTS, *FOREIGN_WEIGHTS]


def measured(text: str) -> dict[str, int]:
    """What is counted of a text, by its name, where there is any."""
    return {name: count for name, count in zip(MEASURED, measures(text), strict=False) if count}


@given(st.text())
def test_every_text_has_a_token_but_the_empty_one(text: str) -> None:
    assert quick_tokens(text) >= (1 if text else 0)
    assert quick_tokens("") == 0


@given(st.lists(st.text(max_size=50)))
def test_many_texts_are_estimated_as_each_is(texts: list[str]) -> None:
    assert quick_tokens_many(iter(texts)) == [quick_tokens(text) for text in texts]


@given(st.text(max_size=300))
def test_no_measure_counts_more_than_there_is(text: str) -> None:
    found, size = measures(text), len(text.encode("utf-8", "replace"))
    assert len(found) == len(WEIGHTS) + (0 if text.isascii() else len(FOREIGN_WEIGHTS))
    assert all(0 <= count <= size for count in found)


@given(st.text("ab Z1_.\n中é", max_size=60))
def test_an_odd_number_of_bytes_is_measured_as_an_even_one(text: str) -> None:
    once, twice = measured(text + "\n"), measured(text + "\n\n")
    grown = {name: count - once.get(name, 0) for name, count in twice.items()}
    assert {name: count for name, count in grown.items() if count} == {"bytes": 1}


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("one two", 2),
        ("camelCase", 2),
        ("HTTPServer", 1),
        ("a1", 2),
        ("x\n    y", 4),
        ("if (x)", 4),
        ("f(x);\n", 4),
        ("12 345", 2),
    ],
)
def test_pieces_begin_where_the_encoding_cuts(text: str, pieces: int) -> None:
    assert measured(text)["pieces"] == pieces


def test_a_word_joined_to_a_mark_is_found_unless_a_space_took_the_mark() -> None:
    assert measured("x.name")["words joined to a mark"] == 1
    assert "words joined to a mark" not in measured("x .name")


def test_real_texts_are_estimated_within_the_error_it_names() -> None:
    prose, code = "\n\n".join(topics.values())[:100_000], inspect.getsource(argparse)
    lines = json.dumps([{"line": n, "text": t} for n, t in enumerate(code.split("\n"))], indent=1)
    for text in (prose, code, lines):
        assert quick_tokens(text) == pytest.approx(plain_tokens(text), rel=QUICK_ERROR_P95)


@pytest.mark.parametrize(
    "text",
    [
        base64.b64encode(random.Random(1).randbytes(6000)).decode(),
        random.Random(2).randbytes(4000).hex(),
        "".join(random.Random(3).choices("abcdefghijklmnopqrstuvwxyz", k=8000)),
        "    deep = 1\n" * 500,
        "a | b\n" + "-" * 100 + "\n" + "1 | 2\n" * 300,
    ],
    ids=["base64", "hex", "random letters", "indents", "table"],
)
def test_what_has_no_words_does_not_fool_it(text: str) -> None:
    assert quick_tokens(text) == pytest.approx(plain_tokens(text), rel=0.3)


def test_a_long_run_of_spaces_is_few_tokens_but_some() -> None:
    assert plain_tokens(" " * 10_000) / 2 < quick_tokens(" " * 10_000) < 200


def test_a_cut_text_is_the_sum_of_its_cuts() -> None:
    text = "some words of it, and 中文 more.\n" * 4000
    cuts = [text[at : at + CUT] for at in range(0, len(text), CUT)]
    assert len(cuts) > 5
    assert quick_tokens(text) == pytest.approx(sum(map(quick_tokens, cuts)), abs=len(cuts))


def test_half_a_surrogate_pair_is_estimated() -> None:
    assert quick_tokens("a \ud83d b") >= 1


def test_it_loads_no_vocabulary_and_no_tiktoken() -> None:
    program = (
        "import sys; from token_tracking.counting import quick_tokens; quick_tokens('some text')\n"
        "assert not [name for name in sys.modules if 'tiktoken' in name or 'encodings' in name"
        " and name.startswith('token_tracking')]"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def test_the_fit_finds_what_a_text_costs() -> None:
    words = [
        "one two",
        "a1 b2",
        "x.name",
        "f(x);\n",
        "12 345 6789",
        "camelCase",
        "- item\n",
        "longwordsinhere",
    ]
    rng = random.Random(4)
    texts = [" ".join(rng.choices(words, k=40)) for _ in range(300)]
    made = [Piece("made", False, text, sum(measures(text)[:2])) for text in texts]
    weights = dict(zip(MEASURED, fitted(made), strict=True))
    assert weights["bytes"] == pytest.approx(1, abs=0.05)
    assert weights["pieces"] == pytest.approx(1, abs=0.15)


def test_errors_are_of_each_group_together() -> None:
    text = "some words of it"
    right = quick_tokens(text)
    low, high = Piece("x", True, text, right * 2), Piece("x", True, text, right)
    assert errors([[low], [high]])[:3] == [2, 0.25, 0.5]
    assert errors([[high, high]]) == [1, 0.0, 0.0, 0.0]


def test_only_translations_into_known_languages_are_read() -> None:
    assert LANGUAGE.search("/x/locale/pt_BR/LC_MESSAGES/x.mo")
    assert not LANGUAGE.search("/x/locale/tlh/LC_MESSAGES/x.mo")
