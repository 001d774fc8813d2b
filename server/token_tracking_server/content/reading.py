"""A file of the library as a document, counted."""

import hashlib
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from msgspec import structs

from token_tracking_server.content.documents import Document, parse_document, plain_document
from token_tracking_server.content.errors import UnreadableContentError
from token_tracking_server.content.roots import FoundFile, Roots

CountMany = Callable[[Sequence[str]], list[int]]
"""Tokens of each text, by o200k_base."""

_MARKDOWN: Final = (".md", ".markdown", ".mdx")


class ReadFile(NamedTuple):
    """A file that was read: a document with the tokens of its pieces, or why it is none."""

    file: FoundFile
    digest: bytes = b""
    document: Document | None = None
    tokens: tuple[int, ...] = ()
    reason: str = ""


def address_of(roots: Roots, file: FoundFile) -> tuple[str, str]:
    """Category and id: the first folder below the root, and the path below it without `.md`.

    A file that stands in the root itself belongs to a category named as the root.
    """
    category, _, rest = file.path.partition("/")
    if not rest:
        category, rest = roots.folders[file.root].name or "library", file.path
    return category, rest[:-3] if rest.lower().endswith(".md") else rest


def read_files(roots: Roots, files: Sequence[FoundFile], count: CountMany) -> list[ReadFile]:
    """Read, parse and count; what cannot be read says why."""
    read = [_read(roots, file) for file in files]
    pieces = [_own_texts(each.document) for each in read]
    counted = iter(count([text for texts in pieces for text in texts]))
    return [
        each._replace(tokens=tuple(next(counted) for _ in texts))
        for each, texts in zip(read, pieces, strict=True)
    ]


def _own_texts(document: Document | None) -> list[str]:
    return [] if document is None else [document.own_text(each) for each in document.sections]


def _read(roots: Roots, file: FoundFile) -> ReadFile:
    try:
        data = roots.read_bytes(file.root, file.path)
    except UnreadableContentError as error:
        return ReadFile(file, reason=str(error))
    if b"\0" in data:
        return ReadFile(file, reason="it is binary, or not UTF-8: save it as UTF-8")
    return ReadFile(file, hashlib.sha256(data).digest(), parse_file(roots, file, data))


def parse_file(roots: Roots, file: FoundFile, data: bytes) -> Document:
    """The document that a file's bytes are. Bytes that are not UTF-8 become U+FFFD."""
    category, document_id = address_of(roots, file)
    is_markdown = file.path.lower().endswith(_MARKDOWN)
    parse = parse_document if is_markdown else plain_document
    try:
        return parse(category, document_id, _lines(data.decode("utf-8-sig")))
    except UnicodeDecodeError:
        document = parse(category, document_id, _lines(data.decode(errors="replace")))
        problem = document.problem or "some bytes are not UTF-8: they became U+FFFD"
        return structs.replace(document, problem=problem)


def _lines(text: str) -> str:
    return text.replace("\r\n", "\n") if "\r" in text else text
