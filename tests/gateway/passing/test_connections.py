"""Callers' connections: what is taken of them, and that who leaves is seen."""

import json
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from tests.gateway.outcomes import ask, outcome_of
from tests.gateway.raw import Heard, connected, post, request
from tests.gateway.serving import Served, config_of, served_gateway
from tests.upstream.broken_answers import CHUNKED, EVENT_STREAM, LAST_CHUNK, chunk, head, response
from tests.upstream.misbehaving import Hold, Misbehaving, Send
from token_tracking_server.gateway import connection

_OK = [Send(response(200, b"{}"))]
_ASKED = post("/v1/messages", b"{}")
_KEPT = _ASKED.replace(b"connection: close\r\n", b"")
_BEGUN = head(200, [EVENT_STREAM, CHUNKED]) + chunk(b"data: 1\n\n")


@pytest.fixture
def hold() -> Iterator[Hold]:
    """A pause of the upstream."""
    with closing(Hold()) as hold:
        yield hold


def _detail(heard: Heard) -> str:
    return json.loads(heard.body)["detail"]


@pytest.mark.parametrize("end", [b"\r\nconnection: close\r\n\r\n", b""])
@pytest.mark.parametrize("header", [b"x: ", b"x: 1\r\n"])
def test_headers_without_end_are_refused(
    before_misbehaving: Served, header: bytes, end: bytes
) -> None:
    many = header + b"y" * 400_000 if len(header) == 3 else header * 70_000 + b"z: "
    with connected(before_misbehaving.port) as raw:
        raw.send(b"GET /v1/models HTTP/1.1\r\nhost: 127.0.0.1\r\n" + many + end)
        heard = raw.to_end()
    assert (heard.status, heard.is_reset) == (431, False)
    assert _detail(heard) == "The request's headers are larger than 262,144 bytes."


def test_headers_that_are_too_large_in_one_piece_with_their_end_are_refused(
    before_misbehaving: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "MOST_HEAD_BYTES", 1000)
    large = request(b"GET", b"/v1/models?" + b"a" * 500, b"", b"x: " + b"y" * 500)
    assert ask(before_misbehaving.port, large).status == 431


def test_large_headers_and_larger_bodies_are_no_large_headers(
    any_misbehaving: Misbehaving, before_misbehaving: Served
) -> None:
    any_misbehaving.script(_OK)
    sent = post("/v1/messages", b"x" * 1_000_000, b"x-large: " + b"y" * 200_000)
    assert ask(before_misbehaving.port, sent).status == 200
    [received] = any_misbehaving.requests
    assert received.header(b"x-large") == b"y" * 200_000


def test_headers_that_do_not_come_whole_are_not_waited_for_without_end(
    before_misbehaving: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "HEAD_SECONDS", 0.1)
    with connected(before_misbehaving.port) as raw:
        raw.send(_ASKED[:30])
        heard = raw.to_end()
    assert heard.status == 408
    assert _detail(heard) == "The headers did not come within 0.1 seconds."


def test_a_body_may_take_longer_than_headers_may(
    any_misbehaving: Misbehaving,
    before_misbehaving: Served,
    monkeypatch: pytest.MonkeyPatch,
    hold: Hold,
) -> None:
    monkeypatch.setattr(connection, "HEAD_SECONDS", 0.05)
    any_misbehaving.script(_OK)
    with connected(before_misbehaving.port) as raw:
        raw.send(_ASKED[:30])
        raw.send(_ASKED[30:-1])
        assert not hold.reached.wait(0.15)
        raw.send(_ASKED[-1:])
        assert raw.to_end().status == 200


def test_what_is_no_http_is_refused(before_misbehaving: Served) -> None:
    with connected(before_misbehaving.port) as raw:
        raw.send(b"\x16\x03\x01 hello\r\n\r\n")
        heard = raw.to_end()
    assert (heard.status, _detail(heard)) == (400, "This is no HTTP request.")


def test_a_body_with_broken_framing_is_refused_at_once(
    any_misbehaving: Misbehaving, before_misbehaving: Served
) -> None:
    any_misbehaving.script(_OK)
    begun = request(b"POST", b"/v1/messages", b"", b"transfer-encoding: chunked")
    with connected(before_misbehaving.port) as raw:
        raw.send(begun + b"2\r\n{}\r\n")
        raw.send(b"zz\r\n")
        assert raw.to_end().status == 400
    assert any_misbehaving.requests == []


def test_trailers_become_no_headers(
    any_misbehaving: Misbehaving, before_misbehaving: Served
) -> None:
    any_misbehaving.script(_OK)
    begun = request(b"POST", b"/v1/messages", b"", b"transfer-encoding: chunked", b"x-mine: 1")
    trailers = b"x-token-tracking-upstream: nosuch\r\nx-api-key: k\r\nx-late: 1\r\n"
    heard = ask(before_misbehaving.port, begun + b"2\r\n{}\r\n0\r\n" + trailers + b"\r\n")
    assert heard.status == 200
    [received] = any_misbehaving.requests
    assert received.header(b"x-mine") == b"1"
    assert received.header(b"x-late") is None
    assert received.header(b"x-api-key") is None


@pytest.mark.parametrize("trailers", [b"x: " + b"y" * 900_000, b"x: 1\r\n" * 100_000])
def test_trailers_without_end_are_refused(before_misbehaving: Served, trailers: bytes) -> None:
    begun = request(b"POST", b"/v1/messages", b"", b"transfer-encoding: chunked")
    with connected(before_misbehaving.port) as raw:
        raw.send(begun + b"2\r\n{}\r\n0\r\n" + trailers)
        heard = raw.to_end()
    assert (heard.status, heard.is_reset) == (431, False)


@pytest.mark.parametrize("is_one_piece", [True, False])
@pytest.mark.parametrize("second", [_KEPT, b"GET /v1/models HTTP/1.1\r\nhost: 127", b"\x00" * 99])
def test_who_asks_again_before_the_answer_and_leaves_is_seen(
    any_misbehaving: Misbehaving,
    before_misbehaving: Served,
    hold: Hold,
    second: bytes,
    is_one_piece: bool,
) -> None:
    any_misbehaving.script([hold])
    with connected(before_misbehaving.port) as raw:
        raw.send(_KEPT + second if is_one_piece else _KEPT)
        assert hold.reached.wait(5)
        if not is_one_piece:
            raw.send(second)
    assert hold.left.wait(5)


def test_who_sends_a_lot_before_the_answer_and_leaves_is_seen(
    any_misbehaving: Misbehaving, before_misbehaving: Served, hold: Hold
) -> None:
    any_misbehaving.script([hold])
    with connected(before_misbehaving.port) as raw:
        raw.send(_KEPT)
        assert hold.reached.wait(5)
        raw.send(b"x" * 2_000_000)
    assert hold.left.wait(5)


def test_who_asks_twice_in_one_piece_is_answered_once(
    any_misbehaving: Misbehaving, before_misbehaving: Served
) -> None:
    any_misbehaving.script(_OK)
    with connected(before_misbehaving.port) as raw:
        raw.send(_KEPT + _KEPT)
        heard = raw.to_end()
    assert dict(heard.headers)[b"connection"] == b"close"
    assert heard.body == b"{}"
    assert len(any_misbehaving.requests) == 1


def test_who_asks_again_while_an_answer_ends_is_answered_both(
    any_misbehaving: Misbehaving, before_misbehaving: Served, hold: Hold
) -> None:
    """Of a body whose length was told, a caller has all before its end was written."""
    any_misbehaving.script([Send(_BEGUN), hold, Send(LAST_CHUNK)], _OK)
    with connected(before_misbehaving.port) as raw:
        raw.send(_KEPT)
        raw.until(b"data: 1")
        raw.send(_ASKED)
        hold.open()
        heard = raw.to_end()
    first, _, second = heard.data.partition(LAST_CHUNK)
    assert first.startswith(b"HTTP/1.1 200")
    assert second.startswith(b"HTTP/1.1 200")
    assert second.endswith(b"{}")


def test_what_follows_a_request_does_not_get_into_its_answer(
    any_misbehaving: Misbehaving, before_misbehaving: Served, hold: Hold
) -> None:
    any_misbehaving.script([Send(_BEGUN), hold, Send(LAST_CHUNK)])
    with connected(before_misbehaving.port) as raw:
        raw.send(_KEPT + b"no http\r\n\r\n")
        raw.until(b"data: 1")
        hold.open()
        heard = raw.to_end()
    outcome = outcome_of(heard)
    assert outcome is not None
    assert (outcome.body, outcome.is_whole) == (b"data: 1\n\n", True)
    assert heard.data.endswith(LAST_CHUNK)


def test_requests_follow_each_other_on_one_connection(
    any_misbehaving: Misbehaving, before_misbehaving: Served
) -> None:
    any_misbehaving.script(_OK)
    with connected(before_misbehaving.port) as raw:
        for _ in range(3):
            raw.heard = b""
            raw.send(_KEPT)
            assert raw.until(b"\r\n\r\n{}").startswith(b"HTTP/1.1 200")
    assert len(any_misbehaving.requests) == 3


@pytest.mark.parametrize(
    ("answer", "body"),
    [
        ([Send(_BEGUN + chunk(b"data: 2\n\n") + LAST_CHUNK)], b"data: 1\n\ndata: 2\n\n"),
        (_OK, b"{}"),
    ],
)
def test_http_1_0_is_answered_without_chunks(
    any_misbehaving: Misbehaving, before_misbehaving: Served, answer: list[Send], body: bytes
) -> None:
    any_misbehaving.script(answer)
    with connected(before_misbehaving.port) as raw:
        raw.send(_ASKED.replace(b"HTTP/1.1", b"HTTP/1.0"))
        heard = raw.to_end()
    assert heard.status == 200
    assert b"transfer-encoding" not in dict(heard.headers)
    assert (heard.body, heard.is_reset) == (body, False)


@pytest.mark.parametrize("begins", [20, 60, -1])
def test_a_request_that_asks_for_another_protocol_is_answered_in_this_one(
    any_misbehaving: Misbehaving, before_misbehaving: Served, begins: int
) -> None:
    """Java's HttpClient asks for HTTP/2 with each request."""
    any_misbehaving.script(_OK)
    named = b"connection: Upgrade, HTTP2-Settings\r\nupgrade: h2c\r\nhttp2-settings: AAE\r\n"
    sent = post("/v1/messages?a=b", b'{"a":1}').replace(b"connection: close\r\n", named)
    with connected(before_misbehaving.port) as raw:
        for _ in range(2):
            raw.heard = b""
            raw.send(sent[:begins])
            raw.send(sent[begins:])
            assert raw.until(b"\r\n\r\n{}").startswith(b"HTTP/1.1 200")
    for received in any_misbehaving.requests:
        assert (received.target, received.body) == (b"/v1/messages?a=b", b'{"a":1}')
        assert received.header(b"upgrade") is None
        assert received.header(b"http2-settings") is None
    assert len(any_misbehaving.requests) == 2


def test_the_gateway_is_no_proxy(any_misbehaving: Misbehaving, before_misbehaving: Served) -> None:
    any_misbehaving.script(_OK)
    for target in (b"example.com:443", b"/v1/models"):
        assert ask(before_misbehaving.port, request(b"CONNECT", target)).status == 405
    assert any_misbehaving.requests == []


def test_a_call_that_outlives_the_grace_is_cut_off_without_a_traceback(
    any_misbehaving: Misbehaving, tmp_path: Path, hold: Hold, caplog: pytest.LogCaptureFixture
) -> None:
    any_misbehaving.script([Send(_BEGUN), hold])
    config = config_of(any_misbehaving.base_url, grace_seconds=0.1)
    with ExitStack() as stack:
        gateway = stack.enter_context(served_gateway(config, tmp_path))
        with connected(gateway.port) as raw:
            raw.send(_KEPT)
            raw.until(b"data: 1")
            stack.close()
            assert not raw.to_end().data.endswith(LAST_CHUNK)
    assert [record.message for record in caplog.records if record.exc_info] == []
    assert "Cancel 1 running task(s), timeout graceful shutdown exceeded" in caplog.messages
