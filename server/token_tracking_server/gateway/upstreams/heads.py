"""Heads of responses that clients read, and parsers or servers between them would refuse."""

import re
from typing import Final

LONGEST_HEAD: Final = 1 << 18
"""256 KiB. The SDKs' own reader, h11, gives up after some 100 KiB."""

_KEPT: Final = b"\x00\t\n\r"
_SPACED: Final = bytes(
    0x20 if (n < 0x20 and n not in _KEPT) or n == 0x7F else n for n in range(256)
)
"""Control characters become spaces, as RFC 9110, 5.5 has it for those that end lines. NUL stays:
clients refuse it, too."""

_LENGTH: Final = re.compile(rb"\ncontent-length:[ \t]*([^\r\n]*)(?=\r?\n[^ \t])")
_CODING: Final = b"\ntransfer-encoding:"
_CHUNKED: Final = re.compile(rb"\ntransfer-encoding:[ \t]*chunked[ \t]*\r?\n(?![ \t])")


def mended(head: bytes) -> bytes:
    """The head with one length at most, and none beside a chunked body (RFC 9112, 6.3), where it
    says nothing that contradicts itself; it ends with its empty line."""
    head = head.translate(_SPACED)
    lower = head.lower()
    told = _LENGTH.findall(lower)
    if not told or (len(told) == 1 and told[0].isdigit() and _CODING not in lower):
        return head
    lengths = {each.strip() for value in told for each in value.split(b",")}
    length = lengths.pop()
    if lengths or not length.isdigit():
        return head
    if _CODING not in lower:
        return _with_length(head, b"content-length: " + length)
    codings = lower.count(_CODING)
    return _with_length(head, None) if codings == 1 and _CHUNKED.search(lower) else head


def is_interim(head: bytes) -> bool:
    """Whether another head follows (100, 103). What follows 101 is no HTTP."""
    status = head[9:12]
    return status.startswith(b"1") and status != b"101"


def _with_length(head: bytes, line: bytes | None) -> bytes:
    """`line` stands where the first length stood; the others are left out."""
    kept: list[bytes] = []
    for each in head.split(b"\n"):
        if not each.lower().startswith(b"content-length:"):
            kept.append(each)
        elif line is not None:
            kept.append(line + each[len(each.rstrip(b"\r")) :])
            line = None
    return b"\n".join(kept)
