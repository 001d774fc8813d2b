"""Strategies of the window manager by name."""

from typing import Final

from token_tracking.window import (
    AutoReset,
    Budget,
    CapToolResults,
    ClearToolResults,
    Emergency,
    Hybrid,
    Policy,
    SlidingWindow,
    Summarize,
    default_policy,
)
from token_tracking.window.summaries import Summariser
from token_tracking_server.gateway.errors import BadRequestError

NONE: Final = "none"
"""Requests stay as they are."""

ON: Final = "on"
"""Stands for the strategy that the configuration has as its default."""

STRATEGIES: Final = (
    "default",
    NONE,
    "sliding_window",
    "summarize",
    "hybrid",
    "auto_reset",
    "clear_tool_results",
    "cap_tool_results",
)
"""Each but `none` ends with `Emergency`: whatever happens, the request fits."""


def check_strategy(name: str) -> str:
    """The name.

    Raises:
        BadRequestError: no strategy is called so.
    """
    if name not in STRATEGIES:
        raise BadRequestError(
            f"There is no strategy {name[:50]!r}: use one of {', '.join(STRATEGIES)}."
        )
    return name


def policies_of(name: str, budget: Budget, summariser: Summariser) -> tuple[Policy, ...]:
    """The policies of a strategy. Those that summarise ask `summariser`.

    Raises:
        BadRequestError: no strategy is called so.
    """
    match check_strategy(name):
        case "none":
            return ()
        case "sliding_window":
            first: Policy = SlidingWindow()
        case "summarize":
            first = Summarize(summariser)
        case "hybrid":
            first = Hybrid(summariser)
        case "auto_reset":
            first = AutoReset()
        case "clear_tool_results":
            first = ClearToolResults()
        case "cap_tool_results":
            first = CapToolResults()
        case _:
            return default_policy(budget)
    return (first, Emergency())
