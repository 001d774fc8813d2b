"""Documents for a request: as many as its budget has room for."""

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any, Final, Protocol, cast

from msgspec import Struct

from token_tracking.window.excerpts import Count, head_and_tail, matching
from token_tracking.window.placeholders import one_line
from token_tracking.window.sections import best_sections

LEAST_TOKENS: Final = 60
"""What is left of a budget is filled with sections down to this: less than that says too little."""

_LONGEST_NAME: Final = 200
"""Characters of a title or an address."""

_TAG: Final = re.compile(r"<(?=\s*/?\s*document\b)", re.IGNORECASE)


class Document(Struct, frozen=True, kw_only=True):
    """A text that may help to answer. `score` is its rank's value (higher is better), `None` where
    the order of the documents is their rank."""

    text: str
    title: str | None = None
    uri: str | None = None
    score: float | None = None


class Chosen(Struct, frozen=True):
    """A document as it goes with a request: in its tags, whole or by section, with its tokens."""

    document: Document
    text: str
    tokens: int
    is_whole: bool


class DocumentSource(Protocol):
    """Where documents are searched, such as the content library."""

    async def search(
        self, query: str, max_tokens: int
    ) -> Sequence[Document | str | Mapping[str, Any]]:
        """Documents for a question, the best first, of about `max_tokens` tokens at most."""
        ...


Documents = Sequence[Document | str | Mapping[str, Any]] | DocumentSource
"""Documents in the order of their rank, or where to search for them. A mapping has `text`, and may
have `title`, `uri` and `score`."""


def read_documents(given: object) -> tuple[list[Document], int]:
    """What a caller gave, as documents, and how many of these had no text."""
    is_one = isinstance(given, str | Document | Mapping) or not isinstance(given, Iterable)
    listed: list[object] = [given] if is_one else list(cast("Iterable[object]", given))
    found = [document for each in listed if (document := _document(each)) is not None]
    return found, len(listed) - len(found)


def choose(
    documents: Iterable[Document], max_tokens: int, count: Count, *, query: str = ""
) -> list[Chosen]:
    """The documents that are worth most in `max_tokens`, in the order of their rank.

    They are ranked by score where each has one, else by order, and each text is taken once. Of two
    ways to fill the budget with whole documents (the best first; the most value for their tokens
    first) the one of more value is taken. What is left goes to the sections of other documents
    that match `query` best. `count` gives a text's tokens; joined by line ends, the texts have no
    more than `max_tokens` of them.
    """
    ranked = _ranked(documents)
    whole = [Chosen(each, tagged(each), 0, True) for each in ranked]
    whole = [Chosen(each.document, each.text, _line(each.text, count), True) for each in whole]
    values = _values(ranked)
    taken = _most_valuable(whole, values, max_tokens)
    left = max_tokens - sum(whole[place].tokens for place in taken)
    chosen = {place: whole[place] for place in taken}
    for place, each in enumerate(ranked):
        if place not in chosen and left >= LEAST_TOKENS:
            part = _part(each, left, count, query)
            if part is not None:
                chosen[place] = part
                left -= part.tokens
    return _fitting([chosen[place] for place in sorted(chosen)], max_tokens, count)


def tagged(document: Document, text: str | None = None) -> str:
    """A document, or a part of it, in tags that nothing in it can close."""
    names = (("title", document.title), ("uri", document.uri))
    said = "".join(
        f' {name}="{escape(one_line(value, _LONGEST_NAME))}"' for name, value in names if value
    )
    body = _TAG.sub("&lt;", document.text if text is None else text).strip()
    return f"<document{said}>\n{body}\n</document>"


def joined(chosen: Iterable[Chosen]) -> str:
    """Chosen documents as one text."""
    return "\n".join(each.text for each in chosen)


def _document(given: object) -> Document | None:
    if isinstance(given, str):
        given = Document(text=given)
    elif isinstance(given, Mapping):
        fields = cast("Mapping[str, Any]", given)
        title, uri, score = (fields.get(name) for name in ("title", "uri", "score"))
        given = Document(text=fields.get("text", ""), title=title, uri=uri, score=score)
    if not isinstance(given, Document):
        return None
    text = _string(given.text)
    if text is None:
        return None
    title, uri = _string(given.title), _string(given.uri)
    return Document(text=text, title=title, uri=uri, score=_number(given.score))


def _string(value: object) -> str | None:
    return value if isinstance(value, str) and value.strip() else None


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if math.isfinite(value) else None


def _ranked(documents: Iterable[Document]) -> list[Document]:
    """The best first; of two with the same score, or the same text, the one that came first."""
    listed = list(documents)
    if all(each.score is not None for each in listed):
        listed.sort(key=lambda each: -(each.score or 0.0))
    once: dict[str, Document] = {}
    for each in listed:
        once.setdefault(" ".join(each.text.split()), each)
    return list(once.values())


def _values(ranked: Sequence[Document]) -> list[float]:
    """What each document is worth: its score where all have one above 0, else 1, 1/2, 1/3 ..."""
    scores = [each.score or 0.0 for each in ranked]
    if all(score > 0 for score in scores):
        return scores
    return [1 / (1 + place) for place in range(len(ranked))]


def _most_valuable(whole: Sequence[Chosen], values: Sequence[float], room: int) -> list[int]:
    by_rank = list(range(len(whole)))
    by_density = sorted(by_rank, key=lambda place: -values[place] / whole[place].tokens)
    filled = [_filled(order, whole, room) for order in (by_rank, by_density)]
    return max(filled, key=lambda taken: sum(values[place] for place in taken))


def _filled(order: Iterable[int], whole: Sequence[Chosen], room: int) -> list[int]:
    taken: list[int] = []
    for place in order:
        if whole[place].tokens <= room:
            taken.append(place)
            room -= whole[place].tokens
    return taken


def _part(document: Document, max_tokens: int, count: Count, query: str) -> Chosen | None:
    """The sections of a document that match best, in its tags."""
    room = max_tokens - _line(tagged(document, ""), count)
    while room > 0:
        found = _sections(document.text, query, room, count)
        text = tagged(document, found)
        tokens = _line(text, count)
        if tokens <= max_tokens:
            return Chosen(document, text, tokens, False) if found.strip() else None
        room -= tokens - max_tokens
    return None


def _sections(text: str, query: str, max_tokens: int, count: Count) -> str:
    found = best_sections(text, query, max_tokens, count)
    if found:
        return found
    excerpt = matching(text, query, max_tokens, count) if query.strip() else None
    return (excerpt or head_and_tail(text, max_tokens, count)).text


def _line(text: str, count: Count) -> int:
    """The tokens of a text with a line end behind it."""
    return count(text + "\n")


def _fitting(chosen: list[Chosen], max_tokens: int, count: Count) -> list[Chosen]:
    """Without the last ones where the whole has more tokens than its parts."""
    while chosen and count(joined(chosen)) > max_tokens:
        chosen.pop()
    return chosen
