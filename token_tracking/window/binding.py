"""Models whose thinking is bound to what stood before it.

Before such a model reads a thinking block that comes back, the API compares the system prompt, the
tools and the messages before the block with those that it was written behind. Where they differ,
this block and all later thinking are invalid: the API answers 400 or drops them, by the model, by
`thinking.block_binding.prefix_mismatch_behavior` and by how old the account is. Thinking that
stands between other thinking may not be left out alone; from the end it may, and code that trims or
summarizes earlier turns is told to remove the thinking of those that it keeps. So that is what the
window does with all thinking behind an edit, in the current tool loop as well: either outcome is
avoided, and no beta header is needed.

Source: Anthropic's documentation, platform.claude.com/docs/en/build-with-claude/preserved-thinking
and its page prefix-checks, which lists the models (2026).
"""

import re
from typing import Final

from token_tracking.pricing import normalize_model

_VERSION: Final = re.compile(r"claude-([a-z]+)-(\d+)(?:-(\d+))?")
_SINCE: Final = {
    "fable": (5, 1),
    "mythos": (5, 1),
    "opus": (5, 5),
    "sonnet": (5, 5),
    "haiku": (5, 5),
}
"""The first version of each family that is listed; later ones are taken to do as it does."""


def binds_thinking(model: str) -> bool:
    """Whether a model's thinking may not stand behind an edit that was made later."""
    found = _VERSION.match(normalize_model(model))
    if found is None or found[1] not in _SINCE:
        return False
    return (int(found[2]), int(found[3] or 0)) >= _SINCE[found[1]]
