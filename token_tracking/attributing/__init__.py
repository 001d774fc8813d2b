"""The sessions of the ledger as attribution takes them, and what it finds, as the ledger keeps
it."""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from token_tracking.attributing.attributor import Attributor
    from token_tracking.attributing.conversation import RateBook, session_attribution
    from token_tracking.attributing.settler import Settled
    from token_tracking.attributing.shares import session_shares

__all__ = ["Attributor", "RateBook", "Settled", "session_attribution", "session_shares"]

_MODULES = {
    "Attributor": "attributor",
    "RateBook": "conversation",
    "Settled": "settler",
    "session_attribution": "conversation",
    "session_shares": "shares",
}


def __getattr__(name: str) -> object:
    # What needs one of them does not wait for the others (PEP 562).
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
