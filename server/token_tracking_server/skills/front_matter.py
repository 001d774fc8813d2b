"""What a SKILL.md says of itself, as the JSON that the extension gives.

Values are typed as YAML 1.2's core schema has it, which hosts compare with what they read
themselves: `1.0` is a number, `yes` and `2026-11-21` are texts. (The library's own
`content.front_matter` keeps all values as texts.)
"""

import math
import re
from typing import Any, ClassVar, Final

import yaml

from token_tracking_server.content.front_matter import read_front_matter

LONGEST_NAME: Final = 64
LONGEST_DESCRIPTION: Final = 1_024
"""Characters, by the specification of Agent Skills."""

_NAME: Final = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
_LOADER: Final[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_TAG: Final = "tag:yaml.org,2002:"


class SkillFormatError(Exception):
    """A SKILL.md that hosts would refuse; the text says how to mend it."""


def read_skill(data: bytes, folder: str) -> dict[str, Any]:
    """The front matter of a SKILL.md whose folder is named `folder`.

    Raises:
        SkillFormatError: it is none of a skill.
    """
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise SkillFormatError("SKILL.md is not UTF-8: save it as UTF-8") from error
    front = read_front_matter(text)
    if front.problem is not None and front.length:
        raise SkillFormatError(
            f"{front.problem}: put a text that has a colon or a special character in quotes"
        )
    if front.problem is not None:
        raise SkillFormatError(f"{front.problem}: add it after name and description")
    if not front.length:
        raise SkillFormatError(
            "SKILL.md does not begin with front matter: put name and description between two lines"
            " of --- at its beginning"
        )
    fields = _load(_block(text[: front.length]))
    _check_name(fields.get("name"), folder)
    _check_description(fields.get("description"))
    return fields


def _block(front_matter: str) -> str:
    return "\n".join(front_matter.rstrip("\r\n").split("\n")[1:-1])


def _check_name(name: object, folder: str) -> None:
    if not isinstance(name, str):
        raise SkillFormatError(f"the front matter has no name: add name: {folder}")
    if name != folder:
        raise SkillFormatError(
            f"its name is {name!r} and its folder {folder!r}: they must be the same"
        )
    if len(name) > LONGEST_NAME or not _NAME.fullmatch(name):
        raise SkillFormatError(
            f"{name!r} is no name of a skill: it takes at most {LONGEST_NAME} lower case letters"
            " (a-z) and digits, and single hyphens between them"
        )


def _check_description(description: object) -> None:
    if not isinstance(description, str) or not description.strip():
        raise SkillFormatError("the front matter has no description: say what the skill is for")
    if len(description) > LONGEST_DESCRIPTION:
        raise SkillFormatError(
            f"its description has {len(description):,} characters: hosts take"
            f" {LONGEST_DESCRIPTION:,}, and the rest belongs into the text"
        )


class _CoreSchema(_LOADER):
    """YAML as JSON: mappings, lists, texts, numbers, booleans and null, and nothing else."""

    yaml_implicit_resolvers: ClassVar[dict[str, Any]] = {}
    yaml_constructors: ClassVar[dict[str, Any]] = {}


def _mapping(loader: Any, node: yaml.MappingNode) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in node.value:
        if key.value in found:
            raise _problem(f"{key.value!r} stands there twice", key)
        found[key.value] = loader.construct_object(value, deep=True)
    return found


def _list(loader: Any, node: yaml.SequenceNode) -> list[Any]:
    return [loader.construct_object(each, deep=True) for each in node.value]


def _text(loader: Any, node: Any) -> str:
    return loader.construct_scalar(node)


def _integer(loader: Any, node: Any) -> int:
    return int(_text(loader, node), 0 if node.value[:2] in {"0o", "0x"} else 10)


def _number(loader: Any, node: Any) -> float:
    number = float(_text(loader, node))
    if not math.isfinite(number):
        raise ValueError(f"{node.value!r} is no number that JSON has")
    return number


def _boolean(loader: Any, node: Any) -> bool:
    text = _text(loader, node).lower()
    if text not in {"true", "false"}:
        raise ValueError(f"{text!r} is neither true nor false")
    return text == "true"


def _nothing(loader: Any, node: Any) -> None:
    _text(loader, node)


def _unknown(_: Any, node: Any) -> Any:
    raise _problem(f"{node.tag} is no tag that a skill may have", node)


# Longer numbers stay texts: converting one takes time that grows with the square of its length.
_PLAIN: Final[dict[str, tuple[str, list[str], Any]]] = {
    "null": (r"~|null|Null|NULL|", ["~", "n", "N", ""], _nothing),
    "bool": (r"true|True|TRUE|false|False|FALSE", list("tTfF"), _boolean),
    "int": (
        r"[-+]?[0-9]{1,300}|0o[0-7]{1,300}|0x[0-9a-fA-F]{1,300}",
        list("-+0123456789"),
        _integer,
    ),
    "float": (
        r"[-+]?(?:\.[0-9]{1,300}|[0-9]{1,300}(?:\.[0-9]{0,300})?)(?:[eE][-+]?[0-9]{1,2})?",
        list("-+.0123456789"),
        _number,
    ),
}
"""What a text without quotes can be, first match first: its form, and how it can begin."""


def _define() -> None:
    for name, (form, beginnings, construct) in _PLAIN.items():
        resolved = re.compile(f"(?:{form})\\Z")
        _CoreSchema.add_implicit_resolver(_TAG + name, resolved, beginnings)
        _CoreSchema.add_constructor(_TAG + name, construct)
    for name, construct in (("str", _text), ("seq", _list), ("map", _mapping)):
        _CoreSchema.add_constructor(_TAG + name, construct)
    _CoreSchema.add_constructor(None, _unknown)


_define()


def _problem(text: str, node: Any) -> yaml.MarkedYAMLError:
    return yaml.MarkedYAMLError(problem=text, problem_mark=node.start_mark)


def _load(block: str) -> dict[str, Any]:
    """It was parsed once already: it is a mapping, not deep, with texts as keys and no aliases."""
    try:
        return yaml.load(block, Loader=_CoreSchema)  # noqa: S506 (it makes JSON's values only)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 2 if error.problem_mark else 1
        raise SkillFormatError(f"front matter, line {line}: {error.problem}") from error
    except ValueError as error:
        raise SkillFormatError(f"front matter: {error}") from error
