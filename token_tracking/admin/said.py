"""What the other side says is wrong, fit for a terminal."""

from typing import Final

import msgspec

_LONGEST: Final = 200
_READ: Final = 10_000
_PREFIX: Final = 4
_RUN: Final = 6


class _FailureText(msgspec.Struct):
    message: str = ""


class _Failure(msgspec.Struct):
    error: _FailureText


def said(body: bytes, key: str) -> str:
    """The message of a refusal, in a line of 200 characters at most; '' where there is none.

    Without characters that a terminal obeys, and without each word that holds the beginning of the
    key (four characters) or six of its characters in a row.
    """
    try:
        message = msgspec.json.decode(body, type=_Failure).error.message
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return ""
    words = "".join(map(_printable, message[:_READ])).split()
    return " ".join("..." if _tells(word, key) else word for word in words)[:_LONGEST]


def _printable(character: str) -> str:
    if character.isprintable():
        return character
    return " " if character.isspace() else ""


def _tells(word: str, key: str) -> bool:
    lower, secret = word.lower(), key.lower()
    runs = (secret[start : start + _RUN] for start in range(max(1, len(secret) - _RUN + 1)))
    return secret[:_PREFIX] in lower or any(run in lower for run in runs)
