"""Streams: nothing is held back, and whoever goes away ends them."""

from collections.abc import Iterator
from contextlib import closing

import pytest

from tests.gateway.outcomes import ask, outcome_of
from tests.gateway.raw import Heard, connected, post
from tests.gateway.serving import Served
from tests.upstream.broken_answers import (
    CHUNKED,
    EVENT_STREAM,
    LAST_CHUNK,
    chunk,
    chunks,
    events,
    head,
    response,
)
from tests.upstream.misbehaving import Close, Hold, Misbehaving, Send

_BEGUN = head(200, [EVENT_STREAM, CHUNKED])
_STREAM = post("/v1/messages", b'{"model":"claude-opus-4-8","stream":true}', b"x-api-key: test")
_CHAT = post("/v1/chat/completions", b'{"model":"gpt-4o-mini","stream":true}')


def _message(served: Served, name: str) -> dict[str, object]:
    """What was billed for a message; its key is its id, or has it."""
    fields = ("input_tokens", "output_tokens", "stop_reason")
    [row] = [row for row in served.recorded() if name in row["key"]]
    return {field: row[field] for field in fields}


@pytest.fixture
def hold() -> Iterator[Hold]:
    """A pause of the upstream."""
    with closing(Hold()) as hold:
        yield hold


def test_each_event_goes_on_before_the_next_one_comes(
    any_misbehaving: Misbehaving, before_misbehaving: Served, hold: Hold
) -> None:
    told = events("msg_01event_by_event")
    rest = b"".join(map(chunk, told[1:])) + LAST_CHUNK
    any_misbehaving.script([Send(_BEGUN + chunk(told[0])), hold, Send(rest)])
    with connected(before_misbehaving.port) as raw:
        raw.send(_STREAM.replace(b"connection: close\r\n", b""))
        raw.until(told[0])
        hold.open()
        heard = Heard(raw.until(LAST_CHUNK), is_reset=False)
    outcome = outcome_of(heard)
    assert outcome is not None
    assert (outcome.body, outcome.is_whole) == (b"".join(told), True)
    assert _message(before_misbehaving, "msg_01event_by_event") == {
        "input_tokens": 11,
        "output_tokens": 7,
        "stop_reason": "end_turn",
    }


def test_a_caller_that_goes_away_before_the_answer_ends_the_call(
    any_misbehaving: Misbehaving, before_misbehaving: Served, hold: Hold
) -> None:
    any_misbehaving.script([hold])
    with connected(before_misbehaving.port) as raw:
        raw.send(_STREAM)
        assert hold.reached.wait(5)
    assert hold.left.wait(5)


def test_a_caller_that_goes_away_within_a_stream_ends_it_and_what_is_known_is_recorded(
    any_misbehaving: Misbehaving, before_misbehaving: Served, hold: Hold
) -> None:
    told = events("msg_01abandoned")
    any_misbehaving.script([Send(_BEGUN + b"".join(map(chunk, told[:4]))), hold])
    with connected(before_misbehaving.port) as raw:
        raw.send(_STREAM)
        raw.until(told[3])
    assert hold.left.wait(5)
    message = _message(before_misbehaving, "msg_01abandoned")
    assert (message["input_tokens"], message["stop_reason"]) == (11, None)


def test_a_stream_that_breaks_off_is_recorded_as_far_as_it_came(
    any_misbehaving: Misbehaving, before_misbehaving: Served
) -> None:
    told = events("msg_01broke_off")
    any_misbehaving.script([Send(_BEGUN + b"".join(map(chunk, told[:4]))), Close()])
    outcome = outcome_of(ask(before_misbehaving.port, _STREAM))
    assert outcome is not None
    assert (outcome.body, outcome.is_whole) == (b"".join(told[:4]), False)
    message = _message(before_misbehaving, "msg_01broke_off")
    assert (message["input_tokens"], message["stop_reason"]) == (11, None)


def test_usage_is_asked_for_and_hidden_again_from_who_did_not_ask(
    any_misbehaving: Misbehaving, before_misbehaving: Served
) -> None:
    told = chunks("chatcmpl-hidden")
    any_misbehaving.script([Send(_BEGUN + b"".join(map(chunk, told)) + LAST_CHUNK)])
    outcome = outcome_of(ask(before_misbehaving.port, _CHAT))
    assert b'"include_usage":true' in any_misbehaving.requests[0].body.replace(b" ", b"")
    assert outcome is not None
    assert outcome.is_whole
    assert b"usage" not in outcome.body
    assert outcome.body.endswith(b"data: [DONE]\n\n")
    message = _message(before_misbehaving, "chatcmpl-hidden")
    assert message["input_tokens"]
    assert message["output_tokens"]


def test_an_upstream_that_refuses_to_be_asked_for_usage_is_asked_without_from_then_on(
    any_misbehaving: Misbehaving, before_misbehaving: Served
) -> None:
    request = post("/groq/v1/chat/completions", b'{"model":"m","stream":true}')
    refusal = response(400, b'{"error":{"message":"Unrecognized: stream_options"}}')
    answer = _BEGUN + b"".join(map(chunk, chunks())) + LAST_CHUNK
    any_misbehaving.script([Send(refusal)], [Send(answer)], [Send(answer)])
    for _ in range(2):
        assert ask(before_misbehaving.port, request).status == 200
    asked = [b"stream_options" in received.body for received in any_misbehaving.requests]
    assert asked == [True, False, False]


def test_another_error_of_a_request_with_the_option_is_passed_on(
    any_misbehaving: Misbehaving, before_misbehaving: Served
) -> None:
    body = b'{"error":{"message":"There is no such model."}}'
    any_misbehaving.script([Send(response(400, body))])
    outcome = outcome_of(ask(before_misbehaving.port, _CHAT))
    assert outcome is not None
    assert (outcome.status, outcome.body, outcome.is_whole) == (400, body, True)
    assert len(any_misbehaving.requests) == 1


@pytest.mark.parametrize("end", ["message_stop", "[DONE]"])
def test_what_is_billed_is_recorded_before_the_last_event_goes_on(
    any_misbehaving: Misbehaving, before_misbehaving: Served, hold: Hold, end: str
) -> None:
    """Clients stop reading there: the end of the body may find nobody any more."""
    told = events("msg_01told") if end == "message_stop" else chunks("chatcmpl-told")
    any_misbehaving.script([Send(_BEGUN + b"".join(map(chunk, told))), hold])
    with connected(before_misbehaving.port) as raw:
        raw.send(_STREAM if end == "message_stop" else _CHAT)
        raw.until(end.encode())
        name = "msg_01told" if end == "message_stop" else "chatcmpl-told"
        assert _message(before_misbehaving, name)["output_tokens"]
