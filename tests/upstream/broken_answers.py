"""Answers that break the rules, by name: what an upstream may do to its callers."""

import gzip
import json
from collections.abc import Sequence

from tests.upstream.completions.answers import completion_of
from tests.upstream.completions.events import DONE, chunks_of
from tests.upstream.completions.events import encoded as encoded_chunk
from tests.upstream.events import encoded, events_of
from tests.upstream.misbehaving import Behaviour, Close, Send, Step
from tests.upstream.scripts import Answer
from tests.upstream.values import Json

Headers = Sequence[tuple[str, str]]
JSON_TYPE = ("content-type", "application/json")
EVENT_STREAM = ("content-type", "text/event-stream; charset=utf-8")
CHUNKED = ("transfer-encoding", "chunked")


def head(status: int, headers: Headers = (), reason: str = "Reason") -> bytes:
    """Status line and headers."""
    lines = [f"HTTP/1.1 {status} {reason}", *(f"{name}: {value}" for name, value in headers)]
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


def response(status: int, body: bytes, headers: Headers = (JSON_TYPE,)) -> bytes:
    """A whole response of the right length."""
    return head(status, [*headers, ("content-length", str(len(body)))]) + body


def chunk(data: bytes) -> bytes:
    """One chunk of a chunked body."""
    return f"{len(data):x}\r\n".encode() + data + b"\r\n"


LAST_CHUNK = b"0\r\n\r\n"


def message(name: str = "msg_01broken", text: str = "All is well, and this is said.") -> Json:
    """A message of Anthropic's form."""
    return {
        "id": name,
        "type": "message",
        "role": "assistant",
        "model": "claude-opus-4-8",
        "content": [{"type": "text", "text": text}],
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "usage": {"input_tokens": 11, "output_tokens": 7},
    }


def events(name: str = "msg_01broken") -> list[bytes]:
    """The events of that message's stream."""
    return [encoded(event) for event in events_of(message(name))]


def completion(name: str = "chatcmpl-broken") -> Json:
    """The same in OpenAI's form."""
    asked: Json = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "Hello."}]}
    text = message()["content"][0]["text"]
    return {**completion_of(asked, Answer(text), "openai"), "id": name}


def chunks(name: str = "chatcmpl-broken") -> list[bytes]:
    """The events of that completion's stream, with its usage."""
    whole = completion(name)
    told = chunks_of(whole, "openai", tells_usage=True)
    return [*map(encoded_chunk, told), DONE]


def whole_bodies(of: Json) -> dict[str, Behaviour]:
    """Broken answers to who did not ask for a stream: `of` is what would have been sent."""
    body = json.dumps(of).encode()
    sized = [JSON_TYPE, ("content-length", str(len(body)))]
    packed = gzip.compress(body, mtime=0)
    zipped = [JSON_TYPE, ("content-encoding", "gzip")]
    damaged = packed[:10] + b"\xff" * 8 + packed[18:]  # no block is of such a type
    page = b"<html><head><title>502 Bad Gateway</title></head><body>nginx</body></html>"
    html = (("content-type", "text/html"), ("server", "nginx"))
    ends: Step = Close()
    return {
        "closed before a response": [ends],
        "reset before a response": [Close(resets=True)],
        "garbage": [Send(b"\x16\x03\x01 This is no HTTP.\r\n\r\n"), ends],
        "half of a head": [Send(head(200, sized)[:30]), ends],
        "no body": [Send(head(200, sized)), ends],
        "a body cut short": [Send(head(200, sized) + body[:-9]), ends],
        "a body that was reset": [Send(head(200, sized) + body[:20]), Close(resets=True)],
        "a body longer than said": [Send(head(200, sized) + body + b"and more of it"), ends],
        "a length that is no number": [Send(head(200, [("content-length", "x")]) + body), ends],
        "a body without a length": [Send(head(200, [JSON_TYPE, ("connection", "close")]) + body),
                                    ends],
        "JSON cut short, its length right": [Send(response(200, body[:-9]))],
        "no JSON": [Send(response(200, b"OK", (("content-type", "text/plain"),)))],
        "empty JSON": [Send(response(200, b"{}"))],
        "JSON of another kind": [Send(response(200, b'[1, null, "x"]'))],
        "an empty body": [Send(response(200, b""))],
        "no content": [Send(head(204))],
        "damaged gzip": [Send(response(200, damaged, zipped))],
        "gzip that is none": [Send(response(200, body, zipped))],
        "gzip cut short": [Send(response(200, packed[:-20], zipped))],
        "a coding unknown to all": [
            Send(response(200, body, [JSON_TYPE, ("content-encoding", "x-own")]))],
        "a page of a proxy (502)": [Send(response(502, page, html))],
        "a page of a proxy (200)": [Send(response(200, page, html))],
        "a redirect": [Send(response(307, b"", [("location", "http://127.0.0.1:9/elsewhere")]))],
        "a chunked body cut short": [
            Send(head(200, [JSON_TYPE, CHUNKED]) + chunk(body[:20]) + chunk(body[20:])), ends],
        "a chunk that is none": [Send(head(200, [JSON_TYPE, CHUNKED]) + b"zz\r\n" + body), ends],
        "informed first (103)": [
            Send(head(103, [("link", "</a>; rel=preload")]) + response(200, body))],
        "told to continue first (100)": [Send(head(100) + response(200, body))],
        "headers repeated, in odd case": [
            Send(head(200, [("Content-TYPE", "application/json"), ("X-Twice", "1"),
                            ("x-twice", "2"), ("Set-Cookie", "a=1"), ("set-cookie", "b=2"),
                            ("X-EMPTY", ""), ("CONTENT-LENGTH", str(len(body)))]) + body)],
        "a folded header": [
            Send(head(200, [("x-folded", "one\r\n two"), *sized]) + body)],
        "bytes one by one": [Send(response(200, body), one_by_one=True)],
    }  # fmt: skip


def streams(of: Sequence[bytes]) -> dict[str, Behaviour]:
    """Broken streams: `of` are the events that would have been sent."""
    begun = head(200, [EVENT_STREAM, CHUNKED])
    some, all_of_it = b"".join(map(chunk, of[:4])), b"".join(map(chunk, of))
    body = b"".join(of)
    sized = [EVENT_STREAM, ("content-length", str(len(body)))]
    packed = gzip.compress(body, mtime=0)
    zipped = [EVENT_STREAM, CHUNKED, ("content-encoding", "gzip")]
    ping = encoded({"type": "ping"})
    half = chunk(of[4][: len(of[4]) // 2])
    ends: Step = Close()
    return {
        "closed before the first event": [Send(begun), ends],
        "closed between events": [Send(begun + some), ends],
        "closed within an event": [Send(begun + some + half), ends],
        "closed within a chunk": [Send(begun + some + half[:-9]), ends],
        "reset between events": [Send(begun + some), Close(resets=True)],
        "ended in order, but early": [Send(begun + some + LAST_CHUNK)],
        "ended in order within an event": [Send(begun + some + half + LAST_CHUNK)],
        "shorter than said": [Send(head(200, sized) + body[:-30]), ends],
        "without a last chunk": [Send(begun + all_of_it), ends],
        "garbage between events": [
            Send(begun + some + chunk(b"garbage\n\n: comment\n\ndata: {no json\n\n") + LAST_CHUNK)],
        "garbage between chunks": [Send(begun + some + b"garbage\r\n"), ends],
        "no bytes at all": [Send(begun + LAST_CHUNK)],
        "whole, in one piece": [Send(begun + chunk(body) + LAST_CHUNK)],
        "whole, byte by byte": [
            Send(begun + b"".join(chunk(body[n : n + 1]) for n in range(len(body))) + LAST_CHUNK)],
        "a thousand pings": [Send(begun + chunk(of[0] + ping * 1_000 + b"".join(of[1:]))
                                  + LAST_CHUNK)],
        "whole, as gzip": [Send(head(200, zipped) + chunk(packed) + LAST_CHUNK)],
        "gzip cut short": [Send(head(200, zipped) + chunk(packed[:-30]) + LAST_CHUNK)],
        "damaged gzip": [
            Send(head(200, zipped) + chunk(packed[:10] + b"\xff" * 8 + packed[18:]) + LAST_CHUNK)],
        "a page of a proxy": [
            Send(response(502, b"<html>Bad Gateway</html>", [("content-type", "text/html")]))],
        "a whole body instead": [
            Send(response(200, b'{"type": "message"}'))],
    }  # fmt: skip
