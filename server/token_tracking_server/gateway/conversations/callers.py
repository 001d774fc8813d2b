"""Who sends a message: what is read of its request, and whether they are still there."""

import asyncio
from collections.abc import Coroutine
from typing import Any, Final, TypeVar

from starlette.types import Receive, Scope

from token_tracking_server.gateway.conversations.asking import Caller
from token_tracking_server.gateway.exchanges import Headers

_Value = TypeVar("_Value")

_KEY_HEADERS: Final = frozenset({b"x-api-key", b"authorization"})
_LONGEST_PROJECT: Final = 200
_PROJECT: Final = b"x-token-tracking-project"
_LIMITS: Final = b"x-token-tracking-limits"


class CallerGoneError(Exception):
    """The caller went away: nobody reads the answer."""


def caller_of(scope: Scope) -> Caller:
    """Who asks, by the request's headers: the gateway's own token is not among them any more."""
    headers: Headers = [(name, value) for name, value in scope["headers"]]
    told = dict(headers)
    project = told.get(_PROJECT, b"").decode("utf-8", "replace")[:_LONGEST_PROJECT]
    return Caller(
        headers=[each for each in headers if each[0] in _KEY_HEADERS],
        project=project or None,
        wants_limits=told.get(_LIMITS, b"").strip() == b"on",
    )


async def while_there(receive: Receive, work: Coroutine[Any, Any, _Value]) -> _Value:
    """What `work` gives, unless the caller goes away first: then it is cancelled.

    Raises:
        CallerGoneError: the caller went away.
    """
    working, going = asyncio.ensure_future(work), asyncio.ensure_future(_gone(receive))
    try:
        await asyncio.wait({working, going}, return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            raise CallerGoneError
        return working.result()
    finally:
        working.cancel()
        going.cancel()
        await asyncio.gather(working, going, return_exceptions=True)


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
