"""A conversation's request to an upstream."""

import time
from typing import Any, Final

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from token_tracking.sources.replies.values import Call
from token_tracking.window.prepared import Prepared
from token_tracking_server.gateway.agents.values import Agent
from token_tracking_server.gateway.config.values import Upstream
from token_tracking_server.gateway.exchanges import Ask, Headers
from token_tracking_server.gateway.managing.requests import CHAT_PATHS
from token_tracking_server.gateway.security.keys import fingerprint, key_of, with_key

_ANTHROPIC_VERSION: Final = b"2023-06-01"


class Caller(Struct, frozen=True, kw_only=True):
    """Who sent a message, beside the conversation's user. `headers` are those of the request that
    name a provider's key; they are never kept."""

    headers: Headers
    project: str | None = None
    wants_limits: bool = False


def ask_of(
    agent: Agent,
    upstream: Upstream,
    caller: Caller,
    *,
    conversation_id: str,
    user: str,
    is_stream: bool,
) -> Ask:
    """A request for an answer of an agent, still without its body, with the upstream's key or else
    the caller's."""
    headers = _headers(upstream, caller.headers)
    key = key_of(headers)
    return Ask(
        upstream=upstream,
        form=upstream.form,
        method="POST",
        path=CHAT_PATHS[upstream.form],
        headers=headers,
        body=b"{}",
        model=agent.model,
        is_stream=is_stream,
        call=Call(
            started_at=int(time.time() * 1000),
            source="gateway",
            model=agent.model,
            upstream=upstream.name,
            session_id=conversation_id,
            user=user,
            agent=agent.name,
            project=caller.project,
            key=None if key is None else fingerprint(key),
        ),
        wants_limits=upstream.limits or caller.wants_limits,
    )


def with_prompt(ask: Ask, prepared: Prepared) -> Ask:
    """The request with the body that a window prepared."""
    request = prepared.request()
    betas: list[str] = request.pop("betas", [])  # an argument of the SDK, a header of the API
    body: dict[str, Any] = {"model": ask.model, **request, "stream": ask.is_stream}
    if ask.is_stream and ask.form == "openai":
        body["stream_options"] = {"include_usage": True}
    headers = list(ask.headers)
    if betas:
        headers.append((b"anthropic-beta", ",".join(betas).encode()))
    return replace(ask, headers=headers, body=msgspec.json.encode(body))


def _headers(upstream: Upstream, given: Headers) -> Headers:
    headers: Headers = [
        (b"content-type", b"application/json"),
        (b"accept", b"application/json, text/event-stream"),
        # The text is read here, and it is short: compressing it costs more than it saves.
        (b"accept-encoding", b"identity"),
    ]
    if upstream.form == "anthropic":
        headers.append((b"anthropic-version", _ANTHROPIC_VERSION))
    if (own := upstream.own_key()) is not None:
        return with_key(headers, upstream.form, own)
    if upstream.form == "anthropic":
        return headers + [each for each in given if each[0] in {b"x-api-key", b"authorization"}]
    key = key_of(given)
    return headers if key is None else with_key(headers, upstream.form, key.decode("latin-1"))
