"""How many of a model's tokens one token of o200k_base stands for.

The defaults were measured on held-out text of each family: median error 2.4% and p95 8.4% up to
version 4.6, 5.9% and 27% from 4.7 on, whose tokenizer is another. `token-tracking calibrate` learns
better ones from what was billed, and `python -m benchmarks.counting TREE` measures them all again.
"""

import re
from collections.abc import Mapping
from typing import Final

from msgspec import Struct

from token_tracking.pricing.names import read_model_name


class Multiplier(Struct, frozen=True, kw_only=True):
    """Tokens of a model for one of o200k_base. Errors are relative: 0.05 is five per cent.

    `samples` and `learned_at` (milliseconds since 1970 UTC) are of a learned one; a default has
    none.
    """

    multiplier: float
    error_median: float
    error_p95: float
    samples: int = 0
    learned_at: int | None = None


EARLIER_CLAUDE: Final = Multiplier(multiplier=1.12, error_median=0.024, error_p95=0.084)
"""Claude up to version 4.6."""

NEWER_CLAUDE: Final = Multiplier(multiplier=1.54, error_median=0.059, error_p95=0.27)
"""Claude from version 4.7 on."""

_NEW_TOKENIZER: Final = (4, 7)
_ALIASES: Final = frozenset({"opus", "sonnet", "haiku", "fable", "mythos", "opusplan"})
"""What Claude Code takes for a model: the newest of a family."""

_NEW_FAMILIES: Final = frozenset({"fable", "mythos"})
"""All of their versions came with the newer tokenizer."""

_BEFORE: Final = re.compile(r"^(?:.*[/.:])?[a-z0-9_]+-(?=claude-)|(?<=claude)(?=\d)")
"""What some hosts put before the name (`databricks-claude-...`); and where a hyphen is missing."""

_VERSION: Final = re.compile(r"claude-(?:v|instant-)?(?:[a-z]+-)?(\d{1,2})(?:-(\d{1,2}))?(?![0-9])")


def default_multiplier(model: str) -> Multiplier | None:
    """The default for a Claude model; `None` for other makers' models. A Claude model whose name
    has no version counts as one of the newest."""
    name = multiplier_key(model)
    if name in _ALIASES:
        return NEWER_CLAUDE
    if not name.startswith("claude"):
        return None
    found = _VERSION.match(name)
    if found is None or not _NEW_FAMILIES.isdisjoint(name.split("-")):
        return EARLIER_CLAUDE if name.startswith("claude-instant") else NEWER_CLAUDE
    version = (int(found[1]), int(found[2] or 0))
    return NEWER_CLAUDE if version >= _NEW_TOKENIZER else EARLIER_CLAUDE


def learned_multiplier(
    model: str, multipliers: Mapping[str, Multiplier] | None
) -> Multiplier | None:
    """What was learned for a model; `multipliers` has them by `multiplier_key`."""
    if not multipliers:
        return None
    return multipliers.get(multiplier_key(model))


def multiplier_key(model: str) -> str:
    """The name under which a model's multiplier is learned: its plain name, since neither speed
    nor batch changes the tokenizer."""
    name = _BEFORE.sub(_hyphenated, model.strip().lower())
    plain = read_model_name(name).model
    alias = plain.partition("[")[0]
    return alias if alias in _ALIASES else plain


def _hyphenated(found: re.Match[str]) -> str:
    return "" if found[0] else "-"
