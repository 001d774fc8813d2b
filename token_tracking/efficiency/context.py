"""Which just-in-time content stood in each request of a session."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple, Protocol

from msgspec import Struct

from token_tracking.errors import InvalidUsageError
from token_tracking.loads import LibrarySize, SessionLoad, chain_of
from token_tracking.usage import SYNTHETIC_MODEL, Usage

_MOST_TOKENS: Final = 10**15
"""More than all the libraries and sessions that a ledger takes: a fault of who tells it."""


class Billed(Protocol):
    """A billed message: `store.TokenUsage` is one. Times are milliseconds since 1970 UTC."""

    @property
    def message_id(self) -> str: ...
    @property
    def timestamp(self) -> int: ...
    @property
    def usage(self) -> Usage: ...
    @property
    def model(self) -> str | None: ...
    @property
    def service_tier(self) -> str | None: ...
    @property
    def speed(self) -> str | None: ...
    @property
    def inference_geo(self) -> str | None: ...
    @property
    def agent_id(self) -> str | None: ...
    @property
    def is_sidechain(self) -> bool: ...


class JitContext(Struct, frozen=True, kw_only=True):
    """What of a library stood in one request, in tokens of one kind (counted, or as billed).

    `library_tokens` is the size of all of it; `loaded_tokens` what had been loaded of it, and
    `overhead_tokens` what finding and loading it cost: the definitions of the tools, indexes and
    the frame of each answer. Of what entered since the request before, `new_tokens` is the size.

    Raises:
        InvalidUsageError: a count is negative, not an integer, or absurdly large.
    """

    library_tokens: int
    loaded_tokens: int
    overhead_tokens: int
    new_tokens: int = 0

    def __post_init__(self) -> None:
        for name in self.__struct_fields__:
            value: object = getattr(self, name)
            if type(value) is not int or not 0 <= value <= _MOST_TOKENS:
                raise InvalidUsageError(
                    f"{name} is {value!r}: it must be a whole number from 0 to {_MOST_TOKENS:,}."
                )

    @property
    def tokens_saved(self) -> int:
        """What the request did not have to carry; negative where it carried more."""
        return self.library_tokens - self.loaded_tokens - self.overhead_tokens


class _Change(NamedTuple):
    """Content that enters (`sign` 1) or leaves (-1) a chain's context at a time."""

    at: int
    sign: int
    load: SessionLoad


def requests(messages: Iterable[Billed]) -> list[Billed]:
    """The messages that were requests: a client writes some itself, which nothing was sent for."""
    return [
        each for each in messages if each.model != SYNTHETIC_MODEL and each.usage.prompt_tokens > 0
    ]


def contexts(sent: Sequence[Billed], loads: Sequence[SessionLoad]) -> dict[str, JitContext]:
    """The context of each request, by its message, in counted tokens.

    Empty where no load tells how large the library is. The library counts from the session's
    first request on: it would have been there. What a load brought counts in its own chain.
    """
    if not any(load.library for load in loads):
        return {}
    chains: defaultdict[str, list[Billed]] = defaultdict(list)
    for each in sorted(sent, key=lambda each: (each.timestamp, each.message_id)):
        chains[chain_of(each.agent_id, is_sidechain=each.is_sidechain)].append(each)
    found: dict[str, JitContext] = {}
    for chain, members in chains.items():
        inside = [load for load in loads if load.chain == chain]
        found |= _chain_contexts(members, inside, _Libraries(loads))
    return found


class _Libraries:
    """The library at times that only grow: that of the last load before, or else of the first."""

    def __init__(self, loads: Sequence[SessionLoad]) -> None:
        known = sorted(loads, key=lambda load: load.entered_at, reverse=True)
        self._rest = [(load.entered_at, load.library) for load in known if load.library]
        self._now = self._rest[-1][1]

    def at(self, at: int) -> LibrarySize:
        while self._rest and self._rest[-1][0] <= at:
            self._now = self._rest.pop()[1]
        return self._now


def _chain_contexts(
    members: Sequence[Billed], loads: Sequence[SessionLoad], libraries: _Libraries
) -> dict[str, JitContext]:
    """The contexts of one chain's requests, in order of time.

    New is what entered since the request before it: not what a fork inherited, which its parent
    had sent, nor what stood there before the first request that is known.
    """
    changes = sorted(_changes(loads), key=lambda change: (change.at, -change.sign), reverse=True)
    first = members[0].timestamp
    found: dict[str, JitContext] = {}
    loaded = overhead = 0
    for each in members:
        new: dict[int, SessionLoad] = {}
        while changes and changes[-1].at <= each.timestamp:
            _, sign, load = changes.pop()
            loaded += sign * (load.tokens or 0)
            overhead += sign * load.overhead_tokens
            if sign < 0:
                new.pop(id(load), None)
            elif not load.is_inherited and load.entered_at >= first:
                new[id(load)] = load
        library = libraries.at(each.timestamp)
        found[each.message_id] = JitContext(
            library_tokens=library.tokens,
            loaded_tokens=loaded,
            overhead_tokens=overhead + library.overhead_tokens,
            new_tokens=sum((load.tokens or 0) + load.overhead_tokens for load in new.values()),
        )
    return found


def _changes(loads: Sequence[SessionLoad]) -> Iterable[_Change]:
    for load in loads:
        yield _Change(load.entered_at, 1, load)
        if load.left_at is not None:
            yield _Change(load.left_at, -1, load)
