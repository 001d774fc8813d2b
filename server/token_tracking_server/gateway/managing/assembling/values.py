"""What is put together."""

from typing import Any, Protocol

from msgspec import Struct

Said = dict[str, Any]
"""A message, a block, or an event, as the API has it."""


class Assembled(Struct, frozen=True):
    """An answer that came to its end: the message as the next request takes it (`None` where it
    has nothing to go on from), and why the model stopped. One that `is_refused` may not stay in a
    conversation, nor may what was asked."""

    message: Said | None
    stop_reason: str | None
    is_refused: bool = False


class Assembler(Protocol):
    """Takes the events of one stream."""

    def take(self, event: Said) -> None:
        """The next event."""
        ...

    def is_whole(self) -> bool:
        """Whether all of the message was told."""
        ...

    def assembled(self) -> Assembled | None:
        """The message, when it is whole."""
        ...
