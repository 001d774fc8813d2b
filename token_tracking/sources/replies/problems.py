"""Why a response could not be read: `Reply.problem`."""

from typing import Final

INVALID_USAGE: Final = "invalid usage"
"""A count is missing, negative, absurd or no integer, or contradicts another."""

TOO_LONG: Final = "too long"
"""A body, line or event is longer than is held (`events.LONGEST`)."""

UNREADABLE: Final = "unreadable"
"""The body is damaged, cut short or no JSON, or its content coding cannot be decoded."""
