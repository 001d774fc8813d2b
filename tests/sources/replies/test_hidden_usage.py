import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.sources.replies.streams import chat_usage, chunk, compact, cut, data_events, ended
from tests.upstream.completions.dialects import Dialect
from tests.upstream.completions.events import DONE, chunks_of, encoded
from token_tracking.sources.replies import Refusals, UsageHider, ask_for_usage, model_of

ASKS = b'"stream_options":{"include_usage":true}'


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b'{"stream":true}', b'{"stream":true,' + ASKS + b"}"),
        (b' {"m": "m", "stream": true } \n', b' {"m": "m", "stream": true ,' + ASKS + b"} \n"),
        (b'{"stream_options":null,"stream":true}', b"{" + ASKS + b',"stream":true}'),
        (
            b'{"stream_options": {"include_usage": false} , "stream":true, "x": 1.0}',
            b'{"stream_options": {"include_usage":true} , "stream":true, "x": 1.0}',
        ),
        (
            b'{"a":{"stream_options":1},"s":"\\",{","stream_options":{"b":1},"stream":true}',
            (
                b'{"a":{"stream_options":1},"s":"\\",{",'
                b'"stream_options":{"b":1,"include_usage":true},"stream":true}'
            ),
        ),
        (b'{"stream":true,"stream_options":{"include_usage":true}}', None),
        (b'{"stream":false}', None),
        (b'{"stream":"true"}', None),
        (b'{"model":"m"}', None),
        (b'{"stream":true,"stream_options":7}', None),
        (b'[{"stream":true}]', None),
        (b'{"stream":true', None),
        (b"", None),
        (b"\xff", None),
    ],
)  # fmt: skip
def test_a_streamed_body_asks_for_usage_and_nothing_else_of_it_changes(
    body: bytes, expected: bytes | None
) -> None:
    assert ask_for_usage(body) == expected


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=8,
)


@given(
    rest=st.dictionaries(st.text(max_size=5), _json, max_size=4),
    options=st.none() | st.dictionaries(st.text(max_size=4), _json, max_size=2),
    has_options=st.booleans(),
    indent=st.sampled_from([None, 1]),
    is_ascii=st.booleans(),
)
def test_the_body_that_asks_says_the_same_and_asks(
    rest: dict[str, Any],
    options: dict[str, Any] | None,
    has_options: bool,
    indent: int | None,
    is_ascii: bool,
) -> None:
    body = {**rest, **({"stream_options": options} if has_options else {}), "stream": True}
    asking = ask_for_usage(json.dumps(body, indent=indent, ensure_ascii=is_ascii).encode())
    assert asking is not None
    asked = {**((options or {}) if has_options else {}), "include_usage": True}
    assert json.loads(asking) == {**body, "stream_options": asked}


def _whole(dialect: Dialect, text: str) -> dict[str, Any]:
    message = {"role": "assistant", "content": text, "tool_calls": [
        {"id": "c", "type": "function", "function": {"name": "f", "arguments": '{"usage":null}'}}
    ]}  # fmt: skip
    usage = {**chat_usage(20, 7), "total_tokens": 30}
    return {
        "id": "chatcmpl-1",
        "created": 1,
        "model": "gemini-2.5-flash" if dialect == "gemini" else "m",
        "service_tier": "default",
        "choices": [{"message": message, "finish_reason": "stop"}],
        "usage": usage,
        "x_groq": {"id": "req_1"},
    }


def _stream(dialect: Dialect, text: str, *, tells_usage: bool) -> bytes:
    chunks = chunks_of(_whole(dialect, text), dialect, tells_usage=tells_usage)
    return b"".join(encoded(each) for each in chunks) + DONE


def hidden(pieces: list[bytes]) -> bytes:
    hider = UsageHider()
    return b"".join([*(hider.feed(piece) for piece in pieces), hider.finish()])


@given(
    dialect=st.sampled_from(["openai", "groq", "gemini"]),
    text=st.sampled_from(["hé", ',"usage":null}', 'a"usage":\n{', "", "\\"]) | st.text(max_size=60),
    line_end=st.sampled_from([b"\n", b"\r\n", b"\r"]),
    places=st.lists(st.integers(0, 6000), max_size=10),
)
def test_what_is_hidden_is_the_stream_as_it_would_be_unasked_at_any_split(
    dialect: Dialect, text: str, line_end: bytes, places: list[int]
) -> None:
    asked = _stream(dialect, text, tells_usage=True).replace(b"\n", line_end)
    unasked = _stream(dialect, text, tells_usage=False).replace(b"\n", line_end)
    assert hidden(cut(asked, places)) == unasked
    assert hidden(cut(unasked, places)) == unasked


def test_events_are_passed_on_when_they_are_whole_and_all_else_at_once() -> None:
    hider = UsageHider()
    first = b"data: " + compact(chunk({"content": "a"}, usage=None)) + b"\n\n"
    assert hider.feed(first) == b"data: " + compact(chunk({"content": "a"})) + b"\n\n"
    assert hider.feed(b": keep-al") == b": keep-al"
    assert hider.feed(b"ive\n\n") == b"ive\n\n"
    assert hider.feed(b"dat") == b""
    assert hider.feed(b"e: x") == b"date: x"
    assert hider.feed(b"\r") == b"\r"
    assert hider.feed(b"\n\r\n") == b"\n\r\n"
    assert hider.feed(b"data: [DONE]") == b""
    assert hider.finish() == b"data: [DONE]"


def test_the_usage_may_stand_anywhere_in_a_chunk_and_be_spaced() -> None:
    stream = b'data:{ "usage": null, "choices": [{"delta": {"usage": null}}] }\n\n'
    assert hidden([stream]) == b'data:{ "choices": [{"delta": {"usage": null}}] }\n\n'
    stream = b'data: {"choices": [], "usage" : {"prompt_tokens": 1} }\n\ndata: [DONE]\n\n'
    assert hidden([stream]) == b"data: [DONE]\n\n"


def test_a_usage_that_was_told_unasked_beside_the_last_choices_stays() -> None:
    last = ended(usage=chat_usage(20, 7), model="mistral-large-latest")
    stream = data_events(chunk({"content": "a"}), last)
    assert hidden([stream]) == stream


def test_a_chunk_without_choices_that_holds_no_usage_stays() -> None:
    azure = chunk(prompt_filter_results=[{"x": 1}])
    assert hidden([data_events({**azure, "usage": None}, ended())]) == data_events(azure, ended())


def test_garbage_and_what_is_too_long_go_on_as_they_are() -> None:
    for garbage in (b'data: {"usage"', b"\x00\xff\r\r\n\r", b'data: "usage"\n\n', b"data:\n"):
        assert hidden([garbage[:3], garbage[3:]]) == garbage
    long = b'data: {"x":"' + b"y" * (1 << 20) + b'","usage":null}\n\n'
    assert hidden([long[: 1 << 20], long[1 << 20 : -9], long[-9:]]) == long


@given(st.lists(st.binary(max_size=20) | st.sampled_from([b"data: ", b'"usage"', b"\r", b"\n"])))
def test_what_has_no_usage_to_hide_goes_on_unchanged(pieces: list[bytes]) -> None:
    whole = b"".join(pieces)
    if b'"usage"' not in whole:
        assert hidden(pieces) == whole


def test_a_refusal_is_believed_for_an_hour_and_for_its_model_alone() -> None:
    now = [0.0]
    refusals = Refusals(lambda: now[0])
    refusals.learn("host", "old", 400)
    refusals.learn("host", "old", 529)
    assert not refusals.holds("host", "old")
    refusals.learn("host", "old", 200)
    others = (("host", "new"), ("host", None), ("other", "old"))
    assert refusals.holds("host", "old")
    assert not any(refusals.holds(server, model) for server, model in others)
    now[0] = 3600.0
    assert not refusals.holds("host", "old")


def test_callers_names_of_models_do_not_fill_the_memory() -> None:
    refusals = Refusals()
    for number in range(1001):
        refusals.learn("host", f"model-{number}", 200)
    held = [refusals.holds("host", f"model-{number}") for number in range(1001)]
    assert (held[0], held.count(True)) == (False, 1000)


@pytest.mark.parametrize(
    ("body", "model"),
    [(b'{"model":"m","x":1}', "m"), (b"{}", None), (b'{"model":7}', None), (b"\xff", None)],
)
def test_the_model_that_a_request_names(body: bytes, model: str | None) -> None:
    assert model_of(body) == model
