"""A gateway of ours is told who calls, and records what only it can tell apart; nobody else is."""

from typing import Any

import httpx2
import pytest

from tests.sources.sdk.providers import (
    CLAUDE,
    GPT,
    Provider,
    answer,
    claude,
    completion,
    gpt,
    message,
)
from token_tracking.sources.sdk import Caller, track_client
from token_tracking.usage import UsageEvent

OURS = {"x-token-tracking": "1.0"}
CALLER = Caller(session_id="s1", user="ada", agent="writer", project="essays")


def _told(request: httpx2.Request) -> dict[str, str]:
    begin = "x-token-tracking-"
    headers = request.headers.items()
    return {name.removeprefix(begin): value for name, value in headers if name.startswith(begin)}


def _gateway(request: httpx2.Request) -> httpx2.Response:
    return answer(message(), headers=OURS)


def _provider(request: httpx2.Request) -> httpx2.Response:
    return answer(message())


ALL = {"session": "s1", "user": "ada", "agent": "writer", "project": "essays"}


def _asked(provider: Provider, host: str, times: int = 2, **options: Any) -> list[dict[str, str]]:
    client = track_client(claude(provider, host), list[UsageEvent]().append, CALLER, **options)
    for _ in range(times):
        client.messages.create(**CLAUDE)
    return [_told(request) for request in provider.requests]


def test_a_gateway_on_this_machine_is_told_who_calls_from_the_first_call() -> None:
    assert _asked(Provider(_gateway), "127.0.0.1:8080") == [ALL, ALL]


def test_another_server_on_this_machine_is_told_no_more_once_it_answered() -> None:
    assert _asked(Provider(_provider), "localhost:8000") == [ALL, {}]


def test_a_gateway_elsewhere_is_told_once_it_answered_or_was_named() -> None:
    assert _asked(Provider(_gateway), "gateway.example") == [{}, ALL]
    assert _asked(Provider(_gateway), "gateway.example", asks_gateway=True) == [ALL, ALL]


def test_a_provider_is_never_told() -> None:
    assert _asked(Provider(_provider), "provider.example") == [{}, {}]


def test_an_error_of_what_stands_before_a_gateway_changes_nothing() -> None:
    answers = [answer(message(), headers=OURS), answer({"error": {}}, 502), answer(message())]
    provider = Provider(lambda request: answers[len(provider.requests) - 1])
    client = track_client(claude(provider, "gateway.example"), print, CALLER)
    client.messages.create(**CLAUDE)
    with pytest.raises(Exception, match="502"):
        client.messages.create(**CLAUDE)
    client.messages.create(**CLAUDE)
    assert [_told(request) for request in provider.requests] == [{}, ALL, ALL]


def test_a_named_gateway_that_sends_elsewhere_tells_nobody_there() -> None:
    def answering(request: httpx2.Request) -> httpx2.Response:
        if request.url.host == "gateway.example":
            there = "https://provider.example/v1/messages"
            return httpx2.Response(307, headers={"location": there, **OURS})
        return answer(message())

    provider = Provider(answering)
    client = track_client(claude(provider, "gateway.example"), print, CALLER, asks_gateway=True)
    client._client.follow_redirects = True
    client.messages.create(**CLAUDE)
    assert [_told(request) for request in provider.requests] == [ALL, {}]


def test_a_calls_own_names_come_before_its_clients() -> None:
    provider = Provider(_gateway)
    client = track_client(claude(provider, "127.0.0.1"), print, CALLER)
    client.messages.create(**CLAUDE, extra_headers={"x-token-tracking-session": "mine"})
    assert _told(provider.requests[0]) == {**ALL, "session": "mine"}


def test_a_name_that_no_header_can_hold_is_not_told_and_fails_no_call(
    seen: list[UsageEvent],
) -> None:
    provider = Provider(_gateway)
    caller = Caller(session_id="a\r\nx-api-key: b", user=" Ädä ", agent="\ud800", project="")
    track_client(claude(provider, "127.0.0.1"), seen.append, caller).messages.create(**CLAUDE)
    assert (b"x-token-tracking-user", "Ädä".encode()) in provider.requests[0].headers.raw
    assert set(_told(provider.requests[0])) == {"user"}
    assert len(seen) == 1


@pytest.mark.parametrize("request_id", [{}, {"request-id": "req_1"}])
def test_a_message_whose_id_is_not_global_is_the_gateways_to_record(
    seen: list[UsageEvent], request_id: dict[str, str]
) -> None:
    ids = ["chatcmpl-7", "msg_7"]
    provider = Provider(
        lambda request: answer(message(ids[len(provider.requests) - 1]), headers=OURS | request_id)
    )
    client = track_client(claude(provider), seen.append, CALLER)
    client.messages.create(**CLAUDE)
    client.messages.create(**CLAUDE)
    assert [event.key for event in seen] == ["msg_7"]


def test_a_completion_behind_a_gateway_is_recorded_where_its_request_has_an_id(
    seen: list[UsageEvent],
) -> None:
    headers = [OURS, OURS | {"x-request-id": "r1"}]
    provider = Provider(
        lambda request: answer(completion(), headers=headers[len(provider.requests) - 1])
    )
    client = track_client(gpt(provider), seen.append, CALLER)
    client.chat.completions.create(**GPT)
    client.chat.completions.create(**GPT)
    assert [event.key for event in seen] == ["/chatcmpl-1/r1"]
