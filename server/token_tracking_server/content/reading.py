"""A file of the library as a document."""

from typing import Final

from msgspec import structs

from token_tracking_server.content.documents import Document, parse_document, plain_document
from token_tracking_server.content.roots import FoundFile, Roots

_MARKDOWN: Final = (".md", ".markdown", ".mdx")


def address_of(roots: Roots, file: FoundFile) -> tuple[str, str]:
    """Category and id: the first folder below the root, and the path below it without `.md`.

    A file that stands in the root itself belongs to a category named as the root.
    """
    category, _, rest = file.path.partition("/")
    if not rest:
        category, rest = roots.folders[file.root].name or "library", file.path
    return category, rest[:-3] if rest.lower().endswith(".md") else rest


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
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text
