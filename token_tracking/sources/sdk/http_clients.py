"""HTTP clients that read along, each in the place of one that others may use as well."""

from functools import cache
from typing import Any

import httpx2

from token_tracking.sources.sdk.transports import AsyncTracked, SyncTracked
from token_tracking.sources.sdk.watching import Watching


class _Sync(httpx2.Client):
    __slots__ = ("_original", "_watched")

    def _transport_for_url(self, url: httpx2.URL) -> httpx2.BaseTransport:
        return SyncTracked(super()._transport_for_url(url), self._watched)

    def __del__(self) -> None:
        """The original closes itself, when nobody has it any more."""


class _Async(httpx2.AsyncClient):
    __slots__ = ("_original", "_watched")

    def _transport_for_url(self, url: httpx2.URL) -> httpx2.AsyncBaseTransport:
        return AsyncTracked(super()._transport_for_url(url), self._watched)

    def __del__(self) -> None:
        """The original closes itself, when nobody has it any more."""


def watched(
    http: httpx2.Client | httpx2.AsyncClient, watching: Watching
) -> httpx2.Client | httpx2.AsyncClient:
    """An HTTP client of the same class and with the very state of `http`: its connections,
    proxies, cookies, and whether it is closed. Only what is sent through it is watched.

    Given one that is watched, its original is taken.
    """
    original: Any = getattr(http, "_original", http)
    own: Any = object.__new__(_class_for(original.__class__))
    own.__dict__ = original.__dict__
    own._original = original
    own._watched = watching
    return own


@cache
def _class_for(kind: type[Any]) -> type[Any]:
    above = _Sync if issubclass(kind, httpx2.Client) else _Async
    return type(kind.__name__, (above, kind), {"__slots__": (), "__module__": kind.__module__})
