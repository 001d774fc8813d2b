"""What stands in the place of text that was cleared or cut: short, and always the same bytes.

The model reads these texts in every later request, and the cached prefix holds them: they are
pure functions of what they are given, with sizes rounded to two digits.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Final, cast

from token_tracking.window.excerpts import rounded

FETCH_NAME: Final = "fetch_content"
"""The tool that gives stored text back."""

LONGEST_SUBJECT: Final = 80
"""Characters."""
_LONGEST_NAME: Final = 64
"""Characters of a tool's name; a longer one is shortened."""
_READ: Final = 1_000
"""Characters at each end of a text of which one line is made."""
_SHORT: Final = 200
"""Characters: a longer string is content, and no subject, where its field is not a known one."""

_TELLING: Final = (
    "file_path",
    "notebook_path",
    "query",
    "pattern",
    "path",
    "uri",
    "url",
    "command",
    "cmd",
    "file",
    "filename",
    "uris",
    "paths",
    "urls",
    "handle",
    "sql",
    "name",
    "id",
)
"""Fields that say what a call is about, the most telling first. A search names what it looks for
rather than where; a path comes before a command, which is `view` in Anthropic's file tools."""


def one_line(text: str, longest: int = LONGEST_SUBJECT) -> str:
    """A text on one line of at most `longest` characters (7 at least), its middle left out; what
    cannot be printed becomes a space."""
    if len(text) > 2 * _READ:
        text = text[:_READ] + text[-_READ:]
    flat = " ".join("".join(each if each.isprintable() else " " for each in text).split())
    if len(flat) <= longest:
        return flat
    tail = (longest - 3) // 3
    return flat[: longest - 3 - tail].rstrip() + "..." + flat[-tail:].lstrip()


def subject_of(arguments: Mapping[str, object] | str) -> str | None:
    """What a call is about, on one line of at most 80 characters: its most telling argument, else
    its first short string, else its first number with its name. `None` where there is nothing.

    Arguments may be JSON, as OpenAI's API writes them; what is no JSON object is cut as text.
    """
    given = _decoded(arguments)
    if isinstance(given, str):
        return one_line(given) or None
    texts = {name: text for name, value in given.items() if (text := _text(value))}
    for name in _TELLING:
        if name in texts:
            return texts[name]
    short = (text for name, text in texts.items() if _is_short(given[name]))
    numbers = (f"{name}={value}" for name, value in given.items() if type(value) in {int, float})
    found = next(short, None) or next(numbers, None) or next(iter(texts.values()), None)
    return one_line(found) if found else None


def cleared_text(
    tool: str | None, subject: str | None, tokens: int, handle: str | None = None
) -> str:
    """What stands in the place of a tool result: what was there, how large it was (tokens), and
    how to see it again: by its handle in a content store, else by calling the tool again."""
    return (
        f"[Result of {_call(tool, subject)} cleared to save context, about {rounded(tokens)}"
        f" tokens. {way_back(handle)}]"
    )


def capped_note(left_out_tokens: int, lines: int = 0, handle: str | None = None) -> str:
    """What stands in the gap of a result that was cut as it came in."""
    named = f"{lines} lines, " if lines > 1 else ""
    way = f"{FETCH_NAME} handle={handle}, lines or query" if handle else "ask the tool for a part"
    return f"[... {named}about {rounded(left_out_tokens)} tokens left out; for more: {way} ...]"


def _call(tool: str | None, subject: str | None) -> str:
    name = one_line(tool or "", _LONGEST_NAME) or "a tool call"
    about = one_line(subject or "")
    return f"{name}({about})" if about else name


def way_back(handle: str | None) -> str:
    """How to see again what was cleared."""
    return f"Get back: {FETCH_NAME} handle={handle}" if handle else "If needed, call it again."


def _decoded(arguments: Mapping[str, object] | str) -> Mapping[str, object] | str:
    if not isinstance(arguments, str):
        return arguments
    try:
        given: object = json.loads(arguments)
    except (ValueError, RecursionError):
        return arguments
    return cast("dict[str, object]", given) if isinstance(given, dict) else arguments


def _text(value: object) -> str | None:
    """A string, or a list's strings, on one line; `None` for anything else, and for nothing."""
    if isinstance(value, str):
        return one_line(value) or None
    if isinstance(value, Sequence) and not isinstance(value, bytes | bytearray):
        strings = [each for each in cast("Sequence[object]", value) if isinstance(each, str)]
        return one_line(" ".join(strings)) or None
    return None


def _is_short(value: object) -> bool:
    return isinstance(value, str) and len(value) <= _SHORT
