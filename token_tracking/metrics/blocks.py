"""Blocks of five hours from a first message, as plans count them."""

from collections.abc import Iterable
from typing import Final

from msgspec import Struct

from token_tracking.store import Sums

BLOCK_MS: Final = 5 * 3_600_000


class Block(Struct):
    """A block: when it began (its first message), its last message, its sums by model."""

    first_at: int
    last_at: int
    models: dict[str, Sums]


def blocks(messages: Iterable[tuple[int, str, Sums]]) -> list[Block]:
    """The blocks of messages in order of time: (milliseconds since 1970 UTC, model, sums).

    A block begins with the first message after the one before it ended, and lasts five hours.
    """
    found: list[Block] = []
    for at, model, sums in messages:
        if not found or at >= found[-1].first_at + BLOCK_MS:
            found.append(Block(at, at, {}))
        block = found[-1]
        block.last_at = at
        known = block.models.get(model)
        block.models[model] = sums if known is None else known + sums
    return found
