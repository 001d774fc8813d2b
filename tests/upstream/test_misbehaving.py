"""The server that keeps no rules, over the bare socket."""

import socket
import threading
from collections.abc import Iterator

import pytest

from tests.upstream.broken_answers import completion, message, response, streams, whole_bodies
from tests.upstream.misbehaving import Close, Hold, Misbehaving, Send, misbehaves

ASKED = b"POST /v1/messages?a=b HTTP/1.1\r\nHost: x\r\nX-Key: 1\r\nContent-Length: 2\r\n\r\n{}"


@pytest.fixture
def misbehaving() -> Iterator[Misbehaving]:
    with misbehaves() as held:
        yield held


def connect(misbehaving: Misbehaving) -> socket.socket:
    port = int(misbehaving.base_url.rpartition(":")[2])
    return socket.create_connection(("127.0.0.1", port), timeout=5)


def read_all(connection: socket.socket) -> bytes:
    data = b""
    while piece := connection.recv(65_536):
        data += piece
    return data


def test_bytes_are_sent_as_they_were_written(misbehaving: Misbehaving) -> None:
    misbehaving.script([Send(b"anything", one_by_one=True), Close()])
    with connect(misbehaving) as connection:
        connection.sendall(ASKED)
        assert read_all(connection) == b"anything"
    request = misbehaving.requests[0]
    assert (request.target, request.body) == (b"/v1/messages?a=b", b"{}")
    assert request.header(b"x-key") == b"1"


def test_a_connection_is_kept_and_the_last_behaviour_stays(misbehaving: Misbehaving) -> None:
    misbehaving.script([Send(b"1")], [Send(b"2")])
    with connect(misbehaving) as connection:
        for answer in (b"1", b"2", b"2"):
            connection.sendall(ASKED)
            assert connection.recv(10) == answer
    assert len(misbehaving.requests) == 3


def test_a_connection_may_be_reset(misbehaving: Misbehaving) -> None:
    misbehaving.script([Close(resets=True)])
    with connect(misbehaving) as connection:
        connection.sendall(ASKED)
        with pytest.raises(ConnectionResetError):
            connection.recv(10)


def test_a_hold_is_opened_by_the_test(misbehaving: Misbehaving) -> None:
    hold = Hold()
    misbehaving.script([hold, Send(response(200, b"{}")), Close()])
    with connect(misbehaving) as connection:
        connection.sendall(ASKED)
        assert hold.reached.wait(5)
        hold.open()
        assert read_all(connection).endswith(b"\r\n\r\n{}")
    hold.close()


def test_a_hold_notices_that_the_caller_left(misbehaving: Misbehaving) -> None:
    hold = Hold()
    misbehaving.script([hold])
    with connect(misbehaving) as connection:
        connection.sendall(ASKED)
        assert hold.reached.wait(5)
    assert hold.left.wait(5)
    hold.close()


def test_its_threads_end_with_it() -> None:
    before = set(threading.enumerate())
    with misbehaves() as held, connect(held):
        pass
    for thread in set(threading.enumerate()) - before:
        thread.join(5)
        assert not thread.is_alive()


def test_every_broken_answer_is_of_steps() -> None:
    named = [whole_bodies(message()), whole_bodies(completion()), streams([b"1", b"2"] * 3)]
    assert all(behaviour for answers in named for behaviour in answers.values())
