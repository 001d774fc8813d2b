"""The packed vocabularies are tiktoken's, and are all that counting needs."""

import inspect
import runpy
import shutil
import socket
import subprocess
import sys
import zlib
from pathlib import Path
from typing import Any

import pytest
from tiktoken_ext import openai_public  # pyright: ignore[reportMissingTypeStubs]

from tests.counting.plain import plain_encoding
from token_tracking.counting import CountingError, encoding_tokens, encodings
from token_tracking.counting.encodings import PATTERNS, EncodingName
from token_tracking.counting.pack import read_source
from token_tracking.counting.packed import (
    SHA256,
    check,
    pack,
    packed_file,
    read_tiktoken,
    unpack,
    write_tiktoken,
)

ROOT = Path(__file__).parents[2]
NAMES: list[EncodingName] = ["o200k_base", "cl100k_base"]


@pytest.mark.parametrize("name", NAMES)
def test_a_vocabulary_has_the_sha256_that_the_installed_tiktoken_expects(
    name: EncodingName,
) -> None:
    source = inspect.getsource(getattr(openai_public, name))
    assert f'expected_hash="{SHA256[name]}"' in source
    check(name, unpack(packed_file(name).read_bytes()))


@pytest.mark.parametrize("name", NAMES)
def test_its_pattern_is_tiktokens_but_for_a_group(name: EncodingName) -> None:
    plain: str = plain_encoding(name)._pat_str  # pyright: ignore[reportPrivateUsage]
    ours = PATTERNS[name]
    if name == "o200k_base":
        assert ours.startswith("(?:")
        ours = ours.removeprefix("(?:").replace(r"|\s*[\r\n]+)|", r"|\s*[\r\n]+|")
    assert ours == plain


def test_other_tokens_are_refused() -> None:
    tokens = unpack(packed_file("cl100k_base").read_bytes())
    tokens[300], tokens[301] = tokens[301], tokens[300]
    with pytest.raises(ValueError, match="tiktoken expects 223921b76e"):
        check("cl100k_base", tokens)


def test_packing_loses_nothing() -> None:
    tokens = [b"a", b"\n", bytes(range(255))]
    assert unpack(pack(tokens)) == tokens
    assert read_tiktoken(write_tiktoken(tokens)) == tokens


@pytest.mark.parametrize(
    "packed",
    [
        b"",
        b"no zlib",
        pack([b"ab", b"c"])[:-3],
        zlib.compress(b"\x02\0\0\0\x02\x01ab"),
        zlib.compress(b"\x02\0\0\0\x02\x01abcd"),
    ],
)
def test_a_damaged_file_is_refused(packed: bytes) -> None:
    with pytest.raises(ValueError, match=r"inflated|cut short"):
        unpack(packed)


def test_the_ranks_of_js_tiktoken_are_read(tmp_path: Path) -> None:
    module = tmp_path / "o200k_base.js"
    module.write_text(r'export default {"pat_str":"x","bpe_ranks":"! 0 YQ== Yg==\n! 2 YWI="};')
    assert read_source(module) == [b"a", b"b", b"ab"]
    module.write_text("export default {}")
    with pytest.raises(ValueError, match="no bpe_ranks"):
        read_source(module)


def test_a_build_checks_them(tmp_path: Path) -> None:
    folder = tmp_path / "token_tracking" / "counting"
    shutil.copytree(ROOT / "token_tracking" / "counting", folder)
    hook: Any = runpy.run_path(str(ROOT / "hatch_build.py"))["CheckVocabularies"]
    build = hook(str(tmp_path), {}, None, None, str(tmp_path), "wheel")
    build.initialize("standard", {})
    (folder / "vocabularies" / "cl100k_base.zlib").write_bytes(pack([b"a"]))
    with pytest.raises(ValueError, match="cl100k_base: SHA-256"):
        build.initialize("standard", {})


def test_a_damaged_installation_says_what_to_do(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(encodings, "packed_file", tmp_path.joinpath)
    monkeypatch.setattr(encodings, "_loaded", {})
    with pytest.raises(CountingError, match="Install it again"):
        encoding_tokens("x")


def test_nothing_is_fetched_and_nothing_is_cached(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("counting opened a socket")

    monkeypatch.setattr(socket, "socket", refuse)
    monkeypatch.setattr(socket, "create_connection", refuse)
    monkeypatch.setattr(encodings, "_loaded", {})
    monkeypatch.setenv("TIKTOKEN_CACHE_DIR", str(tmp_path / "cache"))
    (tmp_path / "cache").mkdir()
    assert encoding_tokens("hello world") == 2
    assert encoding_tokens("hello world", "cl100k_base") == 2
    assert not list((tmp_path / "cache").iterdir())


def test_importing_the_package_or_counting_loads_no_tiktoken() -> None:
    program = (
        "import token_tracking, token_tracking.counting, sys; print('tiktoken' in sys.modules)"
    )
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    assert run.stdout.strip() == b"False"
