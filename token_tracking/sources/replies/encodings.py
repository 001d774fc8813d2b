"""Content codings: bytes as they came, decoded piece by piece, and never more at once than asked.

Damaged data is decoded as far as it goes. zstd is read where Python has it (3.14).
"""

import zlib
from collections.abc import Iterator
from contextlib import suppress
from importlib import import_module
from importlib.util import find_spec
from typing import Final, Protocol, cast

_PIECE: Final = 1 << 18
"""256 KiB: a small body can decode to a thousand times its size."""

_SALVAGED: Final = 256
"""Bytes at once where the data is damaged: so many may be lost in front of the damage."""

_GZIP: Final = zlib.MAX_WBITS | 16
_ZLIB: Final = zlib.MAX_WBITS
_RAW: Final = -zlib.MAX_WBITS

_HAS_ZSTD: Final = (
    find_spec("compression") is not None and find_spec("compression.zstd") is not None
)

READABLE_ENCODINGS: Final = frozenset(
    {"identity", "gzip", "x-gzip", "deflate", *(["zstd"] if _HAS_ZSTD else [])}
)
"""The content codings that can be decoded here."""


class Decoder(Protocol):
    """One content coding of one body."""

    def decode(self, data: bytes) -> Iterator[bytes]:
        """What the next bytes decode to, in pieces."""
        ...


def readable_encodings(accept_encoding: str) -> str:
    """The value of an `accept-encoding` header without those that cannot be decoded here; where
    none is left, `identity`."""
    kept = [
        coding
        for coding in (each.strip() for each in accept_encoding.split(","))
        if coding.partition(";")[0].strip().lower() in READABLE_ENCODINGS
    ]
    return ", ".join(kept) or "identity"


def codings_of(content_encoding: str) -> list[str]:
    """The codings that the value of a `content-encoding` header names; none for plain bytes."""
    codings = [name for part in content_encoding.split(",") if (name := part.strip().lower())]
    return [coding for coding in codings if coding != "identity"]


def decoder_of(codings: list[str]) -> Decoder | None:
    """A decoder for `codings_of` a body; `None` where it cannot be read."""
    if len(codings) != 1 or codings[0] not in READABLE_ENCODINGS:
        return None
    match codings[0]:
        case "gzip" | "x-gzip":
            return _Gzip()
        case "deflate":
            return _Deflate()
        case _:
            return _Zstd()


class _Inflater(Protocol):
    @property
    def unconsumed_tail(self) -> bytes: ...

    def decompress(self, data: bytes, max_length: int, /) -> bytes: ...

    def copy(self) -> "_Inflater": ...


def _decompressed(stream: _Inflater, data: bytes) -> tuple[bytes, bool]:
    """The next piece, and whether the data is damaged: what stands before the damage is kept."""
    before = stream.copy()
    try:
        return stream.decompress(data, _PIECE), False
    except zlib.error:
        pass
    kept: list[bytes] = []
    with suppress(zlib.error):
        while piece := before.decompress(data, _SALVAGED):
            kept.append(piece)
            data = before.unconsumed_tail
    return b"".join(kept), True


class _Gzip:
    """Also several members, one behind the other."""

    def __init__(self) -> None:
        self._member = zlib.decompressobj(_GZIP)
        self._is_damaged = False

    def decode(self, data: bytes) -> Iterator[bytes]:
        while data and not self._is_damaged:
            piece, self._is_damaged = _decompressed(self._member, data)
            data = self._member.unconsumed_tail
            if self._member.eof:
                data = self._member.unused_data
                self._member = zlib.decompressobj(_GZIP)
            yield piece


class _Deflate:
    """With zlib's header, as the standard has it, or without, as some servers send it."""

    def __init__(self) -> None:
        self._stream = zlib.decompressobj(_ZLIB)
        self._head: bytes | None = b""
        self._is_damaged = False

    def decode(self, data: bytes) -> Iterator[bytes]:
        if self._head is not None:
            data = self._head = self._head + data
            if len(data) < 2:
                return
            if not _is_zlib(data):
                self._stream = zlib.decompressobj(_RAW)
            self._head = None
        while data and not self._is_damaged and not self._stream.eof:
            piece, self._is_damaged = _decompressed(self._stream, data)
            data = self._stream.unconsumed_tail
            yield piece


def _is_zlib(head: bytes) -> bool:
    """RFC 1950: method 8, and the first two bytes as a number are a multiple of 31."""
    return head[0] & 0x0F == 8 and (head[0] << 8 | head[1]) % 31 == 0


class _Decompressor(Protocol):
    eof: bool
    unused_data: bytes
    needs_input: bool

    def decompress(self, data: bytes, max_length: int) -> bytes: ...


class _Zstd:
    """Also several frames, one behind the other."""

    def __init__(self) -> None:
        self._zstd = import_module("compression.zstd")
        self._frame = self._new_frame()
        self._is_damaged = False

    def _new_frame(self) -> _Decompressor:
        return cast("_Decompressor", self._zstd.ZstdDecompressor())

    def decode(self, data: bytes) -> Iterator[bytes]:
        while not self._is_damaged:
            try:
                piece = self._frame.decompress(data, _PIECE)
            except self._zstd.ZstdError:
                self._is_damaged = True
                return
            yield piece
            data = b""
            if self._frame.eof:
                data = self._frame.unused_data
                self._frame = self._new_frame()
                if not data:
                    return
            elif self._frame.needs_input:
                return
