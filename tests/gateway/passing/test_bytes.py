"""What goes in at one side comes out at the other, byte for byte."""

import gzip
import json

import pytest

from tests.gateway.outcomes import ask, outcome_of
from tests.gateway.raw import connected, post, request
from tests.gateway.serving import Served
from tests.upstream.broken_answers import chunk, head, response
from tests.upstream.misbehaving import Misbehaving, Send
from token_tracking import __version__

_OK = response(200, b"{}")
_BODY = b'{ "model" : "claude-opus-4-8", "unknown_field": [1.0, 1e5, "\\u00e9\xc3\xa9"], "a":1 }\n'


def _answers(upstream: Misbehaving, *answers: bytes) -> None:
    upstream.script(*[[Send(answer)] for answer in answers])


def test_a_request_goes_on_with_every_header_in_its_order_and_its_body_as_it_is(
    any_misbehaving: Misbehaving, before_misbehaving: Served
) -> None:
    _answers(any_misbehaving, _OK)
    headers = [
        b"X-Api-Key: sk-test",
        b"anthropic-version: 2023-06-01",
        b"anthropic-beta: one, two",
        b"anthropic-beta: three",
        b"user-agent: An SDK/1.2",
        b"x-stainless-retry-count: 0",
        b"x-utf8: \xc3\xa9",
        b"cookie: a=b; c=d",
        b"accept: text/event-stream",
        b"content-type: application/json",
    ]
    ask(before_misbehaving.port, post("/v1/messages?beta=true&x=%2F+1", _BODY, *headers))
    [received] = any_misbehaving.requests
    assert received.body == _BODY
    assert received.target == b"/v1/messages?beta=true&x=%2F+1"
    name, _, rest = headers[0].partition(b":")
    sent = [name.lower() + b":" + rest, *headers[1:], b"content-length: %d" % len(_BODY)]
    assert [line for line in received.lines[1:] if not line.lower().startswith(b"host:")] == sent


@pytest.mark.parametrize(
    "sent",
    [
        post("/v1/messages", _BODY, b"x-latin: caf\xe9", b"x-utf8: caf\xc3\xa9"),
        request(b"GET", b"/v1/models", b"", b"x-latin: caf\xe9", b"x-utf8: caf\xc3\xa9"),
    ],
    ids=["with a body", "without"],
)
def test_a_header_goes_on_byte_for_byte_whatever_its_encoding(
    any_misbehaving: Misbehaving, before_misbehaving: Served, sent: bytes
) -> None:
    _answers(any_misbehaving, _OK)
    assert ask(before_misbehaving.port, sent).status == 200
    [received] = any_misbehaving.requests
    assert [line for line in received.lines if line.startswith(b"x-")] == [
        b"x-latin: caf\xe9",
        b"x-utf8: caf\xc3\xa9",
    ]
    names = [line.partition(b":")[0].lower() for line in received.lines[1:]]
    assert (b"content-length" in names) == sent.startswith(b"POST")


def test_headers_of_the_connection_and_of_ours_do_not_go_on(
    any_misbehaving: Misbehaving, before_misbehaving: Served
) -> None:
    _answers(any_misbehaving, _OK)
    sent = request(
        b"GET",
        b"/v1/models",
        b"",
        b"x-api-key: k",
        b"keep-alive: timeout=5",
        b"te: trailers",
        b"proxy-authorization: Basic x",
        b"x-named: by connection",
        b"connection: x-named",
        b"x-token-tracking-user: ada",
        b"x-token-tracking-session: s1",
        b"x-token-tracking-limits: off",
    )
    ask(before_misbehaving.port, sent)
    [received] = any_misbehaving.requests
    assert [line.partition(b":")[0].lower() for line in received.lines[1:]] == [
        b"host",
        b"x-api-key",
    ]
    assert received.header(b"host") == any_misbehaving.base_url.removeprefix("http://").encode()


@pytest.mark.parametrize(
    ("sent", "received"),
    [
        (b"gzip, deflate", b"gzip, deflate"),
        (b"identity;q=0.5, x-own, gzip;q=0.9", b"identity;q=0.5, gzip;q=0.9"),
        (b"x-own", b"identity"),
        (b"*", b"identity"),
    ],
)
def test_only_codings_that_can_be_read_are_asked_for(
    any_misbehaving: Misbehaving, before_misbehaving: Served, sent: bytes, received: bytes
) -> None:
    _answers(any_misbehaving, _OK)
    ask(before_misbehaving.port, post("/v1/messages", b"{}", b"accept-encoding: " + sent))
    assert any_misbehaving.requests[0].header(b"accept-encoding") == received


def test_a_response_comes_back_with_every_header_and_every_byte_of_its_body(
    any_misbehaving: Misbehaving, before_misbehaving: Served
) -> None:
    body = gzip.compress(b'{"type":"message"}', mtime=0)
    sent = [
        ("request-id", "req_1"),
        ("anthropic-ratelimit-requests-limit", "50"),
        ("set-cookie", "a=1"),
        ("set-cookie", "b=2"),
        ("date", "Thu, 01 Jan 2026 00:00:00 GMT"),
        ("server", "theirs"),
        ("content-encoding", "gzip"),
        ("content-type", "application/json"),
    ]
    _answers(any_misbehaving, response(200, body, sent))
    heard = ask(before_misbehaving.port, post("/v1/messages", b"{}"))
    expected = [(name.encode(), value.encode()) for name, value in sent]
    assert heard.headers == [
        *expected,
        (b"content-length", str(len(body)).encode()),
        (b"x-token-tracking", __version__.encode()),
        (b"connection", b"close"),
    ]
    assert heard.body == body


@pytest.mark.parametrize("status", [400, 401, 404, 413, 429, 500, 503, 529])
def test_an_error_of_the_upstream_is_passed_on_as_it_is(
    any_misbehaving: Misbehaving, before_misbehaving: Served, status: int
) -> None:
    body = b'{"type":"error",  "error":{"type":"overloaded_error","message":"Overloaded"}}'
    headers = [("content-type", "application/json"), ("retry-after", "7"), ("request-id", "r")]
    _answers(any_misbehaving, response(status, body, headers))
    outcome = outcome_of(ask(before_misbehaving.port, post("/v1/messages", b"{}")))
    assert outcome is not None
    assert (outcome.status, outcome.body) == (status, body)
    assert (b"retry-after", b"7") in outcome.headers


@pytest.mark.parametrize("method", [b"GET", b"HEAD", b"OPTIONS", b"DELETE", b"PUT", b"PATCH"])
def test_every_method_is_passed_on(
    any_misbehaving: Misbehaving, before_misbehaving: Served, method: bytes
) -> None:
    _answers(any_misbehaving, head(204))
    heard = ask(before_misbehaving.port, request(method, b"/v1/files/file_1", b"", b"x-api-key: k"))
    assert any_misbehaving.requests[0].lines[0] == method + b" /v1/files/file_1 HTTP/1.1"
    assert heard.status == 204


def test_the_head_of_a_response_tells_the_length_of_a_body_that_does_not_come(
    any_misbehaving: Misbehaving, before_misbehaving: Served
) -> None:
    _answers(any_misbehaving, head(200, [("content-length", "1234")]))
    with connected(before_misbehaving.port) as raw:
        raw.send(request(b"HEAD", b"/v1/models"))
        heard = raw.to_end()
    assert (b"content-length", b"1234") in heard.headers
    assert heard.body == b""


def test_redirects_are_the_callers_to_follow(
    any_misbehaving: Misbehaving, before_misbehaving: Served
) -> None:
    _answers(any_misbehaving, response(307, b"", [("location", "https://elsewhere.invalid/")]))
    heard = ask(before_misbehaving.port, post("/v1/messages", b"{}"))
    assert heard.status == 307
    assert len(any_misbehaving.requests) == 1


def test_a_path_is_passed_on_as_it_is_written(
    any_misbehaving: Misbehaving, before_misbehaving: Served
) -> None:
    _answers(any_misbehaving, _OK)
    ask(before_misbehaving.port, request(b"GET", b"/v1/files/a%2Fb%20c/%C3%A9?q=%26", b""))
    assert any_misbehaving.requests[0].target == b"/v1/files/a%2Fb%20c/%C3%A9?q=%26"


def test_a_body_in_chunks_arrives_whole(
    any_misbehaving: Misbehaving, before_misbehaving: Served
) -> None:
    _answers(any_misbehaving, _OK)
    head_of_it = (
        b"POST /v1/messages HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\n"
    )
    ask(before_misbehaving.port, head_of_it + chunk(b'{"a":') + chunk(b"1}") + chunk(b""))
    assert any_misbehaving.requests[0].body == b'{"a":1}'


def test_whoever_waits_to_be_told_to_continue_is_told(
    any_misbehaving: Misbehaving, before_misbehaving: Served
) -> None:
    _answers(any_misbehaving, _OK)
    with connected(before_misbehaving.port) as raw:
        whole = post("/v1/messages", b'{"a":1}', b"expect: 100-continue")
        raw.send(whole.removesuffix(b'{"a":1}'))
        raw.until(b"100 Continue\r\n\r\n")
        raw.send(b'{"a":1}')
        assert raw.to_end().data.endswith(b"{}")
    assert any_misbehaving.requests[0].header(b"expect") is None
    assert any_misbehaving.requests[0].body == b'{"a":1}'


def test_a_body_of_many_megabytes_goes_through(
    any_misbehaving: Misbehaving, before_misbehaving: Served
) -> None:
    body = json.dumps({"model": "claude-opus-4-8", "text": "x" * (5 << 20)}).encode()
    _answers(any_misbehaving, response(200, body))
    with connected(before_misbehaving.port) as raw:
        raw.send(post("/v1/messages", body))
        assert raw.to_end().body == body
    assert any_misbehaving.requests[0].body == body
