"""A document of the library: what a file says of itself, and its sections."""

from pathlib import PurePosixPath
from typing import Final

from msgspec import Struct

from token_tracking_server.content.front_matter import FrontMatter, read_front_matter
from token_tracking_server.content.sections import Section, first_paragraph, split_sections

_LONGEST_DESCRIPTION: Final = 240
_DIRECTIONS: Final = (
    "model",
    "tools",
    "allowed-tools",
    "disallowed-tools",
    "disallowedTools",
    "skills",
    "argument-hint",
    "globs",
    "paths",
)
"""Fields of an agent or skill that whoever follows it has to know: they are loaded with it."""


class Document(Struct, frozen=True, kw_only=True):
    """One file of the library. `text` is what is loaded: the file without its front matter, of
    which the fields that direct an agent stay.

    `document_id` is the path below the category, without `.md`. `problem` says what could not be
    read as it was meant; the rest was.
    """

    category: str
    document_id: str
    title: str
    description: str
    tags: tuple[str, ...]
    text: str
    sections: tuple[Section, ...]
    problem: str | None = None

    def section_text(self, section: Section) -> str:
        """A section's text, those below it included."""
        return self.text[section.start : section.end]

    def own_text(self, section: Section) -> str:
        """A section's text up to the next heading or part."""
        return self.text[section.start : section.own_end]


def parse_document(category: str, document_id: str, source: str) -> Document:
    """Read a Markdown file's text; nothing in it is an error.

    Title, description and tags come from the front matter (`title` or `name`, `description`,
    `tags` or `keywords`), or else from the first heading and the first paragraph.
    """
    front = read_front_matter(source)
    text = _directions(front) + source[front.length :].lstrip("\n")
    sections = split_sections(text)
    headings = [section.title for section in sections if section.is_heading]
    title = front.text("title") or front.text("name") or (headings[0] if headings else "")
    return Document(
        category=category,
        document_id=document_id,
        title=title or PurePosixPath(document_id).name,
        description=front.text("description") or first_paragraph(text, _LONGEST_DESCRIPTION),
        tags=front.words("tags") or front.words("keywords"),
        text=text,
        sections=sections,
        problem=front.problem,
    )


def plain_document(category: str, document_id: str, source: str) -> Document:
    """A script or other text that belongs to a skill: its name is its title."""
    return Document(
        category=category,
        document_id=document_id,
        title=PurePosixPath(document_id).name,
        description="",
        tags=(),
        text=source,
        sections=split_sections(source, headings=False),
    )


def _directions(front: FrontMatter) -> str:
    found = [(name, ", ".join(front.words(name))) for name in _DIRECTIONS]
    lines = [f"{name}: {words}\n" for name, words in found if words]
    return "".join([*lines, "\n"]) if lines else ""
