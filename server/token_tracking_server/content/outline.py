"""What the catalog keeps of a document: its sections with their sizes, and no text."""

from collections.abc import Sequence
from typing import Final

import msgspec
from msgspec import Struct

from token_tracking_server.content.uris import Address

_PART_LEVEL: Final = 7


class Piece(Struct, frozen=True, array_like=True):
    """A section up to the next heading or part; `tokens` are of that text, by o200k_base."""

    anchor: str
    title: str
    level: int
    tokens: int


class Entry(Struct, frozen=True, kw_only=True):
    """A document of the catalog. `tokens` are of its whole text, by o200k_base."""

    number: int
    root: int
    path: str
    digest: bytes
    category: str
    document_id: str
    title: str
    description: str
    tokens: int
    pieces: tuple[Piece, ...]

    @classmethod
    def of_row(cls, row: Sequence[object]) -> "Entry":
        """A row of the queries that give documents."""
        *columns, outline = row
        fields = dict(zip(cls.__struct_fields__, columns, strict=False))
        return cls(**fields, pieces=_DECODER.decode(outline))  # pyright: ignore[reportArgumentType]

    @property
    def uri(self) -> str:
        """Of the whole document."""
        return Address(self.category, self.document_id).uri

    def section_uri(self, piece: int) -> str:
        """Of one section."""
        return Address(self.category, self.document_id, self.pieces[piece].anchor).uri

    def section_of(self, anchor: str) -> int | None:
        """The number of the section with this anchor."""
        found = (n for n, piece in enumerate(self.pieces) if piece.anchor == anchor)
        return next(found, None)

    def extent(self, piece: int) -> range:
        """The pieces that a section consists of: its own and those below it."""
        level = self.pieces[piece].level
        last = piece + 1
        while last < len(self.pieces) and self._is_below(last, level):
            last += 1
        return range(piece, last)

    def _is_below(self, piece: int, level: int) -> bool:
        other = self.pieces[piece].level
        return other > level if level else other == _PART_LEVEL

    def tokens_of(self, pieces: Sequence[int]) -> int:
        """The size of some pieces together."""
        return sum(self.pieces[piece].tokens for piece in pieces)

    def trail(self, piece: int) -> tuple[str, ...]:
        """The titles of the sections that a section stands in, and its own."""
        titles: list[str] = []
        level = _PART_LEVEL + 1
        for each in reversed(self.pieces[: piece + 1]):
            if 0 < each.level < level:
                titles.append(each.title)
                level = each.level
        return tuple(reversed(titles))


_DECODER: Final = msgspec.msgpack.Decoder(tuple[Piece, ...])


def encode_pieces(pieces: Sequence[Piece]) -> bytes:
    """As the catalog stores them."""
    return msgspec.msgpack.encode(pieces)
