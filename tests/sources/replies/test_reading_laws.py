"""However the bytes come, whatever they are: the same replies, and never an exception."""

import gzip
import zlib
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.sources.replies.streams import (
    JSON,
    MESSAGES,
    SSE,
    anthropic_events,
    chat_usage,
    chunk,
    compact,
    cut,
    data_events,
    ended,
    named_events,
    read,
)
from token_tracking.sources.replies import (
    READABLE_ENCODINGS,
    Form,
    events,
    form_of_path,
    plain_path,
    readable_encodings,
    reader_for,
)

CLAUDE = named_events(anthropic_events())
OPENAI = data_events(chunk({"content": "hé"}), ended(), chunk(usage=chat_usage()))
BODIES: dict[Form, bytes] = {"anthropic": CLAUDE, "openai": OPENAI}

_cuts = st.lists(st.integers(0, 4000), max_size=12)


def _deflated(data: bytes) -> bytes:
    return zlib.compress(data)


def _raw_deflated(data: bytes) -> bytes:
    stream = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return stream.compress(data) + stream.flush()


def _two_members(data: bytes) -> bytes:
    return gzip.compress(data[:50]) + gzip.compress(data[50:])


@given(places=_cuts, line_end=st.sampled_from(["\n", "\r", "\r\n"]), has_bom=st.booleans())
def test_any_split_and_line_end_gives_the_same_replies(
    places: list[int], line_end: str, has_bom: bool
) -> None:
    for form, body in BODIES.items():
        expected = read(form, body)
        assert expected[0].usage is not None
        sent = body.replace(b"\n", line_end.encode())
        sent = b"\xef\xbb\xbf" + sent if has_bom else sent
        assert read(form, cut(sent, places)) == expected


def test_byte_by_byte_is_a_split_too() -> None:
    body = CLAUDE.replace(b"\n", b"\r\n")
    assert read("anthropic", (body[n : n + 1] for n in range(len(body)))) == read(
        "anthropic", CLAUDE
    )


@given(places=_cuts)
@pytest.mark.parametrize(
    ("coding", "encode"),
    [
        ("gzip", gzip.compress),
        ("x-gzip", _two_members),
        ("deflate", _deflated),
        ("deflate", _raw_deflated),
        ("identity", bytes),
        ("", bytes),
        (" GZIP ", gzip.compress),
    ],
)
def test_any_split_of_encoded_bytes_gives_the_same_replies(
    coding: str, encode: Callable[[bytes], bytes], places: list[int]
) -> None:
    pieces = cut(encode(CLAUDE), places)
    assert read("anthropic", pieces, content_encoding=coding) == read("anthropic", CLAUDE)


def test_data_of_several_lines_is_one_event() -> None:
    pretty = CLAUDE.replace(b'{"type":"message_delta",', b'{\ndata:"type":"message_delta",')
    assert pretty != CLAUDE
    assert read("anthropic", pretty) == read("anthropic", CLAUDE)


def test_an_event_that_no_blank_line_ends_counts_if_it_is_whole() -> None:
    whole, _, rest = CLAUDE.partition(b'"usage":{"output_tokens":40}}')
    told = whole + b'"usage":{"output_tokens":40}}'
    assert rest
    (reply,) = read("anthropic", told, is_complete=False)
    assert reply.is_complete
    (cut_short,) = read("anthropic", told[:-1], is_complete=False)
    assert not cut_short.is_complete


@given(
    body=st.binary(max_size=300) | st.sampled_from([CLAUDE, OPENAI, gzip.compress(CLAUDE)]),
    damage=st.lists(st.tuples(st.integers(0, 2000), st.binary(max_size=3)), max_size=4),
    form=st.sampled_from(["anthropic", "openai"]),
    content_type=st.sampled_from([SSE, JSON, "", "text/plain"]),
    coding=st.sampled_from(["", "gzip", "deflate", "br", "gzip, br"]),
    is_complete=st.booleans(),
)
def test_nothing_that_a_server_sends_raises(
    body: bytes,
    damage: list[tuple[int, bytes]],
    form: Form,
    content_type: str,
    coding: str,
    is_complete: bool,
) -> None:
    for anywhere, noise in damage:
        place = anywhere % (len(body) + 1)
        body = body[:place] + noise + body[place + len(noise) :]
    for path in (
        "",
        f"{MESSAGES}/batches/b/results" if form == "anthropic" else "/files/f/content",
    ):
        read(
            form,
            body,
            path=path,
            content_type=content_type,
            content_encoding=coding,
            is_complete=is_complete,
        )


@given(body=st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=2)
    | st.dictionaries(
        st.sampled_from(
            ["type", "usage", "message", "id", "model", "choices", "delta", "content", "object",
             "input_tokens", "output_tokens", "prompt_tokens", "prompt_tokens_details", "error",
             "response", "status", "iterations", "x_groq", "output", "summary", "finish_reason"]
        ),
        inner,
        max_size=4,
    ),
    max_leaves=12,
))  # fmt: skip
def test_no_json_of_other_types_raises(body: object) -> None:
    data = compact(body)
    for form in ("anthropic", "openai"):
        read(form, data, content_type=JSON)
        for kind in ("message_start", "content_block_delta", "message_delta", "response.failed"):
            event = {"type": kind, **(body if isinstance(body, dict) else {"message": body})}
            read(form, b"data: " + compact(event) + b"\n\n")


def test_deep_nesting_is_no_json_and_no_crash() -> None:
    (reply,) = read("openai", b'{"a":' * 100_000, content_type=JSON)
    assert reply.problem == "unreadable"


def test_damaged_gzip_tells_what_stood_before_the_damage() -> None:
    encoded = bytearray(gzip.compress(CLAUDE, compresslevel=0))
    encoded[-40:] = b"\xff" * 40
    (reply,) = read("anthropic", bytes(encoded), content_encoding="gzip", is_complete=False)
    assert reply.message_id == "msg_01"


def test_what_is_too_long_is_not_held_and_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "LONGEST", 5000)
    monkeypatch.setattr("token_tracking.sources.replies.bodies.LONGEST", 5000)
    endless = [b'data: {"type":"new","x":"', *[b"y" * 1000] * 20]
    (reply,) = read("anthropic", [named_events(anthropic_events()[:3]), *endless])
    assert (reply.message_id, reply.problem, reply.is_complete) == ("msg_01", "too long", False)
    (line,) = read("anthropic", [*endless, b'"}\n\n', CLAUDE])
    assert (line.problem, line.is_complete) == ("too long", True)
    (whole,) = read("openai", [b"{", *[b" " * 1000] * 20], content_type=JSON)
    assert whole.problem == "too long"
    (many,) = read("openai", [b"data:\n" * 1000, b"data: 1\n\n"])
    assert many.problem == "too long"


def test_a_small_body_that_decodes_to_a_huge_one_is_not_held() -> None:
    bomb = gzip.compress(b"data: " + b"0" * (40 << 20))
    (reply,) = read("openai", bomb, content_encoding="gzip")
    assert reply.problem == "too long"


@pytest.mark.parametrize(
    ("path", "form"),
    [
        ("/v1/messages", "anthropic"),
        ("/anthropic/v1/messages?beta=true", "anthropic"),
        ("/v1/messages/", "anthropic"),
        ("/v1/messages/batches/msgbatch_1/results", "anthropic"),
        ("/v1/messages/batches/msgbatch_1", None),
        ("/v1/messages/batches", None),
        ("/v1/messages/count_tokens", None),
        ("/v1/models", None),
        ("/v1beta/openai/chat/completions", "openai"),
        ("/openai/v1/responses", "openai"),
        ("/v1/completions", "openai"),
        ("/v1/%6Dessages", "anthropic"),
        ("/anthropic//v1/./messages/", "anthropic"),
        ("/v1/messages%2Fcount_tokens", None),
        ("/v1/projects/p/locations/l/publishers/anthropic/models/c@1:rawPredict", "anthropic"),
        ("/v1/publishers/anthropic/models/c%401:streamRawPredict", "anthropic"),
        ("/v1/publishers/anthropic/models/count-tokens:rawPredict", None),
        ("/v1/publishers/mistralai/models/m:rawPredict", None),
        ("/v1/responses/resp_1", "openai"),
        ("/v1/responses/compact", "openai"),
        ("/v1/responses/input_tokens", None),
        ("/v1/responses/resp_1/input_items", None),
        ("/v1/files/file-1/content", "openai"),
        ("/v1/files/file-1", None),
        ("/v1/embeddings", None),
        ("/v1/images/generations", None),
        ("", None),
        ("/", None),
    ],
)
def test_the_end_of_a_path_tells_the_form(path: str, form: Form | None) -> None:
    assert form_of_path(path) == form


@pytest.mark.parametrize(
    ("path", "plain"),
    [
        ("/v1/messages", "/v1/messages"),
        ("/v1/%6d%65ssages?beta=true", "/v1/messages"),
        ("/v1//messages/", "/v1/messages"),
        ("//v1/x/../messages/.", "/v1/messages"),
        ("/v1/%256dessages", "/v1/%6dessages"),
        ("/v1/messages%3Fx", "/v1/messages?x"),
        ("/..", "/"),
        ("/", "/"),
        ("", ""),
    ],
)
def test_a_plain_path_is_what_servers_understand(path: str, plain: str) -> None:
    assert plain_path(path) == plain


def test_errors_and_paths_of_the_other_form_have_no_reader() -> None:
    for status, path in ((529, "/v1/messages"), (301, "/v1/messages"), (200, "/v1/models")):
        assert reader_for("anthropic", path=path, status=status, content_type=JSON) is None
    assert reader_for("openai", path="/v1/messages", status=200, content_type=JSON) is None


@pytest.mark.parametrize("content_type", ["", "text/plain", "application/octet-stream"])
def test_where_the_type_says_nothing_the_first_byte_does(content_type: str) -> None:
    assert read("openai", OPENAI, content_type=content_type) == read("openai", OPENAI)
    whole = b' \n{"id":"chatcmpl-1","choices":[],"usage":' + compact(chat_usage()) + b"}"
    assert read("openai", [b" ", whole], content_type=content_type)[0].usage is not None


@pytest.mark.parametrize(
    ("accepted", "readable"),
    [
        ("gzip, deflate, br, compress", "gzip, deflate"),
        ("br;q=1.0, GZIP;q=0.5", "GZIP;q=0.5"),
        ("br", "identity"),
        ("*", "identity"),
        ("", "identity"),
    ],
)
def test_only_codings_that_can_be_read_are_accepted(accepted: str, readable: str) -> None:
    assert readable_encodings(accepted) == readable


def test_a_coding_that_cannot_be_read_is_said() -> None:
    assert "br" not in READABLE_ENCODINGS
    assert {"gzip", "deflate", "identity"} <= READABLE_ENCODINGS
    (reply,) = read("anthropic", b"\x1b\x00", content_encoding="br")
    assert (reply.problem, reply.message_id) == ("unreadable", None)
