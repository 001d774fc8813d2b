"""A reply as a sighting for the ledger."""

import uuid
from collections.abc import Mapping
from typing import Final

import msgspec

from token_tracking.sources.replies.json_values import text
from token_tracking.sources.replies.values import Call, Reply
from token_tracking.usage import Place, Usage, UsageEvent, message_key, project_session

_NOT_TOLD: Final = Usage()

_PRICED_APART: Final = {"groq": "groq/", "api.groq.com": "groq/"}
"""Upstreams whose price of a model is not that of its maker: the price list wants their name."""


def sighting_of(reply: Reply, call: Call) -> UsageEvent | None:
    """What the ledger records of a reply; `None` where it told neither an id nor a usage.

    Call it once for each reply: one without an id gets a key that no other has. A reply with an id
    but no usage is recorded with zero counts as partial, and its metadata say `"usage":
    "unknown"`. Where the caller named no session, a message has no place of its own: it goes to
    the session that another source names, or else to that of its project.

    Raises:
        InvalidUsageError: `call.started_at` is out of range.
    """
    if reply.usage is None and reply.message_id is None:
        return None
    is_final = reply.is_complete and reply.usage is not None
    return UsageEvent(
        key=_key(reply, call),
        usage=reply.usage or _NOT_TOLD,
        timestamp=call.started_at,
        source=call.source,
        model=_model(reply, call),
        terms_final=is_final,
        stop_reason=(text(reply.stop_reason) or "") if is_final else None,
        service_tier=text(reply.service_tier),
        speed=text(reply.speed),
        inference_geo=text(reply.inference_geo),
        agent_id=text(call.agent),
        metadata=_metadata(reply, call),
        text_bytes=reply.text_bytes,
        thinking_bytes=reply.thinking_bytes,
        extra=reply.extra,
        places=_places(call),
    )


def is_response_id(message_id: str | None) -> bool:
    """Whether an id is one of the Responses API's own: no other response has it."""
    return message_id is not None and message_id.startswith("resp_")


def _key(reply: Reply, call: Call) -> str:
    """The message's identity.

    OpenAI's request ids are the provider's own: with one, the session is left out of the scope, so
    that a tracked SDK behind the gateway counts once though only one of them knows the session.
    Anthropic's form keeps it, as a transcript has it. A response's id (Responses API) is global: it
    may be fetched again, under other request ids. Servers that give no request id may give one id
    to many messages, two of them in one millisecond: each is a message of its own.
    """
    request = text(reply.request_id) or text(call.request_id)
    session = text(call.session_id)
    if reply.form == "openai" and request is not None:
        session = None
    message_id = text(reply.message_id) or ""
    if reply.form == "openai" and is_response_id(message_id):
        return message_id
    return message_key(message_id, session, request or uuid.uuid4().hex, call.started_at)


def _model(reply: Reply, call: Call) -> str | None:
    model = text(reply.model) or text(call.model)
    if model is None:
        return None
    # Gemini writes either form.
    return _PRICED_APART.get(call.upstream or "", "") + model.removeprefix("models/")


def _places(call: Call) -> tuple[Place, ...]:
    session, project = text(call.session_id), text(call.project)
    if session is None and project is not None:
        session = project_session(project)
    if session is None:
        return ()
    return (Place(session_id=session, timestamp=call.started_at, cwd=project),)


def _metadata(reply: Reply, call: Call) -> str | None:
    own = {
        "upstream": call.upstream,
        "user": call.user,
        "project": call.project,
        "key": call.key,
        "usage": "unknown" if reply.usage is None else None,
    }
    told = {name: known for name, value in own.items() if (known := text(value)) is not None}
    return _encoded({**(call.metadata or {}), **told}) or _encoded(told)


def _encoded(metadata: Mapping[str, object]) -> str | None:
    """As JSON with sorted keys; `None` where there is none, or what is no JSON."""
    if not metadata:
        return None
    try:
        return msgspec.json.encode(metadata, order="deterministic").decode()
    except (TypeError, ValueError, RecursionError, OverflowError):
        return None
