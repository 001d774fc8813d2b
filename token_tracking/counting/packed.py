"""Packed vocabularies: the bytes of every token, in order of rank, deflated.

A packed file is, in zlib's format: how many tokens (4 bytes, little-endian), the length of each (a
byte), and then their bytes one after another. It inflates to what a `.tiktoken` file says in a
third of its size. Nothing here imports more than the standard library: a build checks with it.
"""

import hashlib
import zlib
from base64 import b64decode, b64encode
from itertools import accumulate, pairwise
from pathlib import Path
from typing import Final

FOLDER: Final = Path(__file__).parent / "vocabularies"

SHA256: Final = {
    "cl100k_base": "223921b76ee99bde995b7ff738513eef100fb51d18c93597a113bcffe865b2a7",
    "o200k_base": "446a9538cb6c348e3516120d7c08b09f57c36495e2acfffe59a5bf8b0cfb1a2d",
}
"""Of each vocabulary's `.tiktoken` file, as tiktoken itself expects it."""

_COUNT_BYTES: Final = 4


def packed_file(name: str) -> Path:
    """Where a packed vocabulary stands."""
    return FOLDER / f"{name}.zlib"


def pack(tokens: list[bytes]) -> bytes:
    """Tokens in order of rank, packed. None is longer than 255 bytes."""
    count = len(tokens).to_bytes(_COUNT_BYTES, "little")
    return zlib.compress(count + bytes(map(len, tokens)) + b"".join(tokens), 9)


def unpack(packed: bytes) -> list[bytes]:
    """The tokens in order of rank.

    Raises:
        ValueError: these bytes are no packed vocabulary, or were damaged.
    """
    try:
        plain = zlib.decompress(packed)
    except zlib.error as error:
        raise ValueError(f"it cannot be inflated: {error}") from error
    start = _COUNT_BYTES + int.from_bytes(plain[:_COUNT_BYTES], "little")
    lengths = plain[_COUNT_BYTES:start]
    if start + sum(lengths) != len(plain):
        raise ValueError("it is cut short, or holds more than its tokens")
    return [plain[begin:end] for begin, end in pairwise(accumulate(lengths, initial=start))]


def read_tiktoken(text: bytes) -> list[bytes]:
    """The tokens of a `.tiktoken` file, whose lines are a token in base64 and its rank.

    Raises:
        ValueError: it is none, or its ranks are not 0, 1, 2, ...
    """
    ranks = {int(rank): b64decode(token) for token, rank in map(bytes.split, text.splitlines())}
    return [ranks[rank] for rank in range(len(ranks))]


def write_tiktoken(tokens: list[bytes]) -> bytes:
    """The `.tiktoken` file of these tokens, byte for byte as OpenAI publishes it."""
    return b"".join(b"%b %d\n" % (b64encode(token), rank) for rank, token in enumerate(tokens))


def check(name: str, tokens: list[bytes]) -> None:
    """Refuse tokens that are not the vocabulary of this name, by tiktoken's own SHA-256.

    Raises:
        ValueError: they are others.
    """
    found = hashlib.sha256(write_tiktoken(tokens)).hexdigest()
    if found != SHA256[name]:
        raise ValueError(f"{name}: SHA-256 {found}, but tiktoken expects {SHA256[name]}")
