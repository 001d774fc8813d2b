"""What the options of policies have to be."""

from collections.abc import Collection, Mapping
from typing import cast

from token_tracking.window.errors import InvalidBudgetError


def check_share(name: str, value: object) -> None:
    """Raise InvalidBudgetError where it is no share above 0 and up to 1."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= 1:
        raise InvalidBudgetError(f"{name} is {value!r}: give a share above 0 and up to 1.")


def check_count(name: str, value: object, *, least: int = 1) -> None:
    """Raise InvalidBudgetError where it is no whole number of at least `least`."""
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise InvalidBudgetError(f"{name} is {value!r}: give a whole number from {least} on.")


def check_tools(name: str, value: object) -> None:
    """Raise InvalidBudgetError where it is no collection of tools' names; one name alone is none,
    since any part of it would be found in it."""
    is_listed = isinstance(value, Collection) and not isinstance(value, str | bytes | Mapping)
    names = cast("Collection[object]", value) if is_listed else ()
    if not is_listed or not all(isinstance(each, str) for each in names):
        raise InvalidBudgetError(
            f"{name} is {value!r}: give the names of tools in a set, like frozenset({{'look_up'}})."
        )
