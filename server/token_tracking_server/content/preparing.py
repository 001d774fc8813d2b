"""Files of the library as the catalog stores them: read, parsed, counted, and cut into terms."""

import hashlib
from collections.abc import Callable, Sequence

from msgspec import Struct

from token_tracking_server.content.documents import Document
from token_tracking_server.content.errors import UnreadableContentError
from token_tracking_server.content.outline import Piece, encode_pieces
from token_tracking_server.content.reading import parse_file
from token_tracking_server.content.roots import FoundFile, Roots
from token_tracking_server.content.search import Indexed, Indexer

CountMany = Callable[[Sequence[str]], list[int]]
"""Tokens of each text, by o200k_base."""


class Stored(Struct, frozen=True, array_like=True):
    """What the catalog keeps of a document."""

    title: str
    description: str
    problem: str | None
    tokens: int
    outline: bytes
    indexed: Indexed


class Prepared(Struct, frozen=True, array_like=True):
    """A file that was read: what to store, or the reason why it is no document. The digest is b""
    where it could not be read."""

    file: FoundFile
    digest: bytes = b""
    stored: Stored | None = None
    reason: str = ""


class Preparer:
    """Prepares files of some roots. For one thread at a time."""

    def __init__(self, roots: Roots, count: CountMany) -> None:
        self._roots = roots
        self._count = count
        self._indexer = Indexer()

    def prepare(self, files: Sequence[FoundFile]) -> list[Prepared]:
        """Each file, in their order; what cannot be read says why."""
        read = [self._read(file) for file in files]
        texts = [[] if each is None else _own_texts(each) for _, each in read]
        # All at once: the counter shares them among its threads.
        counted = iter(self._count([text for own in texts for text in own]))
        return [
            prepared
            if document is None
            else self._stored(prepared, document, [next(counted) for _ in own])
            for (prepared, document), own in zip(read, texts, strict=True)
        ]

    def _read(self, file: FoundFile) -> tuple[Prepared, Document | None]:
        try:
            data = self._roots.read_bytes(file.root, file.path)
        except UnreadableContentError as error:
            return Prepared(file, reason=str(error)), None
        digest = hashlib.sha256(data).digest()
        if b"\0" in data:
            reason = "it is binary, or not UTF-8: save it as UTF-8"
            return Prepared(file, digest, reason=reason), None
        return Prepared(file, digest), parse_file(self._roots, file, data)

    def _stored(self, prepared: Prepared, document: Document, tokens: list[int]) -> Prepared:
        pieces = [
            Piece(section.anchor, section.title, section.level, count)
            for section, count in zip(document.sections, tokens, strict=True)
        ]
        stored = Stored(
            title=document.title,
            description=document.description,
            problem=document.problem,
            tokens=sum(tokens),
            outline=encode_pieces(pieces),
            indexed=self._indexer.prepare(document),
        )
        return Prepared(prepared.file, prepared.digest, stored)


def _own_texts(document: Document) -> list[str]:
    return [document.own_text(each) for each in document.sections]
