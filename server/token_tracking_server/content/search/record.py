"""What is kept of a document: its words as terms, to rank it, to find its best section, and to
forget it."""

import zlib
from collections.abc import Iterator
from typing import Final, NamedTuple

from token_tracking_server.content.documents import Document
from token_tracking_server.content.search.stems import Stems
from token_tracking_server.content.search.words import fold, split_words

_LEVEL: Final = 1  # zlib: half the size, and four times as fast as its usual level


class Part(NamedTuple):
    """A section: its heading, those above it, and its own text; each ` term term `."""

    heading: str
    trail: str
    body: str


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

    def parts(self) -> Iterator[Part]:
        """The sections with the headings above them."""
        above: list[tuple[int, str]] = []
        for heading, body in zip(self.sections[::2], self.bodies, strict=True):
            level, title = int(heading[0]), heading[1:]
            while above and above[-1][0] >= level:
                above.pop()
            yield Part(title, "".join(each for _, each in above), body)
            if level:
                above.append((level, title))


def make_record(document: Document, stems: Stems) -> Record:
    """A document's terms."""

    def terms(text: str) -> str:
        return stems.line(split_words(fold(text)))

    sections: list[str] = []
    for section in document.sections:
        sections.append(f"{section.level}{terms(section.title)}")
        sections.append(terms(document.own_text(section)))
    return Record(
        category=document.category.encode("utf-8", "surrogatepass").hex(),
        title=terms(document.title),
        path=terms(f"{document.category} {document.document_id}"),
        description=terms(" ".join((document.description, *document.tags))),
        sections=tuple(sections),
    )


def pack(record: Record) -> bytes:
    """A record as it is kept."""
    return zlib.compress("\n".join((*record[:4], *record.sections)).encode(), _LEVEL)


def unpack(packed: bytes) -> tuple[Record, str]:
    """A record, and all of it as one text."""
    text = zlib.decompress(packed).decode()
    category, title, path, description, *sections = text.split("\n")
    return Record(category, title, path, description, tuple(sections)), text
