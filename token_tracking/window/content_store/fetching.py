"""The tool by which the model asks for text again, and what it gets."""

import json
import logging
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from copy import deepcopy
from itertools import accumulate
from typing import Any, Final, cast

from token_tracking.window.content_store.contract import ContentStore, StoredContent, handle_in
from token_tracking.window.errors import ContentStoreError
from token_tracking.window.excerpts import (
    Count,
    Excerpt,
    around,
    boundary,
    fitted,
    matching,
    pieces,
)
from token_tracking.window.placeholders import FETCH_NAME, one_line

MAX_TOKENS: Final = 2_000
"""Of an answer, unless told otherwise."""

FETCH_TOOL: Final[dict[str, Any]] = {
    "name": FETCH_NAME,
    "description": "Text that was cleared or cut from this conversation, by its handle."
    " For a part of a long text, give lines or a query.",
    "input_schema": {
        "type": "object",
        "properties": {
            "handle": {"type": "string"},
            "lines": {
                "type": "array",
                "items": {"type": "integer"},
                "description": "[first, last]",
            },
            "query": {"type": "string", "description": "words to find"},
        },
        "required": ["handle"],
    },
}
"""The tool as Anthropic's API takes it. Every request pays for each word of it."""

_LEAST: Final = 100
"""Tokens: room for a note and some text."""
_log: Final = logging.getLogger(__name__)
_DENSEST: Final = 16
"""Characters a token, more than almost any text has: where an answer's first guess starts."""


def fetch_tool(form_name: str) -> dict[str, Any]:
    """The tool's definition as an API takes it: `anthropic`, or `openai` (Chat Completions).

    Raises:
        ContentStoreError: there is no such form.
    """
    tool = deepcopy(FETCH_TOOL)
    if form_name == "anthropic":
        return tool
    if form_name != "openai":
        raise ContentStoreError(f"No form {form_name!r}: give anthropic or openai.")
    tool["parameters"] = tool.pop("input_schema")
    return {"type": "function", "function": tool}


def fetch_call(
    store: ContentStore,
    arguments: Mapping[str, object] | str,
    *,
    max_tokens: int = MAX_TOKENS,
    count: Count | None = None,
) -> str:
    """The answer to a call of the tool, from its arguments as the model gave them (a JSON string
    in OpenAI's form), whatever they are. See `fetch`."""
    given: object = arguments
    if isinstance(arguments, str):
        try:
            given = json.loads(arguments)
        except (ValueError, RecursionError):
            given = {"handle": arguments}
    named = cast("Mapping[str, object]", given) if isinstance(given, Mapping) else {"handle": given}
    handle, lines, query = named.get("handle"), named.get("lines"), named.get("query")
    if lines is not None and _line_numbers(lines) is None:
        return f"lines is [first, last], two numbers from 1 on, not {one_line(str(lines))}."
    return fetch(
        store,
        handle if isinstance(handle, str) else "",
        lines=_line_numbers(lines),
        query=query if isinstance(query, str) else None,
        max_tokens=max_tokens,
        count=count,
    )


def fetch(
    store: ContentStore,
    handle: str,
    *,
    part: str | None = None,
    lines: tuple[int, int] | None = None,
    query: str | None = None,
    max_tokens: int = MAX_TOKENS,
    count: Count | None = None,
) -> str:
    """What the model gets when it asks for a text: the whole, where that fits into `max_tokens`
    (100 at least) by `count` (tokens of o200k_base where none is given); else the lines that it
    asked for (from 1, both ends included), excerpts around its query, or the `part`: `head`, the
    default, or `tail`. A last line says which lines these are, of how many. A line over 1,000
    characters counts as several.

    It raises nothing: a handle that is not kept, or a store that fails, is a text that says what
    to do. It reads the store in the calling thread (see `ContentStore`).
    """
    known = handle_in(handle)
    if known is None:
        return (
            f"{one_line(handle) or 'Nothing'!r} is no handle. Handles are like c-0123456789ab, and"
            " stand where text was cleared or cut; for anything else, call its tool again."
        )
    try:
        content = store.get(known)
    except ContentStoreError as error:
        _log.warning("A fetch failed: %s", error)
        return f"{known} cannot be read now. Call the tool that gave it again."
    if content is None:
        return f"{known} is not kept any more. Call the tool that gave it again."
    return _part(content, part, lines, query, max(_LEAST, max_tokens), count or _tokens)


def _part(
    content: StoredContent,
    part: str | None,
    lines: tuple[int, int] | None,
    query: str | None,
    max_tokens: int,
    count: Count,
) -> str:
    if lines is None and query and query.strip():
        return _matching(content, query, max_tokens, count)
    all_lines = pieces(content.text)
    first, last = sorted(lines or (1, len(all_lines)))
    first, last = max(1, first), min(last, len(all_lines))
    if lines is not None and first > last:
        return f"{content.handle} has lines 1 to {len(all_lines)}."
    whole = "".join(all_lines[first - 1 : last])
    if len(whole) <= _DENSEST * max_tokens and count(whole) <= max_tokens:
        return whole
    return _range(content, all_lines, first, last, part == "tail", max_tokens, count)


def _matching(content: StoredContent, query: str, max_tokens: int, count: Count) -> str:
    note = f"[excerpts of {content.handle}; for more around one, ask for its lines]"
    found = matching(content.text, query, max_tokens, count)
    if found is not None and found.left_out_tokens:
        found = matching(content.text, query, max_tokens - count("\n" + note), count)
    if found is None:
        return (
            f"Nothing in {content.handle} matches {one_line(query)!r}. It has lines 1 to"
            f" {len(pieces(content.text))}: ask for those, or for other words."
        )
    return around(found.text, note, "") if found.left_out_tokens else found.text


def _range(
    content: StoredContent,
    all_lines: Sequence[str],
    first: int,
    last: int,
    from_end: bool,
    max_tokens: int,
    count: Count,
) -> str:
    """As many lines of a range as fit, from its start or end; at least a bit of one."""
    asked = all_lines[first - 1 : last]
    sizes = list(accumulate(len(line) for line in (asked[::-1] if from_end else asked)))

    def make(characters: int) -> Excerpt:
        fit = max(1, bisect_right(sizes, characters))
        begin, end = (last - fit + 1, last) if from_end else (first, first + fit - 1)
        text = "".join(all_lines[begin - 1 : end])
        shown = text if sizes[0] <= characters else text[: boundary(text, characters)]
        named = f"line {begin}" if begin == end else f"lines {begin}-{end}"
        note = f"[{named} of {len(all_lines)} of {content.handle}; ask for other lines or a query]"
        return Excerpt(around(shown, note, ""), shown)

    found = fitted(make, min(sizes[-1], 4 * max(1, max_tokens)), max_tokens, count)
    return found.text if found else ""


def _line_numbers(lines: object) -> tuple[int, int] | None:
    """Two numbers, also as strings, or one for a single line; `None` for anything else."""
    given = cast("list[object]", lines) if isinstance(lines, list | tuple) else [lines]
    try:
        numbers = [int(each) for each in given if isinstance(each, int | float | str)]
    except (ValueError, OverflowError):
        return None
    return (numbers[0], numbers[-1]) if 1 <= len(numbers) == len(given) <= 2 else None


def _tokens(text: str) -> int:
    from token_tracking.counting import encoding_tokens  # noqa: PLC0415 (loads its vocabulary)

    return encoding_tokens(text)
