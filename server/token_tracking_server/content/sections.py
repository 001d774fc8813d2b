"""The sections of a Markdown text: headings, and parts of what is long between two headings."""

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import Final, NamedTuple

from msgspec import Struct

from token_tracking_server.content.names import one_line

LONGEST_PIECE: Final = 6_000
"""Characters. What is longer between two headings is cut into parts: each can be loaded alone."""

LONGEST_TITLE: Final = 400
"""Characters of a heading that are looked at: some patterns take the square of a line's length."""

LONGEST_ANCHOR: Final = 100
"""Characters: an anchor stands in URIs, which an assistant pays for."""

_PART_LEVEL: Final = 7
"""Below every heading: Markdown has six levels."""

_CANDIDATE: Final = re.compile(
    r"^ {0,3}(?:#|```|~~~|=+[ \t]*$|-+[ \t]*$).*$|^[ \t]*<!--.*$", re.MULTILINE
)
"""The lines that may begin a heading, code or a comment: most lines need no closer look."""

_FENCE: Final = re.compile(r" {0,3}(`{3,}|~{3,})(.*)")
_ATX: Final = re.compile(r" {0,3}(#{1,6})(?=[ \t]|$)(.*)")
_CLOSING: Final = re.compile(r"(?:^|[ \t]+)#+[ \t]*$")
_SETEXT: Final = re.compile(r" {0,3}(=+|-+)[ \t]*")
_NO_PARAGRAPH: Final = re.compile(
    r"[ \t]*$|(?: {4}|\t)"
    r"| {0,3}(?:>|[-+*](?:[ \t]|$)|\d{1,9}[.)](?:[ \t]|$)|\||<|(?:[-*_][ \t]*){3,}$)"
)
_LINK: Final = re.compile(r"!?\[([^\]]*)\](?:\([^)]*\)|\[[^\]]*\])?")
_MARKUP: Final = re.compile(r"[`*]|<[^>]*>|(?<!\w)_+|_+(?!\w)")
_NOT_IN_ANCHORS: Final = re.compile(r"[^\w\- ]")
_COMMENT: Final = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)
_BREAKS: Final = (re.compile(r"\n[ \t]*\n+"), re.compile(r"\n"), re.compile(r"[.!?。！？]\s*|\s"))  # noqa: RUF001
"""Where a long text is cut, best first: after a paragraph, a line, a sentence or a word."""


class Section(Struct, frozen=True):
    """Where a section stands in its document's text, in characters.

    `own_end` is where the next heading or part begins, `end` what follows all that stands below
    it. `anchor` is unique in its document. `trail` are the titles of the headings above it.
    """

    anchor: str
    title: str
    level: int
    start: int
    own_end: int
    end: int
    trail: tuple[str, ...] = ()

    @property
    def is_heading(self) -> bool:
        """Whether it begins with a heading; else it is what stands before one, or a part."""
        return 0 < self.level < _PART_LEVEL


class _Mark(NamedTuple):
    start: int
    level: int
    title: str


def split_sections(text: str, *, headings: bool = True) -> tuple[Section, ...]:
    """The sections in the order of the text: their own texts, joined, are the text.

    What stands before the first heading has the anchor `top`; part 2 of a long section `a` has
    `a-part-2`. Anchors of headings are those that GitHub gives.
    """
    marks = list(_headings(text)) if headings else []
    if not marks or text[: marks[0].start].strip():
        marks.insert(0, _Mark(0, 0, ""))
    else:
        marks[0] = marks[0]._replace(start=0)
    anchors = _Anchors()
    named = [anchors.of(slug(mark.title)) if mark.level else "" for mark in marks]
    if not marks[0].level:
        named[0] = anchors.of("top")
    return tuple(_sections(text, marks, named, anchors))


def _sections(
    text: str, marks: list[_Mark], named: list[str], anchors: "_Anchors"
) -> Iterator[Section]:
    above: list[_Mark] = []
    for number, (mark, anchor) in enumerate(zip(marks, named, strict=True)):
        while above and above[-1].level >= mark.level:
            above.pop()
        trail = tuple(each.title for each in above)
        if mark.level:
            above.append(mark)
        own_end = marks[number + 1].start if number + 1 < len(marks) else len(text)
        cuts = [*_cuts(text, mark.start, own_end), own_end]
        end = _end(marks, number, len(text))
        yield Section(anchor, mark.title, mark.level, mark.start, cuts[0], end, trail)
        below = (*trail, mark.title) if mark.level else trail
        for part, (start, stop) in enumerate(pairwise(cuts), start=2):
            title = f"part {part}"
            name = anchors.of(f"{anchor}-part-{part}")
            yield Section(name, title, _PART_LEVEL, start, stop, stop, below)


def _end(marks: list[_Mark], number: int, length: int) -> int:
    """Where the next heading of the same level or above begins. A place is looked at once for
    each level at most."""
    level = marks[number].level
    following = range(number + 1, len(marks))
    if not level:
        return marks[number + 1].start if number + 1 < len(marks) else length
    return next((marks[each].start for each in following if marks[each].level <= level), length)


def slug(title: str) -> str:
    """The anchor of a heading, as GitHub makes it: letters and digits of every script stay."""
    plain = _MARKUP.sub("", _LINK.sub(r"\1", title[:LONGEST_TITLE]))
    plain = _NOT_IN_ANCHORS.sub("", plain.strip().lower()).replace(" ", "-")
    return plain[:LONGEST_ANCHOR] or "section"


def plain_title(title: str) -> str:
    """A heading without its markup."""
    return one_line(_MARKUP.sub("", _LINK.sub(r"\1", title[:LONGEST_TITLE])), LONGEST_TITLE)


def first_paragraph(text: str, longest: int) -> str:
    """The first paragraph of prose, in one line, at most `longest` characters."""
    lines: list[str] = []
    fence = ""
    for line in _COMMENT.sub("", text[:20_000]).splitlines():
        opened = _FENCE.fullmatch(line)
        if opened and (not fence or line.strip().startswith(fence)):
            fence = "" if fence else opened[1]
        elif fence:
            continue
        elif _ATX.fullmatch(line) or _SETEXT.fullmatch(line) or _NO_PARAGRAPH.match(line):
            if lines and not _SETEXT.fullmatch(line):
                break
            lines.clear()
        else:
            lines.append(line.strip())
    plain = plain_title(" ".join(lines))
    return plain if len(plain) <= longest else plain[: longest - 1].rsplit(" ", 1)[0] + "…"


def _headings(text: str) -> Iterator[_Mark]:
    """Headings outside code and comments: `# one`, or a line with `===` or `---` under it."""
    position = begun = 0
    while found := _CANDIDATE.search(text, position):
        position = found.end()
        line = found[0]
        if atx := _ATX.fullmatch(line):
            title = _CLOSING.sub("", atx[2].strip()[:LONGEST_TITLE])
            yield _Mark(found.start(), len(atx[1]), plain_title(title))
        elif under := _SETEXT.fullmatch(line):
            paragraph = _paragraph(text, begun, found.start())
            if not paragraph:
                # It is a rule, or itself a line of prose: what stands above it is done with.
                begun = found.start()
                continue
            title = plain_title(" ".join(each for _, each in paragraph))
            yield _Mark(paragraph[0][0], 1 if under[1][0] == "=" else 2, title)
        elif (fence := _FENCE.fullmatch(line)) and not ("`" in fence[2] and fence[1][0] == "`"):
            closing = rf"^ {{0,3}}{fence[1][0]}{{{len(fence[1])},}}[ \t]*$"
            closed = re.compile(closing, re.MULTILINE).search(text, position)
            position = closed.end() if closed else len(text)
        elif line.lstrip().startswith("<!--"):
            closed_at = text.find("-->", found.start())
            position = text.find("\n", closed_at) if closed_at >= 0 else -1
            if position < 0:
                return
        else:
            continue
        begun = position


def _paragraph(text: str, begun: int, end: int) -> list[tuple[int, str]]:
    """The lines of prose right above a place, each with where it begins."""
    start = max(begun, text.rfind("\n\n", begun, end))
    paragraph: list[tuple[int, str]] = []
    for raw in text[start : end - 1].split("\n") if end > start else ():
        line = raw.strip()
        if paragraph and line and not _NO_PARAGRAPH.match(line):
            paragraph.append((start, line))
        else:
            paragraph = [] if _NO_PARAGRAPH.match(raw) else [(start, line)]
        start += len(raw) + 1
    return paragraph


def _cuts(text: str, start: int, end: int) -> list[int]:
    """Where a text is cut so that no piece is longer than `LONGEST_PIECE`."""
    cuts: list[int] = []
    while end - start > LONGEST_PIECE:
        start = _cut(text, start)
        cuts.append(start)
    return cuts


def _cut(text: str, start: int) -> int:
    earliest, latest = start + LONGEST_PIECE // 2, start + LONGEST_PIECE
    for mark in _BREAKS:
        places = [found.end() for found in mark.finditer(text, earliest, latest)]
        if places:
            return places[-1]
    return latest


class _Anchors:
    """Each anchor once: the second `a` is `a-1`."""

    def __init__(self) -> None:
        self._given: dict[str, int] = {}

    def of(self, name: str) -> str:
        number = self._given.get(name)
        if number is None:
            self._given[name] = 0
            return name
        while True:
            number += 1
            unique = f"{name}-{number}"
            if unique not in self._given:
                self._given[name] = number
                self._given[unique] = 0
                return unique
