"""Attribution: which item of its prompts a session's tokens and money went to, to the token and
to the pico-dollar."""

from token_tracking.efficiency.attribution.attribute import attribute
from token_tracking.efficiency.attribution.result import prompt_pico
from token_tracking.efficiency.attribution.values import (
    Attribution,
    Conversation,
    Entry,
    Findings,
    ItemShare,
    Message,
    NotAttributableError,
    Removal,
)

__all__ = [
    "Attribution",
    "Conversation",
    "Entry",
    "Findings",
    "ItemShare",
    "Message",
    "NotAttributableError",
    "Removal",
    "attribute",
    "prompt_pico",
]
