"""The library in few words: an index of what a search found, and a category's documents."""

import json
from collections.abc import Sequence

from token_tracking_server.answers.markdown import LIMIT
from token_tracking_server.content.catalog import Category, Found, shortened
from token_tracking_server.content.errors import ContentError
from token_tracking_server.content.outline import Entry
from token_tracking_server.printable import printable
from token_tracking_server.sizes import Sizes

_SHOWN_QUERY = 40


def index_answer(
    found: Sequence[Found],
    documents: int,
    query: str,
    notes: Sequence[str],
    sizes: Sizes,
    max_tokens: int,
) -> str:
    """A line for each document that was found, as many as `max_tokens` allow.

    Raises:
        ContentError: they allow none.
    """
    if not found:
        return _nothing(documents, query, notes, sizes, max_tokens)
    lines = [_line(each, sizes) for each in found]
    needed = 0
    for shown in range(len(lines), 0, -1):
        cut = len(lines) - shown
        head = f"{shown} of {documents:,} documents, best first ({sizes.basis}):"
        more = [f"- {cut} more over max_tokens {max_tokens:,}"] if cut else []
        text = "\n".join([head, *lines[:shown], *more, *notes])
        needed = sizes.count(text)
        if needed <= max_tokens:
            return text
    raise ContentError(f"max_tokens of {max_tokens:,} is too small: give at least {needed:,}.")


def _nothing(
    documents: int, query: str, notes: Sequence[str], sizes: Sizes, max_tokens: int
) -> str:
    shown = query if len(query) <= _SHOWN_QUERY else query[: _SHOWN_QUERY - 1] + "…"
    plain = printable(shown, " ")
    said = f"Nothing in {documents:,} documents matches {json.dumps(plain, ensure_ascii=False)}."
    needed = 0
    for text in ("\n".join([said, *notes]), "\n".join(["Nothing matches.", *notes])):
        needed = sizes.count(text)
        if needed <= max_tokens:
            return text
    raise ContentError(f"max_tokens of {max_tokens:,} is too small: give at least {needed:,}.")


def _line(found: Found, sizes: Sizes) -> str:
    size = f"{sizes.scaled(found.tokens):,}"
    if not found.is_whole:
        size += f" of {sizes.scaled(found.entry.tokens):,}"
    return f"- {found.uri} | {found.titles} | {size} tokens | {', '.join(found.matched)}"


def listing_answer(category: Category, entries: Sequence[Entry], sizes: Sizes) -> str:
    """The documents of a category, as many as an answer holds."""
    documents = f"{category.documents:,} document{'s' * (category.documents != 1)}"
    lines = [f"# {shortened(category.name)}: {documents}, {sizes.scaled(category.tokens):,} tokens"]
    lines.append(f"({sizes.basis})")
    used = sum(map(len, lines))
    for entry in entries:
        size = f"{sizes.scaled(entry.tokens):,}"
        line = f"- {entry.uri} | {shortened(entry.title)} | {size} tokens"
        if used + len(line) > LIMIT - 120:
            break
        used += len(line) + 1
        lines.append(line)
    rest = category.documents - len(lines) + 2
    if rest > 0:
        name = shortened(category.name)
        lines.append(f"- {rest:,} more: search_content with category='{name}' finds them")
    return "\n".join(lines)
