"""Tracking a client: it is given an HTTP client whose responses are read along."""

from typing import Any, Final, TypeVar

import httpx2

from token_tracking.errors import TokenTrackingError
from token_tracking.sources.replies import Form, Record
from token_tracking.sources.sdk.http_clients import watched
from token_tracking.sources.sdk.values import Caller
from token_tracking.sources.sdk.watching import Watching

_Client = TypeVar("_Client")

_FORMS: Final[dict[str, Form]] = {"anthropic": "anthropic", "openai": "openai"}
"""The packages whose clients are known, by their names."""

_UNREADABLE: Final = frozenset({"AnthropicBedrock", "AsyncAnthropicBedrock"})
"""Their streams are Amazon's own event streams, which are not read."""


class UnknownClientError(TokenTrackingError, TypeError):
    """What was to be tracked is no client of a package that is known."""


def track_client(
    client: _Client, record: Record, caller: Caller, *, asks_gateway: bool = False
) -> _Client:
    """Have every response of the client recorded; the same client, with its types and behaviour.

    Works for the packages `anthropic` and `openai`, sync and async. Copies of it (`with_options`)
    are tracked too, each as its own. Other clients that were given the same HTTP client are not
    concerned. To track a client again replaces `caller` and `record`. `asks_gateway`: its base
    URL is that of a gateway of ours.

    Raises:
        UnknownClientError: it is none of their clients, or one whose responses cannot be read.
    """
    form = _form_of(client)
    # There is no public way to a client's HTTP client; tests hold this name for both packages.
    http: object = getattr(client, "_client", None)
    if form is None or not isinstance(http, httpx2.Client | httpx2.AsyncClient):
        raise UnknownClientError(
            f"{type(client).__module__}.{type(client).__qualname__} cannot be tracked: give a"
            " client of the package anthropic or openai that uses httpx2 (and no Amazon Bedrock's),"
            " like anthropic.Anthropic()."
        )
    known: Any = client
    gateway: httpx2.URL | None = known.base_url if asks_gateway else None
    known._client = watched(http, Watching(form, record, caller, gateway=gateway))
    return client


def _form_of(client: object) -> Form | None:
    kinds = type(client).__mro__
    if any(kind.__name__ in _UNREADABLE for kind in kinds):
        return None
    for kind in kinds:
        form = _FORMS.get(kind.__module__.partition(".")[0])
        if form is not None:
            return form
    return None
