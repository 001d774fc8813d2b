"""Text that fits the room it has."""

import io
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from token_tracking_server.cli.fitting import bar, fitting, shortened


def test_a_long_path_loses_its_middle_and_keeps_its_name() -> None:
    assert shortened("/home/sam/shop/src/invoices/schema.py", 24) == "/home/s...ices/schema.py"


def test_what_fits_is_left_as_it_is() -> None:
    assert shortened("Read", 4) == "Read"


@given(st.text(), st.integers(0, 60))
def test_it_never_takes_more_than_its_room(text: str, width: int) -> None:
    assert cell_len(shortened(text, width)) <= width


def test_the_columns_that_matter_least_are_left_out_first() -> None:
    assert fitting([5, 6, 7], keep=[2, 0, 1], room=27) == [0, 1, 2]
    assert fitting([5, 6, 7], keep=[2, 0, 1], room=20) == [0, 2]
    assert fitting([5, 6, 7], keep=[2, 0, 1], room=0) == [2]


@pytest.mark.parametrize(
    ("part", "shown"),
    [(0.0, ""), (0.001, "▏"), (0.5, "█████"), (0.55, "█████▌"), (1.0, "█" * 10), (7.0, "█" * 10)],
)
def test_a_bar_is_as_long_as_its_part(
    part: float, shown: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(io.BytesIO(), encoding="utf-8"))
    assert bar(part, 10) == shown


def test_an_output_without_block_characters_gets_other_bars(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(io.BytesIO(), encoding="ascii"))
    assert bar(0.5, 10) == "#####"
    assert bar(0.001, 10) == "#"
