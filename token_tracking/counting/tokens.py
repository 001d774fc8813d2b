"""How many tokens a text has in an encoding: on all cores, and whatever its size."""

import os
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Final, NamedTuple

from token_tracking.counting.encodings import EncodingName, encoding_named
from token_tracking.counting.parts import PART, parts

_SHARE: Final = 2 * PART
"""Characters that a thread takes at once: handing over costs as much as some dozen tokens."""
_MOST_THREADS: Final = 8


class EncodingCount(NamedTuple):
    """Tokens in an encoding. `exact` is false where the text is no valid Unicode (half of a
    surrogate pair counts as U+FFFD), or had to be cut inside a piece."""

    tokens: int
    exact: bool


class _Slice(NamedTuple):
    """Where a part stands in which text."""

    text: int
    begin: int
    end: int
    safe: bool


def encoding_tokens(text: str, encoding: EncodingName = "o200k_base") -> int:
    """The tokens of a text in an encoding; special tokens in it are ordinary text.

    Raises:
        CountingError: the vocabulary is missing or damaged.
    """
    return encoding_tokens_many([text], encoding)[0]


def encoding_tokens_many(texts: Iterable[str], encoding: EncodingName = "o200k_base") -> list[int]:
    """The tokens of each text: for thousands of small texts as for a few large ones.

    Raises:
        CountingError: the vocabulary is missing or damaged.
    """
    return _count(list(texts), encoding)[0]


def count_exactly(text: str, encoding: EncodingName) -> EncodingCount:
    """The tokens of a text, and whether they are what tiktoken counts.

    Raises:
        CountingError: the vocabulary is missing or damaged.
    """
    (tokens,), cut_safely = _count([text], encoding)
    return EncodingCount(tokens, cut_safely and _is_unicode(text))


def _count(texts: Sequence[str], name: EncodingName) -> tuple[list[int], bool]:
    """The tokens of each text, and whether every cut was a safe one."""
    encode = encoding_named(name).encode_ordinary
    tokens = [0] * len(texts)
    safe = True
    endless: dict[str, int] = {}

    def count(share: list[_Slice]) -> list[int]:
        return [tokens_of(part) for part in share]

    def tokens_of(part: _Slice) -> int:
        text = texts[part.text][part.begin : part.end]
        if part.safe:
            return len(encode(text))
        # Mostly one character over and over, which takes ten times as long as a text.
        if text not in endless:
            endless[text] = len(encode(text))
        return endless[text]

    shares = list(_shares(texts))
    threads = _threads() if len(shares) > 1 else None
    counted = map(count, shares) if threads is None else threads.map(count, shares)
    for share, counts in zip(shares, counted, strict=True):
        for part, found in zip(share, counts, strict=True):
            tokens[part.text] += found
            safe = safe and part.safe
    return tokens, safe


def _shares(texts: Sequence[str]) -> Iterator[list[_Slice]]:
    """The parts of all texts, gathered to what a thread takes at once."""
    share: list[_Slice] = []
    size = 0
    for index, text in enumerate(texts):
        for begin, end, safe in parts(text):
            share.append(_Slice(index, begin, end, safe))
            size += end - begin
            if size >= _SHARE:
                yield share
                share, size = [], 0
    if share:
        yield share


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


@cache
def _threads() -> ThreadPoolExecutor | None:
    """tiktoken lets go of the interpreter while it counts, so threads share the work."""
    cores = min(os.cpu_count() or 1, _MOST_THREADS)
    return ThreadPoolExecutor(cores, "token-tracking-count") if cores > 1 else None


if hasattr(os, "register_at_fork"):
    # A forked process has none of its parent's threads, and would wait for them for ever.
    os.register_at_fork(after_in_child=_threads.cache_clear)
