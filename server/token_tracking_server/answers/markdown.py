"""Markdown that cannot be broken by what it quotes, and that keeps to a size."""

from collections.abc import Callable, Sequence
from typing import Final, TypeVar

from token_tracking_server.printable import printable

LIMIT: Final = 8_000
"""No answer has more characters: about 3,000 tokens."""

UNNAMED: Final = "(unnamed)"
"""What is called a name in which nothing can be seen."""

_Row = TypeVar("_Row")


def code(text: str, width: int = 48) -> str:
    """A name as a code span of at most `width` characters; of a longer one the end is kept."""
    plain = printable(text, " ").replace("`", "'").strip() or UNNAMED
    if len(plain) > width:
        plain = "…" + plain[-(width - 1) :]
    # In a table a bar ends the cell even inside a code span.
    return f"`{plain.replace('|', '¦')}`"


def plain(text: str, width: int) -> str:
    """A sentence on one line, in which a bar ends no cell; of a long one the beginning."""
    line = printable(text, " ").replace("|", "¦").strip()
    return line if len(line) <= width else line[: width - 1] + "…"


def row(cells: Sequence[str]) -> str:
    """A line of a table."""
    return f"| {' | '.join(cells)} |"


def table(head: Sequence[str], rows: Sequence[str], texts: int = 1) -> str:
    """A table whose first `texts` columns are text and whose others are figures."""
    rule = row(["---" if column < texts else "---:" for column in range(len(head))])
    return "\n".join([row(head), rule, *rows])


def fold(
    rows: Sequence[_Row],
    line: Callable[[_Row], str],
    rest: Callable[[Sequence[_Row]], str],
    *,
    most: int,
    size: int,
) -> list[str]:
    """A line for each row, as many as `most` and `size` characters allow; `rest` makes one of the
    others. Where all but one would fit, that one is shown instead of a fold."""
    lines = [line(each) for each in rows[: most + 1]]
    if len(rows) == len(lines) and sum(map(len, lines)) <= size:
        return lines
    kept, used = 0, 0
    while kept < min(most, len(lines)) and used + len(lines[kept]) <= size:
        used += len(lines[kept])
        kept += 1
    return [*lines[:kept], rest(rows[kept:])]


def paragraphs(*parts: str | None) -> str:
    """The parts that there are, with an empty line between them."""
    return "\n\n".join(part for part in parts if part)


def bullets(notes: Sequence[str]) -> str | None:
    """Notes as a list; nothing where there are none."""
    return "\n".join(f"- {note}" for note in notes) or None
