"""Models whose thinking is bound to what stood before it.

From Claude Fable 5.1 on the API refuses a thinking block when anything before it is not what it was
when the block was written, or drops it where the request asks for that (Anthropic's documentation
of preserved thinking). So thinking behind an edit is left out by us: the request is taken, and
without a beta header.
"""

import re
from typing import Final

from token_tracking.pricing import normalize_model

_VERSION: Final = re.compile(r"claude-(fable|mythos)-(\d+)(?:-(\d+))?")
_SINCE: Final = {"fable": (5, 1), "mythos": (5, 2)}


def binds_thinking(model: str) -> bool:
    """Whether a model's thinking may not stand behind an edit that was made later."""
    found = _VERSION.match(normalize_model(model))
    if found is None:
        return False
    return (int(found[2]), int(found[3] or 0)) >= _SINCE[found[1]]
