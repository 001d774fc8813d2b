"""What is kept of a document: its words as terms, to rank it, to find its best section, and to
forget it."""

from collections.abc import Iterator
from typing import Final, NamedTuple

from token_tracking_server.content.documents import Document
from token_tracking_server.content.search.stems import Stems
from token_tracking_server.content.search.words import fold, split_words

FIRST_SECTION_LINE: Final = 4
"""Of a record that is kept: before it stand the fields of the document."""


class Record(NamedTuple):
    """A document as lines of terms, each ` term term `.

    `sections` has two lines for each: its level and its heading, and its text.
    """

    category: str
    title: str
    path: str
    description: str
    sections: tuple[str, ...]

    @property
    def headings(self) -> Iterator[str]:
        """The headings of all sections."""
        return (line[1:] for line in self.sections[::2])

    @property
    def bodies(self) -> tuple[str, ...]:
        """The texts of all sections, headings included."""
        return self.sections[1::2]


def make_record(document: Document, stems: Stems) -> Record:
    """A document's terms."""
    texts = [
        document.title,
        f"{document.category} {document.document_id}",
        " ".join((document.description, *document.tags)),
        *(section.title for section in document.sections),
        *(document.own_text(section) for section in document.sections),
    ]
    words = [split_words(fold(text)) for text in texts]
    title, path, description = map(stems.line, words[:3])
    rest = stems.telling_lines(words[3:])
    headings, bodies = rest[: len(document.sections)], rest[len(document.sections) :]
    sections = zip(document.sections, headings, bodies, strict=True)
    return Record(
        category=document.category.encode("utf-8", "surrogatepass").hex(),
        title=title,
        path=path,
        description=description,
        sections=tuple(
            line for each, heading, body in sections for line in (f"{each.level}{heading}", body)
        ),
    )


def pack(record: Record) -> bytes:
    """A record as it is kept."""
    return "\n".join((*record[:4], *record.sections)).encode()


def unpack(packed: bytes) -> Record:
    """A record that was kept."""
    category, title, path, description, *sections = packed.decode().split("\n")
    return Record(category, title, path, description, tuple(sections))
