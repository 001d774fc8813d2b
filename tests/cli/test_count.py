"""`token-tracking count` and `token-tracking calibrate`."""

import asyncio
import io
import json
import sqlite3
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.counting.billed import transcript
from tests.counting.plain import plain_tokens
from token_tracking.counting import Multiplier
from token_tracking.store import TokenStore
from token_tracking_server.cli import main

TEXT = "It's a text of some words. " * 30


@pytest.fixture(autouse=True)
def ledger(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    path = tmp_path / "l.db"
    monkeypatch.setenv("TOKEN_TRACKING_DB", str(path))
    monkeypatch.setenv("COLUMNS", "80")
    return path


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "page.md"
    path.write_text(TEXT, encoding="utf-8")
    return path


def shown(capsys: pytest.CaptureFixture[str], *words: str | Path) -> str:
    assert main(list(map(str, words))) == 0
    return capsys.readouterr().out


def refused(capsys: pytest.CaptureFixture[str], *words: str | Path) -> str:
    assert main(list(map(str, words))) == 1
    return capsys.readouterr().err


def test_a_file_is_counted_exactly_for_a_public_tokenizer(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = shown(capsys, "count", file, "--model", "gpt-5")
    assert out == f"{plain_tokens(TEXT)}  {file}\no200k_base: exact.\n"


def test_an_estimate_says_its_error(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = shown(capsys, "count", file, "--model", "claude-opus-4-6").splitlines()
    assert out[0].split()[0] == str(round(plain_tokens(TEXT) * 1.12))
    assert out[1] == "o200k_base x 1.12 (default): an estimate; 19 in 20 are within 8.4%."
    assert all(len(line) <= 80 for line in out[1:])
    assert "unknown error" in shown(capsys, "count", file, "--model", "gemini-3")
    assert "no model is named" in shown(capsys, "count", file)


def test_several_files_have_a_total(
    file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = tmp_path / "other\x1b[31m.md"
    other.write_text("\ufeff" + TEXT * 100, encoding="utf-8")
    one, two = plain_tokens(TEXT), plain_tokens("\ufeff" + TEXT * 100)
    lines = shown(capsys, "count", file, other, "--model", "gpt-5").splitlines()
    assert [line.split()[0] for line in lines[:3]] == [f"{n:,}" for n in (one, two, one + two)]
    assert "\x1b" not in lines[1]
    found = json.loads(shown(capsys, "count", file, other, "--model", "gpt-5", "--json"))
    assert [each["tokens"] for each in found["files"]] == [one, two]
    assert found["total"] == {
        "tokens": one + two,
        "method": "o200k_base",
        "exact": True,
        "error_p95": 0.0,
    }


def test_standard_input_is_read(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO("中文 text".encode())))
    found = json.loads(shown(capsys, "count", "-", "--model", "gpt-5", "--json"))
    assert found["files"][0]["tokens"] == plain_tokens("中文 text")


def test_a_file_that_is_no_text_says_what_to_do(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "No such file" in refused(capsys, "count", tmp_path / "gone")
    assert "Is a directory" in refused(capsys, "count", tmp_path)
    (tmp_path / "b").write_bytes(b"ok\xff\x00")
    assert "not UTF-8 text (byte 2)" in refused(capsys, "count", tmp_path / "b")
    (tmp_path / "u").write_text("text", encoding="utf-16")
    assert "it is UTF-16. Convert it" in refused(capsys, "count", tmp_path / "u")


def test_a_count_makes_no_ledger(
    file: Path, ledger: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shown(capsys, "count", file, "--model", "claude-opus-4-6")
    assert not ledger.exists()


def test_what_the_ledger_learned_is_used(
    file: Path, ledger: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async def save() -> None:
        learned = Multiplier(
            multiplier=1.3, error_median=0.01, error_p95=0.05, samples=80, learned_at=5
        )
        async with TokenStore.opened(ledger) as store:
            await store.save_multipliers({"claude-opus-4-6": learned})

    asyncio.run(save())
    out = shown(capsys, "count", file, "--model", "claude-opus-4.6")
    assert "x 1.3 (learned): an estimate; 19 in 20 are within 5.0%" in out


def test_a_ledger_that_cannot_be_used_is_said_and_not_needed(
    file: Path, ledger: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ledger.write_bytes(b"no database at all, but something else")
    assert main(["count", str(file), "--model", "claude-opus-4-6"]) == 0
    said = capsys.readouterr()
    assert "x 1.12 (default)" in said.out
    assert "nothing learned is used" in said.err


def test_the_reference_needs_a_model_and_a_key(
    file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("ANTHROPIC_API_KEY", raising=False)
    assert "add --model" in refused(capsys, "count", file, "--reference")
    asked = ("count", file, "--reference", "--model", "claude-opus-4-6")
    assert "set ANTHROPIC_API_KEY" in refused(capsys, *asked)


@pytest.mark.slow
def test_calibrate_says_what_it_learned(
    claude: Path, ledger: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    transcript(claude, "one", 1.4, "claude-opus-4-6")
    transcript(claude, "two", 1.4, "claude-opus-4-6")
    transcript(claude, "three", 1.4, "claude-opus-4-5")
    shown(capsys, "ingest", "--claude-dir", claude)
    table = shown(capsys, "calibrate", "--claude-dir", claude).splitlines()
    assert all(len(line) <= 80 for line in table)
    rows = {line.split()[0]: line.split() for line in table}
    assert rows["claude-opus-4-6"][1:3] == ["60", "1.12"]
    assert {"1.40", "yes"} <= set(rows["claude-opus-4-6"])
    assert "no:" in rows["claude-opus-4-5"]
    with sqlite3.connect(ledger) as connection:
        # What prompts are shared out by is another now.
        assert connection.execute("SELECT COUNT(*) FROM due").fetchone() == (3,)
    connection.close()
    found = json.loads(shown(capsys, "calibrate", "--claude-dir", claude, "--json"))
    models: dict[str, Any] = {each["model"]: each for each in found["models"]}
    assert models["claude-opus-4-6"]["kept"]["samples"] == 60
    assert models["claude-opus-4-5"]["fitted"] is None


def test_calibrate_without_texts_says_so(claude: Path, capsys: pytest.CaptureFixture[str]) -> None:
    claude.mkdir()
    out = shown(capsys, "calibrate", "--claude-dir", claude)
    assert out.startswith("Nothing to learn from in 0 transcripts")
