"""Requests that are passed on and opted into the window manager; and those that did not."""

import json
from collections.abc import Iterator
from typing import Any, cast

import httpx2
import pytest
from msgspec.structs import replace

from tests.gateway.serving import Served, config_of, served_gateway
from tests.upstream.app import Upstream
from tests.upstream.scripts import greeting
from tests.upstream.serve import served

MODEL = "claude-sonnet-4-5"
KEYS = {"x-api-key": "key", "anthropic-version": "2023-06-01"}
WINDOW = "x-token-tracking-window"

SPACED = (
    b'{"model": "claude-sonnet-4-5",  "max_tokens":10,'
    b'"messages":[{"role":"user","content":"\\u0068i"}] }'
)

LARGE = "".join(f"{number}: {number * 7919 % 1000003}\n" for number in range(45_000))
"""Some 400,000 tokens: two of them pass the window of 200,000 by far."""


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Upstream, Served]]:
    with served() as upstream:
        config = config_of(upstream.base_url)
        opted = replace(config.upstreams[0], name="opted", models=(), window="on")
        config = replace(config, upstreams=(*config.upstreams, opted))
        with served_gateway(config, tmp_path_factory.mktemp("gateway")) as gateway:
            yield upstream, gateway


@pytest.fixture
def upstream(running: tuple[Upstream, Served]) -> Upstream:
    upstream, _ = running
    upstream.requests.clear()
    upstream.script(greeting)
    return upstream


@pytest.fixture
def http(running: tuple[Upstream, Served], upstream: Upstream) -> Iterator[httpx2.Client]:
    with httpx2.Client(base_url=running[1].base_url, timeout=20, headers=KEYS) as client:
        yield client


def user(text: str) -> dict[str, Any]:
    return {"role": "user", "content": text}


def loop(results: int, size: int = 40_000) -> list[dict[str, Any]]:
    """A task, and as many rounds of a tool."""
    messages = [user("count")]
    for number in range(results):
        call = {"type": "tool_use", "id": f"toolu_{number}", "name": "look", "input": {"n": number}}
        result = {
            "type": "tool_result",
            "tool_use_id": f"toolu_{number}",
            "content": f"{number}: {LARGE[number * 1000 : number * 1000 + size]}",
        }
        messages += [
            {"role": "assistant", "content": [call]},
            {"role": "user", "content": [result]},
        ]
    return messages


def body(messages: list[dict[str, Any]], **given: Any) -> dict[str, Any]:
    tools = [{"name": "look", "input_schema": {"type": "object"}}]
    return {"model": MODEL, "max_tokens": 100, "messages": messages, "tools": tools, **given}


def test_who_did_not_opt_in_is_passed_on_byte_for_byte(
    http: httpx2.Client, upstream: Upstream
) -> None:
    http.post("/v1/messages", content=SPACED)
    assert upstream.requests[-1].body == SPACED


@pytest.mark.parametrize("strategy", ["off", "none"])
def test_who_opts_out_is_passed_on_byte_for_byte(
    http: httpx2.Client, upstream: Upstream, strategy: str
) -> None:
    http.post("/opted/v1/messages", content=SPACED, headers={WINDOW: strategy})
    assert upstream.requests[-1].body == SPACED


def test_a_conversation_that_would_not_fit_is_made_to_fit(
    http: httpx2.Client, upstream: Upstream
) -> None:
    messages = loop(14)
    whole = body(messages)
    assert len(json.dumps(whole)) > 500_000
    before = metrics(http)
    answer = http.post("/v1/messages", json=whole, headers={WINDOW: "default"})
    assert answer.status_code == 200, answer.text
    sent = upstream.requests[-1].json
    assert len(upstream.requests[-1].body) < 500_000
    assert sent["messages"][0]["content"] == "count" or "count" in str(sent["messages"][0])
    assert sent["messages"][-1]["content"][0]["tool_use_id"] == "toolu_13"
    after = metrics(http)
    for name in ("compactions_total", "tokens_saved_total", "overflows_avoided_total"):
        assert after[f"token_tracking_{name}"] > before[f"token_tracking_{name}"], name


def test_what_was_taken_out_once_stays_out(http: httpx2.Client, upstream: Upstream) -> None:
    """The prefix that the provider has cached stays the same bytes."""
    session = {WINDOW: "default", "x-token-tracking-session": "sticky"}
    first = body(loop(14))
    http.post("/v1/messages", json=first, headers=session).raise_for_status()
    http.post("/v1/messages", json=body(loop(15)), headers=session).raise_for_status()
    one, two = (unmarked(each.json["messages"]) for each in upstream.requests[-2:])
    assert two[: len(one)] == one


def test_an_upstream_can_be_opted_in_as_a_whole(http: httpx2.Client, upstream: Upstream) -> None:
    http.post("/opted/v1/messages", json=body(loop(14))).raise_for_status()
    assert len(upstream.requests[-1].body) < 500_000


def test_other_fields_stay_as_they_came(http: httpx2.Client, upstream: Upstream) -> None:
    messages = json.dumps(loop(14))
    head = (
        '{"temperature": 0.50, "model":"claude-sonnet-4-5","metadata":{"user_id" :"u"},"messages":'
    )
    tail = ',"max_tokens":1e2}'
    http.post("/v1/messages", content=(head + messages + tail).encode(), headers={WINDOW: "on"})
    sent = upstream.requests[-1].body
    assert b'"temperature":0.50' in sent
    assert b'"metadata":{"user_id" :"u"}' in sent
    assert b'"max_tokens":1e2' in sent
    assert list(json.loads(sent)) == ["temperature", "model", "metadata", "messages", "max_tokens"]


@pytest.mark.parametrize(
    "messages",
    [
        [],
        [user("")],
        [{"role": "assistant", "content": "first"}],
        [user("a"), {"role": "assistant", "content": [{"type": "tool_use", "id": "x"}]}],
        ["no message"],
        [{"role": "user", "content": [{"type": "tool_result", "tool_use_id": "nobody"}]}],
    ],
)
def test_what_is_invalid_goes_to_the_api_as_it_came(
    http: httpx2.Client, upstream: Upstream, messages: list[Any]
) -> None:
    sent = json.dumps(body(messages)).encode()
    answer = http.post("/v1/messages", content=sent, headers={WINDOW: "on"})
    plain = http.post("/v1/messages", content=sent)
    assert upstream.requests[0].body == upstream.requests[1].body == sent
    assert answer.status_code == plain.status_code >= 400
    assert answer.json()["error"] == plain.json()["error"]


@pytest.mark.parametrize("sent", [b"", b"{", b"[]", b'{"messages": 3}', b"\xff", b"null"])
def test_what_is_no_conversation_goes_to_the_api_as_it_came(
    http: httpx2.Client, upstream: Upstream, sent: bytes
) -> None:
    http.post("/v1/messages", content=sent, headers={WINDOW: "on"})
    assert upstream.requests[-1].body == sent


def test_what_nothing_makes_fit_goes_to_the_api_as_it_came(
    http: httpx2.Client, upstream: Upstream
) -> None:
    sent = json.dumps({**body([user("hi")]), "system": LARGE * 2}).encode()
    answer = http.post("/v1/messages", content=sent, headers={WINDOW: "on"})
    assert upstream.requests[-1].body == sent
    assert answer.status_code == 400
    assert metrics(http)['token_tracking_window_refusals_total{reason="does_not_fit"}'] >= 1


def test_a_strategy_that_there_is_none_of_is_refused_with_those_that_there_are(
    http: httpx2.Client,
) -> None:
    answer = http.post("/v1/messages", json=body([user("hi")]), headers={WINDOW: "magic"})
    assert answer.status_code == 400
    assert "sliding_window" in answer.json()["error"]["message"]


def test_a_chat_is_one_however_its_path_is_spelled(http: httpx2.Client, upstream: Upstream) -> None:
    http.post("/v1/%6dessages", json=body(loop(14)), headers={WINDOW: "default"})
    assert len(upstream.requests[-1].body) < 500_000


def test_paths_that_are_no_chat_are_left_alone(http: httpx2.Client, upstream: Upstream) -> None:
    sent = json.dumps({"model": MODEL, "messages": loop(14)}).encode()
    http.post("/v1/messages/count_tokens", content=sent, headers={WINDOW: "on"})
    assert upstream.requests[-1].body == sent


def test_openais_form_is_managed_as_well(http: httpx2.Client, upstream: Upstream) -> None:
    messages: list[dict[str, Any]] = [user("task")]
    for number in range(30):
        part = LARGE[number * 10_000 : number * 10_000 + 20_000]
        messages += [user(part), {"role": "assistant", "content": "ok"}]
    sent = {"model": "gpt-4o", "messages": [*messages, user("and now?")]}
    headers = {WINDOW: "sliding_window", "authorization": "Bearer key"}
    http.post("/v1/chat/completions", json=sent, headers=headers).raise_for_status()
    got = upstream.requests[-1].json["messages"]
    assert len(got) < len(messages)
    assert got[-1] == user("and now?")


def unmarked(value: Any) -> Any:
    if isinstance(value, dict):
        fields = cast("dict[str, Any]", value)
        return {name: unmarked(fields[name]) for name in fields if name != "cache_control"}
    return (
        [unmarked(each) for each in cast("list[Any]", value)] if isinstance(value, list) else value
    )


def metrics(http: httpx2.Client) -> dict[str, float]:
    lines = http.get("/metrics").text.splitlines()
    return {
        name: float(value)
        for name, _, value in (line.rpartition(" ") for line in lines if line[0] != "#")
    }


def test_a_conversation_that_the_api_holds_is_left_alone(
    http: httpx2.Client, upstream: Upstream
) -> None:
    thread = {"type": "continue", "previous_message_id": "msg_1"}
    body = json.dumps({**json.loads(SPACED), "thread": thread}).encode()
    http.post("/v1/messages", content=body, headers={WINDOW: "default"})
    assert upstream.requests[-1].body == body
