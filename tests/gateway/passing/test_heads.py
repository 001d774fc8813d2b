"""Heads that clients read, though they keep not every rule: they are read through the gateway too,
and what was billed is recorded."""

import json
from collections.abc import Iterator
from contextlib import closing

import pytest

from tests.gateway.outcomes import ask, outcome_of
from tests.gateway.raw import post, request
from tests.gateway.serving import Served
from tests.upstream.broken_answers import CHUNKED, JSON_TYPE, LAST_CHUNK, chunk, head, message
from tests.upstream.broken_answers import response as whole
from tests.upstream.misbehaving import Close, Hold, Misbehaving, Send
from token_tracking_server.gateway.upstreams.heads import LONGEST_HEAD, mended

_ASKED = post("/v1/messages", b'{"model":"claude-opus-4-8"}', b"x-api-key: test")
_CHUNKED_HEAD = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n%s\r\n"


@pytest.fixture
def hold() -> Iterator[Hold]:
    """A pause of the upstream."""
    with closing(Hold()) as hold:
        yield hold


def _body(name: str) -> bytes:
    return json.dumps(message(name)).encode()


_SIZE = str(len(_body("msg_01head_00")))
_LENGTH = ("content-length", _SIZE)
_HEADS = {
    "two equal lengths": head(200, [JSON_TYPE, _LENGTH, ("x-between", "1"), _LENGTH]),
    "two equal lengths in odd case": head(200, [("Content-LENGTH", _SIZE), JSON_TYPE, _LENGTH]),
    "a list of equal lengths": head(200, [JSON_TYPE, ("content-length", f"{_SIZE}, {_SIZE}")]),
    "a length beside chunks": head(200, [JSON_TYPE, CHUNKED, _LENGTH]),
    "chunks beside a length": head(200, [_LENGTH, JSON_TYPE, CHUNKED]),
    "lines that end with LF alone": head(200, [JSON_TYPE, _LENGTH, _LENGTH]).replace(b"\r", b""),
    "a header of 90 KiB": head(200, [JSON_TYPE, ("x-long", "x" * 90 * 1024), _LENGTH]),
    "two thousand headers": head(
        200, [JSON_TYPE, *((f"x-{n}", "1") for n in range(2_000)), _LENGTH]
    ),
    "a control character": head(200, [JSON_TYPE, ("x-odd", "a\x01b\x7fc"), _LENGTH]),
    "an early hint in the same piece": head(103, [("link", "</a>")])
    + head(200, [JSON_TYPE, _LENGTH, _LENGTH]),
}


@pytest.mark.parametrize("one_by_one", [False, True], ids=["at once", "in pieces"])
@pytest.mark.parametrize("name", _HEADS)
def test_a_head_that_clients_read_is_passed_on_and_its_message_recorded(
    any_misbehaving: Misbehaving, before_misbehaving: Served, name: str, one_by_one: bool
) -> None:
    key = f"msg_01head_{list(_HEADS).index(name)}{int(one_by_one)}"
    body = _body(key)
    framed = body if b"chunked" not in _HEADS[name] else chunk(body) + LAST_CHUNK
    data = _HEADS[name] + framed
    # Byte by byte, but for long heads, which would take as long as a real network.
    sent = [Send(data, one_by_one)] if len(data) < 2_000 or not one_by_one else _in_pieces(data)
    any_misbehaving.script([*sent, Close()])
    outcome = outcome_of(ask(before_misbehaving.port, _ASKED))
    assert outcome is not None
    assert (outcome.status, outcome.body, outcome.is_whole) == (200, body, True)
    [row] = [row for row in before_misbehaving.recorded() if key in row["key"]]
    assert (row["input_tokens"], row["output_tokens"]) == (11, 7)


def _in_pieces(data: bytes) -> list[Send]:
    return [Send(data[n : n + 1_000]) for n in range(0, len(data), 1_000)]


def test_control_characters_become_spaces(
    any_misbehaving: Misbehaving, before_misbehaving: Served
) -> None:
    any_misbehaving.script([Send(whole(200, b"{}", [("x-odd", "a\x01b\tc\x7f\xe9")])), Close()])
    heard = ask(before_misbehaving.port, _ASKED)
    assert (b"x-odd", b"a b\tc \xe9") in heard.headers


@pytest.mark.parametrize("status", [299, 599, 600, 999])
def test_statuses_that_nobody_has_named_are_passed_on(
    any_misbehaving: Misbehaving, before_misbehaving: Served, status: int
) -> None:
    any_misbehaving.script([Send(whole(status, b'{"type":"error"}')), Close()])
    outcome = outcome_of(ask(before_misbehaving.port, _ASKED))
    assert outcome is not None
    assert (outcome.status, outcome.body) == (status, b'{"type":"error"}')


def test_a_head_without_an_end_is_not_read_forever(
    any_misbehaving: Misbehaving, before_misbehaving: Served, hold: Hold
) -> None:
    begun = b"HTTP/1.1 200 OK\r\n" + b"x-long: " + b"x" * LONGEST_HEAD
    any_misbehaving.script([Send(begun), hold])
    before = _broken(before_misbehaving)
    assert outcome_of(ask(before_misbehaving.port, _ASKED)) is None
    assert _broken(before_misbehaving) == before + 1
    assert hold.left.wait(5)


def _broken(served: Served) -> float:
    """How many calls the figures tell of that had no response."""
    heard = ask(served.port, request(b"GET", b"/metrics"))
    lines = [
        line
        for line in heard.body.decode().splitlines()
        if line.startswith("token_tracking_upstream_calls_total{") and 'status="none"' in line
    ]
    return sum(float(line.rpartition(" ")[2]) for line in lines)


@pytest.mark.parametrize(
    "told",
    [
        b"content-length: 5\r\ncontent-length: 6\r\n",
        b"content-length: 5, 6\r\n",
        b"content-length: x\r\ncontent-length: x\r\n",
        b"content-length: -5, -5\r\n",
        b"content-length: 5,\r\n",
        b"content-length: 5\r\ncontent-length: 5\r\n 1\r\n",
        b"content-length: 5\r\ntransfer-encoding: gzip, chunked\r\n",
        b"content-length: 5\r\ntransfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n",
        b"x-content-length: 5\r\nx: content-length: 6\r\n",
        b"Content-Length: 5\r\n",
    ],
)
def test_a_head_that_contradicts_itself_or_needs_nothing_is_left_as_it_is(told: bytes) -> None:
    given = b"HTTP/1.1 200 OK\r\n" + told + b"x-last: 1\r\n\r\n"
    assert mended(given) == given


def test_one_length_stands_where_the_first_one_stood() -> None:
    given = b"HTTP/1.1 200 OK\r\na: 1\r\nContent-Length: 5, 5\r\nb: 2\r\ncontent-length:5\r\n\r\n"
    assert mended(given) == b"HTTP/1.1 200 OK\r\na: 1\r\ncontent-length: 5\r\nb: 2\r\n\r\n"
    assert mended(_CHUNKED_HEAD % b"content-length: 5\r\n") == _CHUNKED_HEAD % b""
