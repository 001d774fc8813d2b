"""The prompt cache, block by block.

The rules are those of the API's page on prompt caching: a prefix is written at a breakpoint and
nowhere else; it is found where all that precedes is the same, at the breakpoint or at most 20
blocks back, the breakpoint's own block counted; a prefix under the model's minimum is not cached;
an entry lives five minutes or an hour from its last use.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tests.upstream.prompts import Part

LOOK_BACK = 20
"""Blocks, the breakpoint's own among them."""
LIFETIMES = {"5m": 300.0, "1h": 3_600.0}
"""Seconds."""


@dataclass(frozen=True)
class Billed:
    """The tokens of one prompt by price; together they are the prompt's tokens."""

    fresh: int = 0
    read: int = 0
    write_5m: int = 0
    write_1h: int = 0

    @property
    def prompt(self) -> int:
        """All of them."""
        return self.fresh + self.read + self.write_5m + self.write_1h


@dataclass
class _Entry:
    lifetime: float
    expires: float


@dataclass(frozen=True)
class _Prefixes:
    """Of each part: the hash of all up to it, and the tokens of all up to it."""

    hashes: list[bytes]
    tokens: list[int]

    @classmethod
    def of(cls, model: str, parts: Sequence[Part]) -> "_Prefixes":
        running, total = hashlib.sha256(model.encode()).digest(), 0
        hashes: list[bytes] = []
        tokens: list[int] = []
        for part in parts:
            running = hashlib.sha256(
                running + part.content.encode("utf-8", "surrogatepass")
            ).digest()
            total += part.tokens
            hashes.append(running)
            tokens.append(total)
        return cls(hashes, tokens)


class Cache:
    """What earlier requests left. `clock` tells the seconds."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._entries: dict[bytes, _Entry] = {}

    def clear(self) -> None:
        """Forget everything."""
        self._entries.clear()

    def bill(self, model: str, parts: Sequence[Part], minimum: int) -> Billed:
        """What a prompt reads and writes; its entries are written, those it used live on."""
        prefixes = _Prefixes.of(model, parts)
        marks = [n for n, part in enumerate(parts) if part.ttl and prefixes.tokens[n] >= minimum]
        found = max((self._found(prefixes, mark) for mark in marks), default=-1)
        for mark in marks:
            self._keep(prefixes.hashes[mark], parts[mark].ttl or "5m")
        return _billed(prefixes, parts, marks, found)

    def _found(self, prefixes: _Prefixes, mark: int) -> int:
        """The nearest living prefix from a breakpoint back, used anew; -1 where there is none."""
        for place in range(mark, max(mark - LOOK_BACK, -1), -1):
            entry = self._entries.get(prefixes.hashes[place])
            if entry and entry.expires > self._clock():
                entry.expires = self._clock() + entry.lifetime
                return place
        return -1

    def _keep(self, key: bytes, ttl: str) -> None:
        entry = self._entries.get(key)
        if entry is None or entry.expires <= self._clock():
            lifetime = LIFETIMES[ttl]
            self._entries[key] = _Entry(lifetime, self._clock() + lifetime)


def _billed(prefixes: _Prefixes, parts: Sequence[Part], marks: Sequence[int], found: int) -> Billed:
    def upto(place: int) -> int:
        return prefixes.tokens[place] if place >= 0 else 0

    # Hours come before minutes, so each lifetime is one stretch.
    last = max([found, *marks])
    hour = max([found, *(mark for mark in marks if parts[mark].ttl == "1h")])
    return Billed(
        fresh=upto(len(parts) - 1) - upto(last),
        read=upto(found),
        write_5m=upto(last) - upto(hour),
        write_1h=upto(hour) - upto(found),
    )
