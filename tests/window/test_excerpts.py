"""Excerpts are never longer than asked, cut where it hurts least, and say what is missing."""

import json
import re
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from token_tracking.window.excerpts import (
    LONGEST_PIECE,
    boundary,
    head_and_tail,
    matching,
    pieces,
    rounded,
)


def by_bytes(text: str) -> int:
    """Four bytes a token, begun ones count."""
    return -(-len(text.encode("utf-8", "surrogatepass")) // 4)


def by_words(text: str) -> int:
    """Words and other characters: lines differ much in how many they have."""
    return len(re.findall(r"\w+|[^\w\s]", text))


counts = st.sampled_from([by_bytes, by_words, len])
lines = st.text(alphabet=st.sampled_from("ab é漢😀{}\ud83d\ude00,. \t\r"), max_size=60)
texts = st.one_of(
    st.text(max_size=400),
    st.lists(lines, max_size=80).map("\n".join),
    st.tuples(st.lists(lines, max_size=5), st.integers(1, 300)).map(
        lambda it: "\n".join(it[0] * it[1])
    ),
    st.tuples(lines, st.integers(1, 200)).map(lambda it: it[0] * it[1]),
)


def numbered(number: int) -> str:
    return "".join(f"line {each} of the log\n" for each in range(1, number + 1))


@settings(deadline=None)
@given(texts, st.integers(0, 500), counts)
def test_head_and_tail_are_never_longer_than_asked(
    text: str, most: int, count: Callable[[str], int]
) -> None:
    assert count(head_and_tail(text, most, count).text) <= most


@settings(deadline=None)
@given(texts, st.text(max_size=20) | lines, st.integers(0, 500), counts)
def test_matching_lines_are_never_longer_than_asked(
    text: str, query: str, most: int, count: Callable[[str], int]
) -> None:
    found = matching(text, query, most, count)
    assert found is None or count(found.text) <= most


@settings(deadline=None)
@given(texts, counts)
def test_a_text_that_fits_is_kept_whole(text: str, count: Callable[[str], int]) -> None:
    found = head_and_tail(text, count(text), count)
    assert (found.text, found.left_out_tokens, found.left_out_lines) == (text, 0, 0)


@settings(deadline=None)
@given(texts, st.integers(0, 500), counts)
def test_head_and_tail_are_the_text_s_own(
    text: str, most: int, count: Callable[[str], int]
) -> None:
    found = head_and_tail(text, most, count)
    assert text.startswith(found.head)
    assert text.endswith(found.tail)
    assert len(found.head) + len(found.tail) <= len(text)


@settings(deadline=None)
@given(st.text(alphabet="\ud83d\ude00", max_size=50), st.integers(0, 60))
def test_no_cut_is_inside_a_surrogate_pair(text: str, at: int) -> None:
    cut = boundary(text, at)
    assert (text[cut - 1 : cut], text[cut : cut + 1]) != ("\ud83d", "\ude00")


@settings(deadline=None)
@given(st.integers(1, 3_000), st.integers(20, 200))
def test_a_text_of_surrogate_pairs_is_cut_between_them(size: int, most: int) -> None:
    found = head_and_tail("\ud83d\ude00" * size, most, len)
    assert len(found.head) % 2 == 0
    assert len(found.tail) % 2 == 0


@settings(deadline=None)
@given(texts)
def test_the_pieces_of_a_text_are_the_text(text: str) -> None:
    found = pieces(text)
    assert "".join(found) == text
    assert all(0 < len(piece) <= LONGEST_PIECE + 1 for piece in found)


def test_a_huge_line_of_surrogate_pairs_has_no_piece_with_half_of_one() -> None:
    found = pieces("x" + "\ud83d\ude00" * 2_000)
    assert len(found) > 3
    assert not any(piece.endswith("\ud83d") for piece in found)


def test_a_log_is_cut_at_line_ends_with_two_thirds_in_front() -> None:
    text = numbered(1_000)
    found = head_and_tail(text, 600, by_bytes)
    assert found.head.endswith("of the log\n")
    assert found.tail.startswith("line ")
    assert len(found.head) / len(found.tail) == pytest.approx(2, rel=0.1)
    assert by_bytes(found.text) > 0.85 * 600


def test_the_note_says_how_many_lines_and_tokens_are_left_out() -> None:
    text = numbered(1_000)
    found = head_and_tail(text, 600, by_bytes)
    kept = found.head.count("\n") + found.tail.count("\n")
    assert found.left_out_lines == 1_000 - kept
    left_out = by_bytes(text) - by_bytes(found.head) - by_bytes(found.tail)
    assert found.left_out_tokens == pytest.approx(left_out, rel=0.02)
    note = f"[... {found.left_out_lines} lines, about {rounded(left_out)} tokens left out ...]"
    assert found.text == f"{found.head}{note}\n{found.tail}"


def test_one_huge_line_is_cut_by_characters() -> None:
    text = json.dumps([{"number": each, "name": "x" * 20} for each in range(2_000)])
    found = head_and_tail(text, 500, by_bytes)
    assert by_bytes(found.text) > 400
    assert found.text.startswith('[{"number": 0')
    assert found.text.endswith("}]")
    assert found.left_out_lines == 0


def test_a_huge_line_behind_a_short_one_does_not_cost_the_head() -> None:
    found = head_and_tail("title\n" + "x" * 40_000 + "\nend", 400, by_bytes)
    assert len(found.head) > 600
    assert len(found.tail) > 300


def test_a_limit_without_room_for_a_note_gives_a_bare_beginning() -> None:
    found = head_and_tail("abcdefgh" * 100, 3, by_bytes)
    assert found.text
    assert "abcdefgh".startswith(found.text[:8])
    assert "[" not in found.text


def test_the_caller_s_note_counts_towards_the_limit() -> None:
    def note(tokens: int, lines: int) -> str:
        return f"{tokens} {lines} " + "n" * 300

    found = head_and_tail(numbered(500), 200, by_bytes, note=note)
    assert "n" * 300 in found.text
    assert by_bytes(found.text) <= 200


def test_a_large_text_is_not_counted_as_a_whole() -> None:
    seen: list[int] = []

    def count(text: str) -> int:
        seen.append(len(text))
        return by_bytes(text)

    text = numbered(50_000)
    assert head_and_tail(text, 1_000, count).left_out_tokens == pytest.approx(
        by_bytes(text) - 1_000, rel=0.05
    )
    assert sum(seen) < 100_000
    seen.clear()
    assert matching(text, "line 777", 1_000, count)
    assert sum(seen) < 150_000


def test_a_text_of_mostly_spaces_that_fits_is_kept() -> None:
    text = "word" + " " * 100_000
    assert head_and_tail(text, 10, by_words).text == text


def test_known_tokens_are_believed() -> None:
    assert head_and_tail("x" * 100, 10, len, tokens=5).text == "x" * 100


@settings(deadline=None)
@given(texts, st.integers(0, 300))
def test_the_same_text_gives_the_same_excerpts(text: str, most: int) -> None:
    assert head_and_tail(text, most, by_bytes) == head_and_tail(text, most, by_bytes)
    assert matching(text, "a b", most, by_bytes) == matching(text, "a b", most, by_bytes)


def test_matching_lines_stand_in_order_with_what_is_around_and_numbered_gaps() -> None:
    rows = [f"row {each}\n" for each in range(1, 501)]
    rows[99] = "the Needle is here\n"
    rows[399] = "another needle\n"
    found = matching("".join(rows), "needle", 60, by_bytes)
    assert found
    assert found.text == (
        "[... 97 lines, 1-97 ...]\nrow 98\nrow 99\nthe Needle is here\nrow 101\nrow 102\n"
        "[... 295 lines, 103-397 ...]\nrow 398\nrow 399\nanother needle\nrow 401\nrow 402\n"
        "[... 98 lines, 403-500 ...]\n"
    )
    assert found.left_out_lines == 490


def test_the_line_that_matches_more_and_rarer_words_comes_first() -> None:
    rows = [f"error {each}\n" for each in range(2_000)]
    rows[1_500] = "error in parser\n"
    found = matching("".join(rows), "error in parser", 40, by_bytes)
    assert found
    assert "error in parser" in found.text


def test_a_query_that_stands_nowhere_matches_nothing() -> None:
    assert matching(numbered(1_000), "zebra", 100, by_bytes) is None
    assert matching(numbered(1_000), " ", 100, by_bytes) is None


def test_a_match_inside_a_huge_line_is_shown() -> None:
    text = "x" * 30_000 + " needle " + "y" * 30_000
    for most in (30, 200, 1_000):
        found = matching(text, "needle", most, by_bytes)
        assert found
        assert "needle" in found.text, most


def test_letters_that_grow_in_lower_case_do_not_move_the_match() -> None:
    rows = ["İ" * 10 + "\n"] * 300 + ["needle\n"] + ["other\n"] * 300
    found = matching("".join(rows), "needle", 40, by_bytes)
    assert found
    assert "\nneedle\n" in found.text


@settings(deadline=None)
@given(st.integers(1, 10**9))
def test_rounding_keeps_two_digits(tokens: int) -> None:
    assert rounded(tokens) == pytest.approx(tokens, rel=0.051)
    assert len(str(rounded(tokens)).rstrip("0")) <= 2
