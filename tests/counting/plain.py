"""tiktoken's own encodings, with its own patterns, over our ranks: what counts are held against."""

from functools import cache
from unittest.mock import patch

import tiktoken
from tiktoken_ext import openai_public  # pyright: ignore[reportMissingTypeStubs]

from token_tracking.counting.encodings import EncodingName
from token_tracking.counting.packed import packed_file, unpack


@cache
def plain_encoding(name: EncodingName) -> tiktoken.Encoding:
    """tiktoken's encoding, made without its download."""
    ranks = {token: rank for rank, token in enumerate(unpack(packed_file(name).read_bytes()))}
    with patch.object(openai_public, "load_tiktoken_bpe", return_value=ranks):
        return tiktoken.Encoding(**getattr(openai_public, name)())


def plain_tokens(text: str, name: EncodingName = "o200k_base") -> int:
    """What tiktoken counts."""
    return len(plain_encoding(name).encode_ordinary(text))
