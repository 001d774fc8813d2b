"""The command `library`: what the assistant can search, and what was left out."""

import json
import os
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from tests.content.libraries import CACHING, write
from token_tracking_server.cli import main
from token_tracking_server.cli.parser import build_parser, settings_of


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A library, and a ledger in whose folder its catalog comes to stand."""
    monkeypatch.setenv("TOKEN_TRACKING_DB", str(tmp_path / "l.db"))
    monkeypatch.setenv("COLUMNS", "80")
    folder = tmp_path / "lib"
    write(folder, "guides/caching.md", CACHING)
    return folder


def as_json(capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
    assert main(["library", "--json", *arguments]) == 0
    return json.loads(capsys.readouterr().out)


def test_without_a_library_the_guides_that_ship_are_listed(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    figures = as_json(capsys)
    assert set(figures["categories"]) == {"guides", "skills"}
    assert not figures["left_out"]
    assert not figures["problems"]


def test_it_lists_categories_with_documents_and_tokens(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["library", "--library", str(root)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"Library: {root}"
    assert lines[2:5] == [
        "Category  Documents  Tokens",
        "guides            1      71",
        "Total             1      71",
    ]
    assert (root.parent / "catalogs").is_dir()
    assert not (root.parent / "l.db").exists()


def test_it_names_what_was_left_out_and_fails_where_a_folder_is_missing(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(root, "guides/bad\x1b.md", b"\0")
    missing = root.parent / "nowhere"
    assert main(["library", "--library", str(root), "--library", str(missing)]) == 1
    out = capsys.readouterr().out
    assert f"Left out: {missing}: there is no such folder." in out
    assert "bad\ufffd.md: it is binary, or not UTF-8: save it as UTF-8." in out


def test_it_searches(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["library", "--library", str(root), "when does a write pay"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "content://guides/caching#break-even (30 tokens)",
        "    Prompt caching > Break-even: write, pay",
        "For the newest Claude, tokens estimated: o200k x1.54.",
    ]
    (found,) = as_json(capsys, "--library", str(root), "write")
    assert found["uri"] == "content://guides/caching#break-even"
    assert main(["library", "--library", str(root), "zebra"]) == 0
    assert capsys.readouterr().out == "Nothing matches 'zebra'.\n"


def test_folders_come_from_the_words_or_else_from_the_environment(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOKEN_TRACKING_LIBRARY", f"/a{os.pathsep}/b")
    parse = build_parser().parse_args
    assert settings_of(parse(["serve"])).library_folders() == (Path("/a"), Path("/b"))
    given = parse(["serve", "--library", "/c", "--library", "/d"])
    assert settings_of(given).library_folders() == (Path("/c"), Path("/d"))


@pytest.mark.skipif(not hasattr(os, "openpty"), reason="no terminals to make here")
def test_a_first_index_shows_how_far_it_is(
    root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    reader, writer = os.openpty()
    with os.fdopen(writer, "w") as terminal:
        monkeypatch.setattr("sys.stderr", terminal)
        monkeypatch.setenv("TERM", "xterm")
        assert main(["library", "--library", str(root)]) == 0
        terminal.flush()
        os.set_blocking(reader, False)
        shown = ""
        with suppress(BlockingIOError):
            while part := os.read(reader, 65_536):
                shown += part.decode()
    os.close(reader)
    assert "Reading the library" in shown
    assert "1/1" in shown
