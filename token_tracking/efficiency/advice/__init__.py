"""Findings and advice: what a session or a period spent and need not have, and what to do.

`find_waste` looks at one session, `advise` at the findings of a period.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from token_tracking.efficiency.advice.find import find_waste
    from token_tracking.efficiency.advice.kinds import KINDS, SIGNED
    from token_tracking.efficiency.advice.period import FindingSums, advise, summed

__all__ = ["KINDS", "SIGNED", "FindingSums", "advise", "find_waste", "summed"]

_MODULES = {
    "FindingSums": "period",
    "KINDS": "kinds",
    "SIGNED": "kinds",
    "advise": "period",
    "find_waste": "find",
    "summed": "period",
}


def __getattr__(name: str) -> object:
    # To show advice needs nothing of what finds it (PEP 562).
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
