"""What callers would see of a broken upstream, they see through the gateway."""

from contextlib import closing

import pytest

from tests.gateway.outcomes import Outcome, ask, outcome_of
from tests.gateway.raw import Heard, connected, post
from tests.gateway.serving import Served
from tests.upstream import broken_answers
from tests.upstream.broken_answers import chunks, completion, events, message
from tests.upstream.misbehaving import Behaviour, Close, Hold, Misbehaving, Send

_MESSAGES = post("/v1/messages", b'{"model":"claude-opus-4-8"}', b"x-api-key: test")
_MESSAGES_STREAM = post(
    "/v1/messages", b'{"model":"claude-opus-4-8","stream":true}', b"x-api-key: test"
)
_CHAT = post("/v1/chat/completions", b'{"model":"gpt-4o-mini"}', b"authorization: Bearer test")
_CHAT_STREAM = post(
    "/v1/chat/completions",
    b'{"model":"gpt-4o-mini","stream":true,"stream_options":{"include_usage":true}}',
    b"authorization: Bearer test",
)


def _cases() -> list[object]:
    sources = {
        "message": (_MESSAGES, broken_answers.whole_bodies(message())),
        "message stream": (_MESSAGES_STREAM, broken_answers.streams(events())),
        "completion": (_CHAT, broken_answers.whole_bodies(completion())),
        "completion stream": (_CHAT_STREAM, broken_answers.streams(chunks())),
    }
    return [
        pytest.param(request, behaviour, id=f"{kind}: {name}")
        for kind, (request, behaviours) in sources.items()
        for name, behaviour in behaviours.items()
    ]


@pytest.mark.parametrize(("request_bytes", "behaviour"), _cases())
def test_a_broken_answer_is_what_it_would_be_without_the_gateway(
    any_misbehaving: Misbehaving,
    before_misbehaving: Served,
    request_bytes: bytes,
    behaviour: Behaviour,
) -> None:
    any_misbehaving.script(behaviour)
    direct = ask(int(any_misbehaving.base_url.rpartition(":")[2]), request_bytes)
    passed = ask(before_misbehaving.port, request_bytes)
    assert _comparable(passed, behaviour) == _comparable(direct, behaviour)


def _comparable(heard: Heard, behaviour: Behaviour) -> Outcome | bool | None:
    outcome = outcome_of(heard)
    if any(isinstance(step, Close) and step.resets for step in behaviour):
        # How much of it comes before a reset is the network's affair.
        return outcome is not None and outcome.is_whole
    return outcome


_CHAT_UNASKED = post("/v1/chat/completions", b'{"model":"gpt-4o-mini","stream":true}')


@pytest.mark.parametrize("close", [Close(), Close(resets=True)], ids=["closed", "reset"])
def test_half_a_line_of_a_stream_that_breaks_goes_on_to_who_did_not_ask_for_usage(
    any_misbehaving: Misbehaving, before_misbehaving: Served, close: Close
) -> None:
    """Lines are held to take the usage out; at a break there is nothing to wait for any more."""
    whole = b'data: {"id":"chatcmpl-half","choices":[]}\n\n'
    half = b'data: {"id":"chatcmpl-half","choices":[{"in'
    hold = Hold()
    begun = broken_answers.head(200, [broken_answers.EVENT_STREAM, broken_answers.CHUNKED])
    data = begun + broken_answers.chunk(whole) + broken_answers.chunk(half)
    any_misbehaving.script([Send(data), hold, close])
    with closing(hold), connected(before_misbehaving.port) as raw:
        raw.send(_CHAT_UNASKED)
        raw.until(whole)
        hold.open()
        outcome = outcome_of(raw.to_end())
    assert outcome is not None
    assert (outcome.body, outcome.is_whole) == (whole + half, False)
