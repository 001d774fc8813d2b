"""What one response of a provider's API says of itself, and who asked for it. Never its text."""

from collections.abc import Mapping
from typing import Final, Literal

from msgspec import Struct

from token_tracking.usage import Usage

Form = Literal["anthropic", "openai"]
"""Whose form a request and its response have. Gemini's, Groq's and others' compatible endpoints
speak OpenAI's."""


REQUEST_ID: Final[dict[Form, str]] = {"anthropic": "request-id", "openai": "x-request-id"}
"""The header with the id that a provider gave a request. Whatever sees a message of OpenAI's form
takes the same one, since it is part of the message's identity."""


class Reply(Struct, frozen=True, kw_only=True):
    """What one message of a response told: its id, model and terms of billing, and how it ended.

    `usage` (tokens) is `None` where none was told: the response was an error, or broke off before.
    `is_complete` says that the response came to its own end; without it the output is a lower
    bound. `error_type` is the API's own word for what went wrong (`overloaded_error`). `extra` is
    what was billed beside the message's counts, as `UsageEvent.extra` has it. `text_bytes` and
    `thinking_bytes` are sizes of what was visible of the answer (UTF-8), tool calls apart.
    `request_id` is that of a batch's request, where its results tell it. `problem` says why a
    usage that was there could not be read: the counts are then unknown, never 0.
    """

    form: Form
    message_id: str | None = None
    model: str | None = None
    usage: Usage | None = None
    is_complete: bool = False
    stop_reason: str | None = None
    service_tier: str | None = None
    speed: str | None = None
    inference_geo: str | None = None
    extra: str | None = None
    text_bytes: int = 0
    thinking_bytes: int = 0
    error_type: str | None = None
    request_id: str | None = None
    problem: str | None = None


class Call(Struct, frozen=True, kw_only=True):
    """Who asked for a response, of whom and when. It holds no key: `key` is a fingerprint.

    `started_at` is milliseconds since 1970 UTC. `source` names what saw the call: `sdk` or
    `gateway`. `model` is the one that was asked for. `metadata` is the caller's own, kept as it is.
    """

    started_at: int
    source: str
    model: str | None = None
    upstream: str | None = None
    session_id: str | None = None
    request_id: str | None = None
    user: str | None = None
    agent: str | None = None
    project: str | None = None
    key: str | None = None
    metadata: Mapping[str, object] | None = None
