"""Each tracked client is its own, whatever HTTP client it shares with others."""

import gc
import json
from typing import Any

import httpx2
import pytest
from anthropic import Anthropic, AsyncAnthropic
from openai import OpenAI

from tests.sources.sdk.providers import (
    CLAUDE,
    GPT,
    Provider,
    answer,
    claude,
    completion,
    message,
)
from tests.upstream.app import Upstream
from token_tracking.sources.sdk import Caller, track_client
from token_tracking.usage import UsageEvent


def _both(request: httpx2.Request) -> httpx2.Response:
    return answer(message() if request.url.path.endswith("/messages") else completion())


def _users(seen: list[UsageEvent]) -> list[str | None]:
    return [json.loads(event.metadata or "").get("user") for event in seen]


def test_clients_of_both_packages_share_an_http_client(seen: list[UsageEvent]) -> None:
    http = httpx2.Client(transport=Provider(_both))
    one: Any = track_client(Anthropic(api_key="k", http_client=http), seen.append, Caller())
    other: Any = track_client(OpenAI(api_key="k", http_client=http), seen.append, Caller())
    one.messages.create(**CLAUDE)
    other.chat.completions.create(**GPT)
    one.messages.create(**CLAUDE)
    assert [event.usage.output_tokens for event in seen] == [5, 5, 5]


def test_two_users_clients_on_one_http_client_are_told_apart(seen: list[UsageEvent]) -> None:
    http = httpx2.Client(transport=Provider(_both))
    ada: Any = Anthropic(api_key="k", http_client=http)
    bob: Any = Anthropic(api_key="k", http_client=http)
    nobody: Any = Anthropic(api_key="k", http_client=http)
    track_client(ada, seen.append, Caller(user="ada"))
    track_client(bob, seen.append, Caller(user="bob"))
    for client in (ada, bob, nobody, ada):
        client.messages.create(**CLAUDE)
    assert _users(seen) == ["ada", "bob", "ada"]


def test_copies_of_one_client_are_tracked_for_a_user_each(seen: list[UsageEvent]) -> None:
    base = claude(Provider(_both))
    ada = track_client(base.with_options(timeout=5), seen.append, Caller(user="ada"))
    bob = track_client(ada.with_options(timeout=6), seen.append, Caller(user="bob"))
    for client in (ada, bob, base, ada.with_options(max_retries=1), bob.copy()):
        client.messages.create(**CLAUDE)
    assert _users(seen) == ["ada", "bob", "ada", "bob"]


def test_to_track_again_replaces_who_calls(seen: list[UsageEvent]) -> None:
    client = claude(Provider(_both))
    for user in ("ada", "bob", "cleo"):
        track_client(client, seen.append, Caller(user=user))
    client.messages.create(**CLAUDE)
    assert _users(seen) == ["cleo"]


def test_a_shared_http_client_stays_open_until_nobody_has_it(
    upstream: Upstream, seen: list[UsageEvent]
) -> None:
    base: Any = Anthropic(api_key="k", base_url=upstream.base_url)
    first: Any = track_client(base.with_options(timeout=5), seen.append, Caller())
    second: Any = track_client(base.with_options(timeout=5), seen.append, Caller())
    first.messages.create(**CLAUDE)
    del base, first
    gc.collect()
    second.messages.create(**CLAUDE)
    second.close()
    assert second.is_closed()
    with pytest.raises(Exception, match="Connection error"):
        second.with_options(max_retries=0).messages.create(**CLAUDE)
    assert len(seen) == 2


def test_a_tracked_http_client_is_of_its_class_and_shows_the_same_state() -> None:
    client = claude(Provider(_both))
    http = client._client
    track_client(client, print, Caller())
    assert isinstance(client._client, type(http))
    assert type(client._client).__name__ == type(http).__name__
    client._client.cookies.set("a", "b")
    assert http.cookies["a"] == "b"
    client.close()
    assert http.is_closed


async def test_async_clients_are_told_apart_too(seen: list[UsageEvent]) -> None:
    http = httpx2.AsyncClient(transport=Provider(_both))
    clients: list[Any] = [AsyncAnthropic(api_key="k", http_client=http) for _ in range(2)]
    for client, user in zip(clients, ("ada", "bob"), strict=True):
        track_client(client, seen.append, Caller(user=user))
    for client in clients:
        await client.messages.create(**CLAUDE)
    await clients[0].close()
    assert http.is_closed
    assert _users(seen) == ["ada", "bob"]


def test_what_goes_through_a_proxy_is_tracked(seen: list[UsageEvent]) -> None:
    proxy = Provider(_both)
    http = httpx2.Client(transport=Provider(_unreachable), mounts={"https://": proxy})
    client: Any = Anthropic(api_key="k", http_client=http)
    track_client(client, seen.append, Caller()).messages.create(**CLAUDE)
    assert (len(proxy.requests), len(seen)) == (1, 1)


def _unreachable(request: httpx2.Request) -> httpx2.Response:
    raise AssertionError("It went past the proxy.")


class _Kind(type):
    """A class of classes of somebody's own."""


class _Slotted(httpx2.Client, metaclass=_Kind):
    __slots__ = ("purpose",)


def test_an_http_client_of_a_class_with_slots_and_a_kind_of_its_own_is_tracked(
    upstream: Upstream, seen: list[UsageEvent]
) -> None:
    http = _Slotted()
    http.purpose = "essays"
    made: Any = Anthropic(api_key="test", base_url=upstream.base_url, http_client=http)
    with track_client(made, seen.append, Caller()) as client:
        client.messages.create(**CLAUDE)
        assert client._client.purpose == "essays"
    assert len(seen) == 1
