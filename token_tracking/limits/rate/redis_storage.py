"""The storage that several processes share: Redis, one script a turn."""

import hashlib
import logging
import time
from importlib.resources import files
from typing import Final, cast

import msgspec
from msgspec import Struct
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from token_tracking.limits.errors import RateStorageError
from token_tracking.limits.rate.memory import MemoryRateStorage
from token_tracking.limits.rate.storage import (
    HELD_PARTS,
    SUB_WINDOWS,
    Change,
    Granted,
    Heard,
    Told,
    Wish,
    Work,
)
from token_tracking.limits.rate.values import WINDOW_SECONDS, Limits, RateKey

ANSWER_SECONDS: Final = 1.0
"""How long Redis may take to connect, and as long to answer."""

DOWN_SECONDS: Final = 1.0
"""How long Redis is left alone after it failed."""

LONG_AGO: Final = -1e9
"""What the clock of counts without Redis begins at: their parts are below 0, and none is Redis'."""

SILENT_SECONDS: Final = 2.5
"""After how long an owner that does not ask loses its places in the line: it is dead."""

POLL_SECONDS: Final = 0.25
"""After how long to ask again while waiting: another process may have given something back."""

AHEAD: Final = 64
"""How far into the line a turn looks for its owner's wishes, to say how long they wait."""

_log = logging.getLogger(__name__)


class _WireWish(Struct):
    id: str
    counts: tuple[int, ...]


class _Wire(Struct):
    """The work of one turn as the script reads it. Times are microseconds, `keep` milliseconds."""

    owner: str
    part: int
    held: int
    patience: int
    ahead: int
    keep: int
    limits: tuple[int, ...]
    pause: int
    used: tuple[int, ...]
    returns: tuple[int, ...]
    changes: list[tuple[int, ...]]
    left: list[_WireWish]
    wishes: list[_WireWish]


class RedisRateStorage:
    """Counts in Redis (6 or later), by its clock, shared by every process with the same `url`.

    Where Redis fails, counts go on in this process alone (`falls_back`), with a warning: no
    request is refused for it, but several processes may then pass a limit together, each by its
    own. `problem` says so as long as it lasts. With `falls_back=False` turns raise
    RateStorageError instead. Neither takes longer than a few seconds.
    """

    def __init__(
        self,
        url: str,
        *,
        window: float = WINDOW_SECONDS,
        prefix: str = "token-tracking:rate",
        falls_back: bool = True,
        answer_seconds: float = ANSWER_SECONDS,
    ) -> None:
        self.window = window
        self.poll = min(POLL_SECONDS, window / 20)
        self.problem: str | None = None
        self._prefix = prefix
        self._falls_back = falls_back
        self._redis = Redis.from_url(  # pyright: ignore[reportUnknownMemberType]
            url,
            socket_timeout=answer_seconds,
            socket_connect_timeout=answer_seconds,
            health_check_interval=15,
            retry=Retry(NoBackoff(), 0),  # a turn that was done twice would count twice
        )
        lua = files("token_tracking.limits.rate").joinpath("turn.lua").read_text("utf-8")
        self._script = self._redis.register_script(lua)
        self._down_until = 0.0
        self._alone = self._memory()

    async def turn(self, key: RateKey, owner: str, work: Work) -> Told:
        """See `RateStorage.turn`."""
        if time.monotonic() < self._down_until:
            return await self._without_redis(key, owner, work)
        try:
            answer = await self._script(keys=self._names(key), args=[self._wire(owner, work)])
        except (RedisError, OSError) as error:
            self._down_until = time.monotonic() + DOWN_SECONDS
            self._complain(error)
            return await self._without_redis(key, owner, work)
        if self.problem is not None:
            _log.warning("Rate limits are counted in Redis again.")
            self.problem, self._alone = None, self._memory()
        return _told(cast("list[bytes | int]", answer))

    async def aclose(self) -> None:
        """Close the connections."""
        await self._redis.aclose()

    async def _without_redis(self, key: RateKey, owner: str, work: Work) -> Told:
        if not self._falls_back:
            raise RateStorageError(f"Redis does not keep rate limits: {self.problem}.")
        return await self._alone.turn(key, owner, work)

    def _complain(self, error: Exception) -> None:
        if self.problem is None:
            # The text of a connection's error may hold the address, and with it a password.
            self.problem = type(error).__name__
            if self._falls_back:
                _log.warning(
                    "Redis fails (%s): until it is back, each process counts its rate limits"
                    " alone.",
                    self.problem,
                )

    def _memory(self) -> MemoryRateStorage:
        return MemoryRateStorage(
            window=self.window, clock=lambda: time.monotonic() + LONG_AGO * self.window
        )

    def _names(self, key: RateKey) -> list[str]:
        told = msgspec.json.encode([*key, self.window])
        digest = hashlib.sha256(told).hexdigest()[:32]
        return [f"{self._prefix}:{{{digest}}}:counts", f"{self._prefix}:{{{digest}}}:line"]

    def _wire(self, owner: str, work: Work) -> bytes:
        heard = work.heard or Heard()
        patience = max(SILENT_SECONDS, 10 * self.poll)
        return msgspec.json.encode(
            _Wire(
                owner=owner,
                part=round(self.window * 1e6 / SUB_WINDOWS),
                held=HELD_PARTS,
                patience=round(patience * 1e6),
                ahead=AHEAD,
                keep=round((3 * self.window + patience) * 1e3),
                limits=_limits(work.limits),
                pause=round(heard.pause * 1e6),
                used=_limits(heard.used),
                returns=tuple(round(seconds * 1e6) for seconds in heard.returns_in),
                changes=[_change(change) for change in work.changes],
                left=[_wish(wish) for wish in work.left],
                wishes=[_wish(wish) for wish in work.wishes],
            )
        )


def _wish(wish: Wish) -> _WireWish:
    return _WireWish(wish.id, wish.counts)


def _limits(limits: Limits) -> tuple[int, ...]:
    return tuple(-1 if limit is None else limit for limit in limits)


def _change(change: Change) -> tuple[int, ...]:
    return (change.part, *change.delta)


def _told(answer: list[bytes | int]) -> Told:
    wait, pause = (float(cast("bytes", text)) / 1e6 for text in answer[:2])
    texts = [cast("bytes", text).decode() for text in answer[3:]]
    granted = [Granted(name, int(part)) for name, part in zip(texts[::2], texts[1::2], strict=True)]
    return Told(granted, int(answer[2]), wait, pause)
