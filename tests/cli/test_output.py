"""What is printed for other programs, and for people."""

import csv
import io
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from token_tracking_server.cli import output


def as_csv(capsys: pytest.CaptureFixture[str], rows: list[dict[str, Any]]) -> list[list[str]]:
    output.rows_as_csv(rows)
    return list(csv.reader(io.StringIO(capsys.readouterr().out)))


@pytest.mark.parametrize("begin", ["=", "+", "-", "@"])
def test_no_text_is_taken_for_a_formula(capsys: pytest.CaptureFixture[str], begin: str) -> None:
    name = f"{begin}cmd|' /C calc'!A0"
    assert as_csv(capsys, [{"label": name}])[1] == [f"'{name}"]


def test_what_a_terminal_obeys_is_no_part_of_a_cell(capsys: pytest.CaptureFixture[str]) -> None:
    names = ["\t=1", "\r=1", "a\x1b[2Jb", "a\u202eb", "a\nb"]
    plain = ["'\ufffd=1", "'\ufffd=1", "a\ufffd[2Jb", "a\ufffdb", "a\ufffdb"]
    assert as_csv(capsys, [{str(place): name for place, name in enumerate(names)}])[1] == plain


def test_numbers_stay_numbers(capsys: pytest.CaptureFixture[str]) -> None:
    row = {"lost": Decimal("-0.5"), "change": -0.25, "count": -3, "unknown": None, "is": True}
    assert as_csv(capsys, [row])[1] == ["-0.5", "-0.25", "-3", "", "True"]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(min_size=1))
def test_every_text_is_one_printable_cell(capsys: pytest.CaptureFixture[str], text: str) -> None:
    ((cell,),) = as_csv(capsys, [{"a": text}])[1:]
    assert cell.isprintable()
    assert cell[0] not in "=+-@"
    assert cell.removeprefix("'") == output.plain(text).removeprefix("'")
