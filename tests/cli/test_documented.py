"""Every command is in the README, and says in its help what it is for."""

import argparse
from pathlib import Path
from typing import Any

import pytest

from token_tracking_server.cli.parser import build_parser
from token_tracking_server.cli.question_words import GROUPINGS, METRICS, SHARE_GROUPINGS

README = (Path(__file__).parents[2] / "README.md").read_text("utf-8")


def commands() -> dict[str, argparse.ArgumentParser]:
    actions: list[Any] = [*build_parser()._actions]  # pyright: ignore[reportPrivateUsage]
    (words,) = (each for each in actions if each.metavar == "COMMAND")
    return words.choices


@pytest.mark.parametrize("name", commands())
def test_a_command_stands_in_the_readme(name: str) -> None:
    assert f"`token-tracking {name}" in README


@pytest.mark.parametrize("word", [*GROUPINGS, *SHARE_GROUPINGS, *METRICS])
def test_what_can_be_asked_stands_in_the_readme(word: str) -> None:
    assert f"`{word}`" in README or f" {word}`" in README


@pytest.mark.parametrize("name", commands())
def test_help_fits_eighty_columns(
    name: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    with pytest.raises(SystemExit):
        commands()[name].parse_args(["--help"])
    assert max(map(len, capsys.readouterr().out.splitlines())) <= 80
