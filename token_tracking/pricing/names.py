"""Model names: the many spellings of one model, and what a spelling says about its price."""

import re
from typing import Final, NamedTuple

_FAMILIES: Final = frozenset({"opus", "sonnet", "haiku", "fable", "mythos"})
_NEUTRAL_ENDINGS: Final = frozenset({"latest", "thinking"})

# The last "claude-" that begins the name or follows a path, an ARN or a Bedrock prefix.
_CLAUDE: Final = re.compile(r"(?:.*[/.:~])?(claude-.*)", re.DOTALL)
_BEDROCK: Final = re.compile(r"(?:.*[/:])?(?:([a-z][a-z-]*)\.)?anthropic\.claude-.*", re.DOTALL)
_DECORATION: Final = re.compile(r"[\[@:]")
_VERSION_DOT: Final = re.compile(r"(?<=[0-9])\.(?=[0-9])")
_VERSION: Final = re.compile(r"[0-9]{1,2}")
_DATE: Final = re.compile(r"20[0-9]{6}")
_SPLIT_DATE: Final = re.compile(r"20[0-9]{2}-[0-9]{2}-[0-9]{2}")
_REVISION: Final = re.compile(r"v[0-9]+")


class ModelName(NamedTuple):
    """What a model's name says.

    `model` is the plain model. `fast` and `batch` are price variants that some gateways write
    into the name (`-fast`, `:batch`). `regional` is whether it is a Bedrock id that is not
    `global.`, which AWS prices apart. `long_context` is whether the name ends with `[1m]`.
    """

    model: str
    fast: bool = False
    batch: bool = False
    regional: bool = False
    long_context: bool = False

    @property
    def normal(self) -> str:
        """The one spelling of the model and its price variant."""
        return self.model + ("-fast" if self.fast else "") + (":batch" if self.batch else "")


def normalize_model(name: str) -> str:
    """The one spelling of a model's name; applying it twice changes nothing.

    Claude models lose what the price does not depend on: provider and Bedrock prefixes, dates,
    `[1m]`, `-latest`, `-thinking`, `:beta`. Versions are written `claude-opus-4-5` from 4 on and
    `claude-3-5-sonnet` before. The variants `-fast` and `:batch` stay, as they have prices of
    their own. Where a model ran is lost: `PriceBook` wants the name as the provider wrote it.
    Other models are only lower-cased.
    """
    return read_model_name(name).normal


def read_model_name(name: str) -> ModelName:
    """Everything that a model's name says."""
    plain = name.lower().strip()
    found = _CLAUDE.fullmatch(plain)
    if found is None:
        return ModelName(plain)
    bedrock = _BEDROCK.fullmatch(plain)
    body, *rest = _DECORATION.split(found[1], maxsplit=1)
    decoration = "".join(rest)
    words, fast = _canonical(_VERSION_DOT.sub("-", body.strip()).split("-"))
    return ModelName(
        model="-".join(words),
        fast=fast,
        batch="batch" in decoration.split(":"),
        regional=bedrock is not None and bedrock[1] != "global",
        long_context="1m]" in found[1],
    )


def _canonical(words: list[str]) -> tuple[list[str], bool]:
    """The words of the one spelling; whether `fast` was among them."""
    fast = False
    while True:
        shorter, was_fast = _without_endings(words)
        fast = fast or was_fast
        ordered = _ordered(shorter)
        if ordered == words:
            return words, fast
        words = ordered


def _without_endings(words: list[str]) -> tuple[list[str], bool]:
    """The words without dates, revisions and neutral endings; whether one of them was `fast`."""
    fast = False
    while len(words) > 2:
        last = words[-1]
        if last == "fast":
            fast = True
        elif _SPLIT_DATE.fullmatch("-".join(words[-3:])):
            words = words[:-2]
        elif not (last in _NEUTRAL_ENDINGS or _DATE.fullmatch(last) or _REVISION.fullmatch(last)):
            break
        words = words[:-1]
    return words, fast


def _ordered(words: list[str]) -> list[str]:
    """Family before version from Claude 4 on, version before family until 3; 4.0 is 4."""
    families = [word for word in words[1:4] if word in _FAMILIES]
    if not families:
        return words
    family = families[0]
    tail = words[1:]
    tail.remove(family)
    count = 0
    while count < min(2, len(tail)) and _VERSION.fullmatch(tail[count]):
        count += 1
    version, rest = tail[:count], tail[count:]
    if not version:
        return words
    if version[1:] == ["0"]:
        version = version[:1]
    named = [*version, family] if int(version[0]) <= 3 else [family, *version]
    return [words[0], *named, *rest]
