"""Tracking a client: its HTTP client is given transports that read along."""

from typing import Any, Final, TypeVar

from token_tracking.errors import TokenTrackingError
from token_tracking.sources.replies import Form, Record
from token_tracking.sources.sdk.transports import AsyncTracked, SyncTracked, Tracked
from token_tracking.sources.sdk.values import Caller
from token_tracking.sources.sdk.watching import Watching

_Client = TypeVar("_Client")

_FORMS: Final[dict[str, Form]] = {"anthropic": "anthropic", "openai": "openai"}
"""The packages whose clients are known, by their names."""


class UnknownClientError(TokenTrackingError, TypeError):
    """What was to be tracked is no client of a package that is known."""


def track_client(client: _Client, record: Record, caller: Caller) -> _Client:
    """Have every response of the client recorded; the same client, with its types and behaviour.

    Works for the packages `anthropic` and `openai`, sync and async. Copies of it
    (`with_options`) share its HTTP client, and are tracked too, as is any other client that was
    given the same one. To track a client again replaces `caller` and `record`.

    Raises:
        UnknownClientError: it is none of their clients.
    """
    form = _form_of(client)
    # There is no public way to a client's transports; tests hold these names for both packages.
    http: Any = getattr(client, "_client", None)
    if form is None or not hasattr(http, "_transport") or not hasattr(http, "_mounts"):
        raise UnknownClientError(
            f"{type(client).__module__}.{type(client).__qualname__} cannot be tracked: give a"
            " client of the package anthropic or openai, like anthropic.Anthropic()."
        )
    watching = Watching(form, record, caller)
    kind = AsyncTracked if hasattr(http, "aclose") else SyncTracked
    http._transport = _tracked(http._transport, kind, watching)
    # Where a proxy is set, requests go through one of these.
    for pattern, transport in http._mounts.items():
        if transport is not None:
            http._mounts[pattern] = _tracked(transport, kind, watching)
    return client


def _form_of(client: object) -> Form | None:
    for kind in type(client).__mro__:
        form = _FORMS.get(kind.__module__.partition(".")[0])
        if form is not None:
            return form
    return None


def _tracked(transport: Any, kind: type[Tracked], watching: Watching) -> Tracked:
    if isinstance(transport, Tracked):
        transport.watching = watching
        return transport
    return kind(transport, watching)
