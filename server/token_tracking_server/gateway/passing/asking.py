"""What a request asks of which upstream."""

import time
from typing import Final

from token_tracking.sources.replies import READABLE_ENCODINGS, Call, Form, plain_path
from token_tracking_server.gateway.config.values import Upstream
from token_tracking_server.gateway.exchanges.headers import end_to_end
from token_tracking_server.gateway.exchanges.values import Ask, Headers
from token_tracking_server.gateway.passing.body_fields import BodyFields, body_fields, bounded
from token_tracking_server.gateway.passing.request import Request
from token_tracking_server.gateway.security import fingerprint, key_of, with_key
from token_tracking_server.gateway.upstreams.choosing import Upstreams

_OURS: Final = b"x-token-tracking-"
_DROPPED: Final = frozenset({b"host", b"expect"})
_ANTHROPIC_HEADERS: Final = (b"anthropic-version", b"x-api-key")


def ask_of(request: Request, upstreams: Upstreams, *, name: str | None = None) -> Ask:
    """What is asked. Our own headers and those of this connection alone do not go on.

    Raises:
        NotFoundError: the upstream that is named does not exist.
    """
    given = dict(request.headers)
    fields = body_fields(request.body)
    form = form_of(request.path, given)
    upstream = upstreams.choose(
        form,
        fields.model,
        name=name or _word(given, b"x-token-tracking-upstream"),
        key=key_of(request.headers),
    )
    headers = _headers(request.headers, form, upstream)
    window = _word(given, b"x-token-tracking-window") or upstream.window
    asks_for_limits = _word(given, b"x-token-tracking-limits") == "on"
    return Ask(
        upstream=upstream,
        form=form,
        method=request.method,
        path=request.path,
        query=request.query,
        headers=headers,
        body=request.body,
        model=fields.model,
        is_stream=fields.is_stream,
        call=_call(given, fields, upstream, headers),
        window=None if window == "off" else window,
        wants_limits=upstream.limits or asks_for_limits,
    )


def form_of(path: str, headers: dict[bytes, bytes]) -> Form:
    """Whose form a request has: `/v1/messages` is Anthropic's and `/v1/chat/` OpenAI's, however
    they are spelled; elsewhere the headers say, since both have `/v1/models` and `/v1/files`."""
    path = plain_path(path)
    if path.startswith(("/v1/messages", "/v1/complete")):
        return "anthropic"
    if path.startswith("/v1/chat/"):
        return "openai"
    return "anthropic" if any(name in headers for name in _ANTHROPIC_HEADERS) else "openai"


def _call(
    given: dict[bytes, bytes], fields: BodyFields, upstream: Upstream, headers: Headers
) -> Call:
    key = key_of(headers)
    return Call(
        started_at=time.time_ns() // 1_000_000,
        source="gateway",
        model=fields.model,
        upstream=upstream.name,
        session_id=_word(given, b"x-claude-code-session-id")
        or _word(given, b"x-token-tracking-session")
        or fields.session_id,
        user=_word(given, b"x-token-tracking-user"),
        agent=_word(given, b"x-token-tracking-agent"),
        project=_word(given, b"x-token-tracking-project"),
        key=None if key is None else fingerprint(key),
    )


def _headers(headers: Headers, form: Form, upstream: Upstream) -> Headers:
    kept = [
        (name, _readable(value)) if name == b"accept-encoding" else (name, value)
        for name, value in end_to_end(headers, _DROPPED)
        if not name.startswith(_OURS)
    ]
    key = upstream.own_key()
    return kept if key is None else with_key(kept, form, key)


def _readable(codings: bytes) -> bytes:
    """The codings that responses can be read in. Asked for others, an upstream might answer in one
    that hides from us what it billed; callers take what they get, as they must."""
    kept = [
        coding
        for coding in (each.strip() for each in codings.decode("latin-1").split(","))
        if coding.partition(";")[0].strip().lower() in READABLE_ENCODINGS
    ]
    return ", ".join(kept).encode() or b"identity"


def _word(headers: dict[bytes, bytes], name: bytes) -> str | None:
    value = headers.get(name)
    return None if value is None else bounded(value.decode("utf-8", "replace").strip())
