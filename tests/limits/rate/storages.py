"""A clock that is set by hand, the storages that are tested, and short ways to their turns."""

import os
import socket
import uuid
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar
from urllib.parse import urlsplit

import pytest
from msgspec.structs import replace

from token_tracking.limits.rate import MemoryRateStorage, RateKey
from token_tracking.limits.rate.storage import Heard, Told, Wish, Work
from token_tracking.limits.rate.values import Counts, Limits

Result = TypeVar("Result")

REDIS_URL = os.environ.get("TEST_REDIS_URL", "redis://127.0.0.1:6379/0")


def has_redis() -> bool:
    """Whether something listens there; fails the test where it must (`REQUIRE_REDIS`)."""
    address = urlsplit(REDIS_URL)
    try:
        socket.create_connection((address.hostname or "127.0.0.1", address.port or 6379), 1).close()
    except OSError:
        if os.environ.get("REQUIRE_REDIS"):
            pytest.fail(f"REQUIRE_REDIS is set, and no Redis listens at port {address.port}")
        return False
    return True


def need_redis() -> None:
    """Skip the test where there is no Redis."""
    if not has_redis():
        pytest.skip("no Redis listens: set TEST_REDIS_URL, or start one at 127.0.0.1:6379")


def fresh_key() -> RateKey:
    """A key that no other test has."""
    return RateKey("upstream", "model", uuid.uuid4().hex)


class Clock:
    """Seconds that pass only when told to."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


def at_once(turn: Coroutine[Any, Any, Result]) -> Result:
    """The result of a coroutine that must not suspend."""
    try:
        turn.send(None)
    except StopIteration as ended:
        return ended.value
    turn.close()
    raise AssertionError("it suspended")


class Window:
    """One key of a memory storage, its clock, and wishes by their counts."""

    KEY = RateKey("upstream", "model", "key")

    def __init__(self, limits: Limits, *, seconds: float = 60.0) -> None:
        self.clock = Clock()
        self.limits = limits
        self.storage = MemoryRateStorage(window=seconds, clock=self.clock)
        self.number = 0

    def wish(self, *counts: int) -> Wish:
        self.number += 1
        requests, inputs, outputs = (*counts, 0, 0, 0)[:3]
        return Wish(str(self.number), (requests, inputs, outputs, inputs + outputs))

    def turn(self, work: Work) -> Told:
        return at_once(self.storage.turn(self.KEY, "owner", replace(work, limits=self.limits)))

    def ask(self, *wishes: Wish) -> Told:
        return self.turn(Work(wishes=wishes))

    def hear(self, heard: Heard) -> Told:
        return self.turn(Work(heard=heard))

    def takes(self, *counts: int) -> bool:
        """Whether so much fits now; it is taken if so, and does not stay in the line if not."""
        wish = self.wish(*counts)
        if self.ask(wish).granted:
            return True
        self.turn(Work(left=(wish,)))
        return False


def ids(told: Told) -> list[str]:
    """Who was granted."""
    return [granted.id for granted in told.granted]


def minus(counts: Counts) -> Counts:
    """What gives all of it back."""
    requests, inputs, outputs, tokens = counts
    return (-requests, -inputs, -outputs, -tokens)


LimitFor = Callable[[RateKey], Any]
