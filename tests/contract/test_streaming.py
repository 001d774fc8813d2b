"""Nothing is held back: the first byte goes out when it came in, and who leaves is noticed."""

import json
from typing import Any

import httpx2
import pytest

from tests.contract.ledger import anthropic_counts
from tests.contract.running import recorded
from tests.contract.ways import World, plain
from tests.upstream.answers import new_id
from tests.upstream.broken_answers import (
    CHUNKED,
    EVENT_STREAM,
    LAST_CHUNK,
    chunk,
    events,
    head,
    message,
    response,
)
from tests.upstream.gates import Gate
from tests.upstream.misbehaving import Close, Hold, Send
from tests.upstream.scripts import Answer

ASKED: dict[str, Any] = {
    "model": "claude-opus-4-8",
    "max_tokens": 1_000,
    "messages": [{"role": "user", "content": "Hello."}],
    "stream": True,
}
HEADERS = {"x-api-key": "test", "anthropic-version": "2023-06-01"}


def test_the_first_event_arrives_before_the_second_is_sent(world: World) -> None:
    gates = (Gate(0), Gate(1), Gate(4))
    world.upstream.script([Answer("It is said in a few events.", gates=gates)])
    with (
        plain(world.gateway_url) as client,
        client.stream("POST", "/v1/messages", json=ASKED, headers=HEADERS) as answer,
    ):
        # The headers are there though no event was sent.
        assert answer.headers["content-type"].startswith("text/event-stream")
        chunks, read = answer.iter_raw(), b""
        for gate in gates:
            assert gate.reached.wait(5)
            assert world.upstream.requests[0].sent == gate.before
            while read.count(b"\n\n") < world.upstream.requests[0].sent:
                read += next(chunks)
            gate.open()
        assert b"message_stop" in read + b"".join(chunks)


def test_an_event_is_passed_on_byte_by_byte(world: World) -> None:
    hold = Hold()
    first, *rest = events(new_id("msg"))
    begun = head(200, [EVENT_STREAM, CHUNKED])
    world.misbehaving.script(
        [Send(begun + chunk(first[:7])), hold, Send(chunk(first[7:] + b"".join(rest)) + LAST_CHUNK)]
    )
    with (
        plain(world.gateway_url) as client,
        client.stream("POST", "/broken/v1/messages", json=ASKED, headers=HEADERS) as answer,
    ):
        chunks = answer.iter_raw()
        assert next(chunks) == first[:7]
        hold.open()
        assert b"".join(chunks) == (first[7:] + b"".join(rest))
    hold.close()


def test_who_leaves_a_stream_disconnects_the_upstream(world: World) -> None:
    gate = Gate(3)
    world.upstream.script([Answer("It is said in a few events.", gates=(gate,))])
    with (
        plain(world.gateway_url) as client,
        client.stream("POST", "/v1/messages", json=ASKED, headers=HEADERS) as answer,
    ):
        next(answer.iter_raw())
        assert gate.reached.wait(5)
    received = world.upstream.requests[0]
    assert received.ended.wait(5)
    assert not received.is_whole
    assert received.message_id is not None
    assert received.usage is not None
    entry = recorded(world, received.message_id)[0]
    assert entry.counts == anthropic_counts(received.usage | {"output_tokens": 1})
    assert not entry.is_final


def test_who_leaves_before_the_headers_disconnects_the_upstream(world: World) -> None:
    hold = Hold()
    world.misbehaving.script([hold])
    with (
        plain(world.gateway_url) as client,
        pytest.raises(httpx2.ReadTimeout),
    ):
        client.post("/broken/v1/messages", json=ASKED, headers=HEADERS,
                    timeout=httpx2.Timeout(5, read=0.1))  # fmt: skip
    assert hold.left.wait(5)
    hold.close()


def test_who_leaves_a_body_disconnects_the_upstream(world: World) -> None:
    hold = Hold()
    body = json.dumps(message(new_id("msg"))).encode()
    whole = response(200, body)
    world.misbehaving.script([Send(whole[:-20]), hold])
    with (
        plain(world.gateway_url) as client,
        client.stream("POST", "/broken/v1/messages", json=ASKED, headers=HEADERS) as answer,
    ):
        assert next(answer.iter_raw()) == body[:-20]
    assert hold.left.wait(5)
    hold.close()


def test_raw_headers_keep_their_order_and_are_repeated(world: World) -> None:
    headers = [("Content-TYPE", "application/json"), ("X-Twice", "1"), ("x-other", "ü"),
               ("x-twice", "2"), ("Set-Cookie", "a=1"), ("set-cookie", "b=2"),
               ("x-empty", "")]  # fmt: skip
    world.misbehaving.script([Send(response(418, b'{"a": 1}', headers)), Close()])
    with plain(world.gateway_url) as client:
        answer = client.get("/broken/v1/anything/else?x=%2F&&y")
    assert (answer.status_code, answer.content) == (418, b'{"a": 1}')
    told = [(name.decode().lower(), value.decode("latin-1")) for name, value in answer.headers.raw]
    kept = [(name.lower(), value) for name, value in headers]
    assert [pair for pair in told if pair in kept] == kept
    assert {name for name, _ in told} - {name for name, _ in kept} <= {
        "content-length",
        "connection",
        "x-token-tracking",
    }
    assert world.misbehaving.requests[0].target == b"/v1/anything/else?x=%2F&&y"


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "DELETE", "PUT", "PATCH"])
def test_every_method_is_passed_on(world: World, method: str) -> None:
    body = b"" if method in {"HEAD", "GET", "OPTIONS"} else b"\x00\xff body"
    answer_body = b"" if method == "HEAD" else b"answer"
    headers = [("content-type", "text/plain"), ("content-length", "6")]
    world.misbehaving.script([Send(head(200, headers) + answer_body)])
    with plain(world.gateway_url) as client:
        answer = client.request(method, "/broken/v1/files/%C3%BC", content=body or None)
    assert (answer.status_code, answer.content) == (200, answer_body)
    assert answer.headers["content-length"] == "6"
    request = world.misbehaving.requests[0]
    assert request.lines[0] == f"{method} /v1/files/%C3%BC HTTP/1.1".encode()
    assert request.body == body


def test_nothing_of_ours_reaches_the_upstream(world: World) -> None:
    own = {f"x-token-tracking-{name}": "1" for name in ("session", "user", "agent", "project")}
    headers = HEADERS | own | {"x-mine": "1", "Accept-Encoding": "gzip, br, zstd, x-own"}
    world.misbehaving.script([Send(response(200, json.dumps(message(new_id("msg"))).encode()))])
    with plain(world.gateway_url) as client:
        client.post("/broken/v1/messages", json=ASKED, headers=headers)
    sent = world.misbehaving.requests[0]
    assert not any(line.lower().startswith(b"x-token-tracking") for line in sent.lines)
    assert sent.header(b"x-mine") == b"1"
    assert b"x-own" not in (sent.header(b"accept-encoding") or b"")


def test_keys_are_neither_in_the_ledger_nor_beside_it(world: World) -> None:
    key = "sk-ant-secret-0123456789"
    world.upstream.script(["It is said."])
    with plain(world.gateway_url) as client:
        answer = client.post(
            "/v1/messages", json=ASKED | {"stream": False}, headers=HEADERS | {"x-api-key": key}
        )
    assert len(recorded(world, answer.json()["id"])) == 1
    files = [path for path in world.folder.rglob("*") if path.is_file()]
    assert files
    assert not any(key.encode() in path.read_bytes() for path in files)
    assert not any(b"It is said." in path.read_bytes() for path in files)


def test_a_session_is_taken_from_where_clients_say_it(world: World) -> None:
    id_ = "6f9d2b1e-0000-4000-8000-0123456789ab"
    named = json.dumps({"device_id": "d", "account_uuid": "", "session_id": id_})
    ways: list[tuple[dict[str, str], dict[str, Any]]] = [
        ({"x-claude-code-session-id": id_}, {}),
        ({"x-token-tracking-session": id_}, {}),
        ({}, {"metadata": {"user_id": named}}),
        ({}, {"metadata": {"user_id": f"user_abc_account__session_{id_}"}}),
    ]
    world.upstream.script(lambda _: "It is said.")
    for headers, fields in ways:
        with plain(world.gateway_url) as client:
            body = ASKED | {"stream": False} | fields
            answer = client.post("/v1/messages", json=body, headers=HEADERS | headers)
        assert answer.status_code == 200, answer.text
        assert [entry.session for entry in recorded(world, answer.json()["id"])] == [id_]
