"""What the limiter asks of a storage: a window of counts for each key, and the line before it.

Both storages count in `SUB_WINDOWS` parts of the window. A count leaves when its part and the
window after it are over, and one part more: what is counted in one moment and sent in the next
stays lawful. So an amount holds its place for 1.01 to 1.02 windows, and 98% of a limit can be used.
"""

from typing import Final, NamedTuple, Protocol

from msgspec import Struct

from token_tracking.limits.rate.values import NO_LIMITS, Counts, Limits, RateKey

SUB_WINDOWS: Final = 100
HELD_PARTS: Final = SUB_WINDOWS + 2
"""For how many sub-windows a count is held: its own, a whole window, and one of margin."""

Partly = tuple[int | None, int | None, int | None, int | None]


class Wish(Struct, frozen=True, gc=False):
    """A request in the line. It never asks for more than the limits: who asks sees to it."""

    id: str
    counts: Counts


class Change(Struct, frozen=True, gc=False):
    """A correction of what was counted in a part: what is less is given back there, what is more
    is counted now."""

    part: int
    delta: Counts


class Heard(Struct, frozen=True, gc=False):
    """What a provider said: its own count `used` (`None`: not said), in how many seconds that
    returns, and for how many seconds no request is to be sent.

    Our count is raised to `used`, never lowered: others use the same key.
    """

    used: Partly = (None, None, None, None)
    returns_in: tuple[float, float, float, float] = (0.0, 0.0, 0.0, 0.0)
    pause: float = 0.0


class Work(Struct, frozen=True, gc=False):
    """What one turn does, in this order, before it serves the line. `limits` are those that hold
    now for the owner's wishes, also for those that wait already: limits are learnt meanwhile."""

    limits: Limits = NO_LIMITS
    heard: Heard | None = None
    changes: tuple[Change, ...] = ()
    left: tuple[Wish, ...] = ()
    """Wishes whose callers have gone: out of the line, and given back if they were granted."""
    wishes: tuple[Wish, ...] = ()
    """Wishes for the end of the line, where they do not stand in it already."""


class Granted(NamedTuple):
    """A wish that was counted, and the part that it was counted in."""

    id: str
    part: int


class Told(NamedTuple):
    """What a storage answers.

    `granted` are wishes of the caller's that may go; `waiting` is how many others of its wishes
    stand in the line. In `wait` seconds the first of them may fit, if nothing is given back before;
    nothing shortens the `pause` (seconds).
    """

    granted: list[Granted]
    waiting: int
    wait: float
    pause: float


class RateStorage(Protocol):
    """Windows of counts, each with a line that is served first come, first served."""

    @property
    def window(self) -> float:
        """Seconds in which no more than a limit passes: 60, or fewer for a test."""
        ...

    @property
    def poll(self) -> float | None:
        """Seconds after which to ask again, as others may have changed the counts; `None` where
        nobody else can, and where a turn never suspends its caller."""
        ...

    async def turn(self, key: RateKey, owner: str, work: Work) -> Told:
        """Do the work, then serve the line: each first wish that fits is counted and granted.

        Raises RateStorageError where the storage fails, after a few seconds at most.
        """
        ...

    async def aclose(self) -> None:
        """Close connections."""
        ...
