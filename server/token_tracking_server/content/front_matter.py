"""What a file says of itself in the YAML between two lines of `---` at its beginning."""

import re
from collections.abc import Mapping
from typing import Any, Final

import yaml
from msgspec import Struct

from token_tracking_server.content.names import one_line

LONGEST: Final = 64_000
"""Characters. What is longer is no front matter."""

LONGEST_FIELD: Final = 1_024
"""Characters that are kept of one: what the format of skills allows a description."""

_BLOCK: Final = re.compile(
    r"---[ \t]*\r?\n(.*?)^(?:---|\.\.\.)[ \t]*(?:\r?\n|\Z)", re.DOTALL | re.MULTILINE
)
_BEGUN: Final = re.compile(r"---[ \t]*\r?\n[A-Za-z][\w-]*:(?:[ \t]|\r?\n)")
_PAIR: Final = re.compile(r"([A-Za-z][\w-]*)[ \t]*:[ \t]*(.*)")
_DEEPEST: Final = 20
_LOADER: Final = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
"""The compiled one where there is one: it makes strings only, as its Python twin."""


class FrontMatter(Struct, frozen=True):
    """The fields, how long the block is (characters), and what was wrong with it."""

    fields: Mapping[str, Any] = {}
    length: int = 0
    problem: str | None = None

    def text(self, name: str) -> str:
        """A field as one line; '' where it is no text."""
        value = self.fields.get(name)
        return one_line(value, LONGEST_FIELD) if isinstance(value, str) else ""

    def words(self, name: str) -> tuple[str, ...]:
        """A field as words: a list, or a text with commas."""
        value = self.fields.get(name)
        given: list[Any] = value.split(",") if isinstance(value, str) else _listed(value)
        words = (one_line(each, LONGEST_FIELD) for each in given if _is_word(each))
        return tuple(dict.fromkeys(words))


def read_front_matter(text: str) -> FrontMatter:
    """The front matter of a text; where it is not valid YAML, the lines `name: value` of it.

    Every value is a text, a list or a mapping: nothing else is made of it, and an alias, which
    could make a small text a huge value, is refused.
    """
    block = _BLOCK.match(text, 0, LONGEST)
    if block is None:
        begun = _BEGUN.match(text)
        return FrontMatter(problem="front matter: no line of --- ends it" if begun else None)
    try:
        fields: Any = _load(block[1])
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        return FrontMatter(_pairs(block[1]), block.end(), f"front matter: {_reason(error)}")
    if fields is None or isinstance(fields, dict):
        return FrontMatter(fields or {}, block.end())  # pyright: ignore[reportUnknownArgumentType]
    # Text between two rules, and no front matter.
    return FrontMatter()


def _load(block: str) -> Any:
    _check(block)
    return yaml.load(block, Loader=_LOADER)  # noqa: S506 (it makes strings only)


def _check(block: str) -> None:
    depth = 0
    for event in yaml.parse(block, Loader=_LOADER):
        if isinstance(event, yaml.AliasEvent):
            raise yaml.YAMLError("aliases (*name) are not read")
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > _DEEPEST:
                raise yaml.YAMLError("it is nested too deep")
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1


def _pairs(block: str) -> dict[str, str]:
    """What is often written and is no YAML: `description: Use it when: ...`."""
    found = [_PAIR.fullmatch(line.rstrip()) for line in block.splitlines()]
    return {pair[1]: pair[2].strip("'\" \t") for pair in found if pair}


def _reason(error: Exception) -> str:
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or str(error)
    return f"line {mark.line + 2}: {problem}" if mark is not None else str(problem)


def _listed(value: object) -> list[Any]:
    return list(value) if isinstance(value, list) else []  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]


def _is_word(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip())
