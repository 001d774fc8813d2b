"""HTTP clients that read along, each in the place of one that others may use as well."""

from collections.abc import Iterator
from functools import cache
from typing import Any, Final, NamedTuple
from weakref import WeakKeyDictionary

import httpx2

from token_tracking.sources.sdk.transports import AsyncTracked, SyncTracked
from token_tracking.sources.sdk.watching import Watching


class _Original(NamedTuple):
    http: Any
    watching: Watching


_stands_for: Final["WeakKeyDictionary[Any, _Original]"] = WeakKeyDictionary()
"""Not on the clients themselves: all they have is the original's."""


class _Sync(httpx2.Client):
    __slots__ = ()

    def _transport_for_url(self, url: httpx2.URL) -> httpx2.BaseTransport:
        return SyncTracked(super()._transport_for_url(url), _stands_for[self].watching)

    def __del__(self) -> None:
        """The original closes itself, when nobody has it any more."""


class _Async(httpx2.AsyncClient):
    __slots__ = ()

    def _transport_for_url(self, url: httpx2.URL) -> httpx2.AsyncBaseTransport:
        return AsyncTracked(super()._transport_for_url(url), _stands_for[self].watching)

    def __del__(self) -> None:
        """The original closes itself, when nobody has it any more."""


def watched(
    http: httpx2.Client | httpx2.AsyncClient, watching: Watching
) -> httpx2.Client | httpx2.AsyncClient:
    """An HTTP client of the same class and with the very state of `http`: its connections,
    proxies, cookies, and whether it is closed. Only what is sent through it is watched.

    Given one that is watched, its original is taken.
    """
    original: Any = _stands_for[http].http if http in _stands_for else http
    own: Any = object.__new__(_class_for(original.__class__))
    own.__dict__ = original.__dict__
    for name in _slots_of(original.__class__):
        if hasattr(original, name):
            setattr(own, name, getattr(original, name))
    _stands_for[own] = _Original(original, watching)
    return own


@cache
def _class_for(kind: type[Any]) -> type[Any]:
    above = _Sync if issubclass(kind, httpx2.Client) else _Async
    names = {"__slots__": (), "__module__": kind.__module__}
    of_its_kind: Any = type(kind)
    return of_its_kind(kind.__name__, (above, kind), names)


def _slots_of(kind: type[Any]) -> Iterator[str]:
    for each in kind.__mro__:
        slots: str | tuple[str, ...] = each.__dict__.get("__slots__", ())
        for name in (slots,) if isinstance(slots, str) else slots:
            if name not in {"__dict__", "__weakref__"}:
                yield name
