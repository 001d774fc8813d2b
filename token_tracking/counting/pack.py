"""Packs a vocabulary anew, and checks those that are packed.

python -m token_tracking.counting.pack [FILE.tiktoken | RANKS.js]...

Without a file it only checks. RANKS.js is `dist/ranks/o200k_base.js` of the npm package
js-tiktoken; a `.tiktoken` file is what tiktoken itself keeps. Nothing is written unless the
SHA-256 of the `.tiktoken` file is the one that tiktoken expects.
"""

import re
import sys
from base64 import b64decode
from collections.abc import Sequence
from pathlib import Path

from token_tracking.counting.packed import (
    SHA256,
    check,
    pack,
    packed_file,
    read_tiktoken,
    unpack,
)


def read_source(path: Path) -> list[bytes]:
    """The tokens in order of rank, of a `.tiktoken` file or of js-tiktoken's module.

    Raises:
        ValueError: it is neither, or ranks are missing.
        OSError: it cannot be read.
    """
    text = path.read_bytes()
    if path.suffix == ".tiktoken":
        return read_tiktoken(text)
    found = re.search(rb'"bpe_ranks":"([^"]*)"', text)
    if found is None:
        raise ValueError(f"{path} has no bpe_ranks: give a .tiktoken file, or js-tiktoken's ranks")
    ranks: dict[int, bytes] = {}
    for run in found[1].split(rb"\n"):  # "! first-rank token token ..."
        _, first, *tokens = run.split(b" ") if run else (b"", b"0")
        ranks.update(enumerate(map(b64decode, tokens), int(first)))
    return [ranks[rank] for rank in range(len(ranks))]


def main(arguments: Sequence[str]) -> int:
    """The command line."""
    for path in map(Path, arguments):
        tokens = read_source(path)
        check(path.stem, tokens)
        packed_file(path.stem).write_bytes(pack(tokens))
    for name in SHA256:
        packed = packed_file(name).read_bytes()
        tokens = unpack(packed)
        check(name, tokens)
        print(f"{name}: {len(tokens):,} tokens in {len(packed):,} bytes, SHA-256 as tiktoken's")  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
