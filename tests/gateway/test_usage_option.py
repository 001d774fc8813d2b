"""Usage is asked for, until an upstream is known to refuse that."""

import json

from tests.gateway.outcomes import ask
from tests.gateway.raw import post
from tests.gateway.serving import Served
from tests.upstream.broken_answers import (
    CHUNKED,
    EVENT_STREAM,
    LAST_CHUNK,
    chunk,
    chunks,
    head,
    response,
)
from tests.upstream.misbehaving import Misbehaving, Send

_ANSWER = Send(head(200, [EVENT_STREAM, CHUNKED]) + b"".join(map(chunk, chunks())) + LAST_CHUNK)
_REFUSAL = Send(response(400, b'{"error":{"message":"Invalid value: \'include_usage\'"}}'))


def _ask(served: Served, model: str, **fields: str) -> int:
    body = json.dumps({"model": model, "stream": True, **fields}).encode()
    return ask(served.port, post("/v1/chat/completions", body)).status


def _was_asked(upstream: Misbehaving) -> list[bool]:
    return [b"stream_options" in received.body for received in upstream.requests]


def test_a_callers_own_mistake_does_not_end_the_usage_of_others(
    any_misbehaving: Misbehaving, before_misbehaving: Served
) -> None:
    any_misbehaving.script([_REFUSAL], [_REFUSAL], [_ANSWER])
    assert _ask(before_misbehaving, "gpt-a", reasoning_effort="include_usage") == 400
    assert _ask(before_misbehaving, "gpt-a") == 200
    assert _was_asked(any_misbehaving) == [True, False, True]


def test_a_model_that_refuses_to_be_asked_leaves_others_to_be_asked(
    any_misbehaving: Misbehaving, before_misbehaving: Served
) -> None:
    any_misbehaving.script([_REFUSAL], [_ANSWER], [_ANSWER], [_ANSWER])
    for model in ("gpt-old", "gpt-old", "gpt-new"):
        assert _ask(before_misbehaving, model) == 200
    assert _was_asked(any_misbehaving) == [True, False, False, True]
