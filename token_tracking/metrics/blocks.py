"""Blocks of five hours from a first message, as plans count them."""

from collections.abc import Callable, Iterable
from typing import Final

from msgspec import Struct

from token_tracking.store import MessageSums, Sums

BLOCK_MS: Final = 5 * 3_600_000


class Block(Struct):
    """A block: when it began (its first message), its last message, its sums by model.

    Times are milliseconds since 1970 UTC.
    """

    first_at: int
    last_at: int
    models: dict[str, Sums]


def blocks(
    messages: Iterable[MessageSums], is_chosen: Callable[[MessageSums], bool] = lambda _: True
) -> list[Block]:
    """The blocks of messages in order of time that hold a chosen one; sums are of those.

    A block begins with the first message after the one before it ended, and lasts five hours.
    """
    found: list[Block] = []
    for message in messages:
        if not found or message.at >= found[-1].first_at + BLOCK_MS:
            found.append(Block(message.at, message.at, {}))
        block = found[-1]
        block.last_at = message.at
        if is_chosen(message):
            known = block.models.get(message.model)
            block.models[message.model] = message.sums if known is None else known + message.sums
    return [block for block in found if block.models]
