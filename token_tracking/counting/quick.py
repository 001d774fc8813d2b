"""A text's tokens in o200k_base, estimated without the vocabulary: where loading it, or counting
exactly, takes longer than the answer is worth.

Every byte becomes a digit of base 16 that says of what kind it is, and the text one large number.
Shifts, masks and counts of its bits find where the pieces begin that the encoding cuts a text
into, and what makes a piece longer than one token: a few dozen operations of Python, each at the
speed of C. A linear model that was fitted to exact counts does the rest.
"""

from binascii import unhexlify
from collections.abc import Iterable
from operator import mul
from typing import Final, NamedTuple

QUICK_METHOD: Final = "o200k_base, estimated from kinds of characters"
"""How these figures are made, in the words of `TokenCount.method`."""

QUICK_ERROR_P95: Final = 0.16
"""Relative: nineteen in twenty held-out texts of at least 200 characters were within it. Sums of
many texts are better, Finnish, Polish and other languages with few tokens of their own worse:
`python -m benchmarks.counting_quick` has the figures by kind, and fits the weights."""

WEIGHTS: Final = {
    "bytes": -0.0150,
    "pieces": 1.0637,
    "words joined to a mark": -0.4966,
    "words without their space": 0.8773,
    "fourth digits and 16th letters on": 0.4262,
    "long words and marks": 0.1195,
    "rules, and marks behind a word": -0.0670,
}
"""Tokens for each of what `measures` counts in every text."""

FOREIGN_WEIGHTS: Final = {
    "characters": -0.1130,
    "bytes of them": -0.1213,
    "runs": 0.6192,
    "runs behind a letter": 1.5423,
    "fourth and later bytes": 0.4489,
    "16th and later bytes": -0.0342,
    "Greek": -0.1347,
    "Cyrillic": -0.2175,
    "Hebrew and Arabic": -0.1328,
    "Indian and Thai": -0.3778,
    "U+1000 to U+1FFF": -2.1027,
    "signs": -0.1850,
    "Kana": -0.1324,
    "Hangul": -0.2230,
    "emoji": 0.9338,
}
"""Tokens for each of what `measures` counts of the characters outside ASCII."""

CUT: Final = 1 << 14
"""Characters measured at once: in under a millisecond, so that other threads do not wait."""

_LONGEST: Final = 128
"""Characters of the longest tokens of o200k_base, which are of spaces and of rules."""

_DIGIT: Final = 4  # bits
_ONES: Final = int.from_bytes(b"\x11" * (2 * CUT))
"""The lowest bit of as many digits as a cut has bytes at most."""

_NOT_FIRST: Final = bytes(range(0xC0))
"""ASCII, and the bytes of UTF-8 that begin no character."""
_SCRIPTS: Final = (
    b"\xce\xcf",
    bytes(range(0xD0, 0xD4)),
    bytes(range(0xD6, 0xDC)),
    b"\xe0",
    b"\xe1",
    b"\xe2",
    b"\xe3",
    bytes(range(0xEA, 0xEE)),
    bytes(range(0xF0, 0xF5)),
)
"""The bytes that begin the characters of each script, in the order of `FOREIGN_WEIGHTS`."""


def _kind(byte: int) -> int:
    """The digit of a byte: `_Kinds.of` reads it."""
    char = chr(byte)
    if byte >= 128:
        return 0
    if char.isalpha():
        return 0b0011 if char.isupper() else 0b0001
    if char.isdigit():
        return 0b0010
    if char in "\r\n":
        return 0b1100
    return 0b0100 if char in " \t\v\f" else 0b1000


_KINDS: Final = "".join(f"{_kind(byte):x}" for byte in range(256)).encode()


class _Kinds(NamedTuple):
    """The places of each kind of character: the lowest bit of their digits is set."""

    lower: int
    upper: int
    digits: int
    blanks: int
    breaks: int
    marks: int

    @classmethod
    def of(cls, number: int) -> "_Kinds":
        letters, second = number & _ONES, number >> 1 & _ONES
        third, fourth = number >> 2 & _ONES, number >> 3 & _ONES
        upper, breaks = letters & second, third & fourth
        return cls(letters ^ upper, upper, second ^ upper, third ^ breaks, breaks, fourth ^ breaks)


def quick_tokens(text: str) -> int:
    """About the tokens of a text in o200k_base: 0 for an empty one, else at least 1.

    `QUICK_ERROR_P95` says how good it is. One letter over and over is its weak spot.
    """
    if len(text) <= CUT:
        tokens = _tokens(text)
    else:
        tokens = sum(_tokens(text[at : at + CUT]) for at in range(0, len(text), CUT))
    return max(round(tokens), -(-len(text) // _LONGEST))


def quick_tokens_many(texts: Iterable[str]) -> list[int]:
    """`quick_tokens` of each text."""
    return [quick_tokens(text) for text in texts]


def measures(text: str) -> list[int]:
    """What is counted in a text of at most `CUT` characters: what `WEIGHTS` names, and unless it
    is all ASCII, what `FOREIGN_WEIGHTS` names."""
    data = text.encode("utf-8", "replace")
    digits = data.translate(_KINDS)
    number = int.from_bytes(unhexlify(b"0" + digits if len(digits) & 1 else digits))
    if text.isascii():
        return [len(data), *_measures(_Kinds.of(number), 0)]
    places = _ONES >> _DIGIT * (4 * CUT - len(data))
    foreign = places ^ (places & (number | number >> 1 | number >> 2 | number >> 3))
    found = [len(data), *_measures(_Kinds.of(number), foreign)]
    return [*found, *_foreign(data, foreign, number & _ONES)]


def _tokens(text: str) -> float:
    return sum(map(mul, measures(text), _ALL_WEIGHTS))


_ALL_WEIGHTS: Final = (*WEIGHTS.values(), *FOREIGN_WEIGHTS.values())


def _measures(kinds: _Kinds, foreign: int) -> list[int]:
    lower, upper, digits, blanks, breaks, marks = kinds
    letters = lower | upper
    words = letters | foreign
    # What stands in front of a character, moved to that character's place.
    word_before, blank_before = words >> _DIGIT, blanks >> _DIGIT
    break_before, mark_before = breaks >> _DIGIT, marks >> _DIGIT
    digit_pairs, mark_pairs = digits & digits >> _DIGIT, marks & mark_before
    blank_pairs = blanks & blank_before
    mark_starts = marks ^ mark_pairs
    pieces = (
        words ^ (words & word_before)
        | upper & lower >> _DIGIT
        | digits ^ digit_pairs
        | mark_starts
        | breaks ^ (breaks & (break_before | mark_before))
        | blank_pairs ^ (blank_pairs & blank_pairs >> _DIGIT)
    )
    # A mark alone joins the word behind it, unless a space has joined the mark.
    joined = letters & (mark_starts ^ (mark_starts & blank_before)) >> _DIGIT
    # Only words take in the space in front of them, and what is random has no words.
    spaceless = letters & break_before | digits & blank_before | _runs(letters | digits, 16) & upper
    long = _runs(lower, 8)
    cheap = _runs(mark_pairs, 8) | marks & word_before
    return [
        pieces.bit_count(),
        joined.bit_count(),
        spaceless.bit_count(),
        (digit_pairs & digit_pairs >> 2 * _DIGIT | long & long >> 8 * _DIGIT).bit_count(),
        (mark_pairs | long).bit_count(),
        cheap.bit_count(),
    ]


def _runs(kind: int, length: int) -> int:
    """The places that end `length` of a kind, a power of two, without a gap."""
    done = 1
    while done < length and kind:
        kind &= kind >> done * _DIGIT
        done *= 2
    return kind


def _foreign(data: bytes, foreign: int, letters: int) -> list[int]:
    begun = data.translate(None, _NOT_FIRST)
    four = _runs(foreign, 4)
    counts = [
        len(begun),
        foreign.bit_count(),
        (foreign ^ (foreign & foreign >> _DIGIT)).bit_count(),
        (foreign & letters >> _DIGIT).bit_count(),
        four.bit_count(),
        (four & four >> 4 * _DIGIT & four >> 8 * _DIGIT & four >> 12 * _DIGIT).bit_count(),
    ]
    for script in _SCRIPTS:
        rest = begun.translate(None, script)
        counts.append(len(begun) - len(rest))
        begun = rest
    return counts
