"""What images and PDFs cost in tokens, estimated from the first bytes of their base64 text."""

import binascii
import re
from base64 import b64decode
from math import ceil
from typing import Final

from msgspec import Struct

PATCH: Final = 28
"""Pixels along one side of what Anthropic bills as one visual token (its documentation of vision:
an image costs ⌈width/28⌉ x ⌈height/28⌉ tokens; the older rule was width x height / 750)."""

PDF_PAGE_TOKENS: Final = 3_000
"""Tokens for a page of a PDF, its picture and its text together. Anthropic's documentation says
1,500 to 3,000 for the text alone; dense pages that others counted came to 2,750 and 3,150."""

PDF_PAGE_BYTES: Final = 50_000
"""Bytes to assume for a page where a PDF does not show its pages: an assumption, not measured."""

PDF_MAX_PAGES: Final = 600
"""Pages that a request may hold, by Anthropic's documentation."""

SEALED_CHARS_PER_TOKEN: Final = 4.6
"""Base64 characters of sealed text for a token: the least squares of billed output over the length
of signatures and of visible text, in 174 answers with omitted thinking, of 38 sessions of three
public projects. Half of those with little other output lie between 3.3 and 5.4."""

_HEAD: Final = 128 * 1024
_PDF_HEAD: Final = 2 * 1024 * 1024
_PAGE_MARK: Final = re.compile(rb"/Type\s*/Page(?![A-Za-z])")
_JPEG_FRAMES: Final = frozenset({*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC})


class Resolution(Struct, frozen=True):
    """How large an image a model sees: it is scaled down to fit both limits first."""

    edge: int
    """Pixels along the longer side."""
    tokens: int
    """Visual tokens at most, and what an image of unknown size is taken to cost."""


STANDARD: Final = Resolution(1_568, 1_568)
"""Claude models up to version 4.6."""
HIGH: Final = Resolution(2_576, 4_784)
"""Claude models from Opus 4.7 on, by Anthropic's documentation of vision."""


def image_tokens(data: object, resolution: Resolution = STANDARD) -> int:
    """The tokens that an image costs, from its base64 text; the most where its size is unknown."""
    size = image_size(data) if isinstance(data, str) else None
    if size is None:
        return resolution.tokens
    scale = min(1.0, resolution.edge / max(size))
    patches = [ceil(round(side * scale) / PATCH) for side in size]
    return max(1, min(resolution.tokens, patches[0] * patches[1]))


def pdf_tokens(data: object) -> int:
    """The tokens that a PDF costs, from its base64 text: by the pages that show in its first
    1.5 MB, or else by its size. A PDF that is not at hand counts as one page: too little."""
    if not isinstance(data, str) or not data:
        return PDF_PAGE_TOKENS
    head = _decoded(data, _PDF_HEAD)
    share = min(1.0, _PDF_HEAD / len(data))
    shown = len(_PAGE_MARK.findall(head)) / share
    pages = round(shown) or ceil(len(data) * 3 / 4 / PDF_PAGE_BYTES)
    return PDF_PAGE_TOKENS * min(max(1, pages), PDF_MAX_PAGES)


def sealed_tokens(data: object) -> int:
    """The tokens of text that only the provider can read, from the length of its base64 text."""
    return round(len(data) / SEALED_CHARS_PER_TOKEN) if isinstance(data, str) else 0


def image_size(data: str) -> tuple[int, int] | None:
    """Width and height in pixels of a PNG, JPEG, GIF or WebP, from its base64 text; None where
    its first bytes do not tell."""
    head = _decoded(data, _HEAD)
    for read in (_png, _gif, _webp, _jpeg):
        size = read(head)
        if size is not None:
            return size if min(size) > 0 else None
    return None


def _decoded(data: str, limit: int) -> bytes:
    try:
        return b64decode(data[:limit])
    except (binascii.Error, ValueError):
        return b""


def _png(head: bytes) -> tuple[int, int] | None:
    if not head.startswith(b"\x89PNG\r\n\x1a\n") or len(head) < 24:
        return None
    return int.from_bytes(head[16:20], "big"), int.from_bytes(head[20:24], "big")


def _gif(head: bytes) -> tuple[int, int] | None:
    if not head.startswith(b"GIF8") or len(head) < 10:
        return None
    return int.from_bytes(head[6:8], "little"), int.from_bytes(head[8:10], "little")


def _webp(head: bytes) -> tuple[int, int] | None:
    if head[:4] != b"RIFF" or head[8:12] != b"WEBP" or len(head) < 30:
        return None
    chunk = head[12:16]
    if chunk == b"VP8X":
        return 1 + int.from_bytes(head[24:27], "little"), 1 + int.from_bytes(head[27:30], "little")
    if chunk == b"VP8L":
        bits = int.from_bytes(head[21:25], "little")
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    wide, high = (int.from_bytes(head[at : at + 2], "little") & 0x3FFF for at in (26, 28))
    return wide, high


def _jpeg(head: bytes) -> tuple[int, int] | None:
    if not head.startswith(b"\xff\xd8"):
        return None
    at = 2
    while at + 9 <= len(head) and head[at] == 0xFF:
        marker = head[at + 1]
        if marker in _JPEG_FRAMES:
            high, wide = (int.from_bytes(head[at + n : at + n + 2], "big") for n in (5, 7))
            return wide, high
        at += 2 + max(2, int.from_bytes(head[at + 2 : at + 4], "big"))
    return None
