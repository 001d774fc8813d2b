"""A session and what is added to it."""

from typing import Any

from msgspec import Struct

from token_tracking.sources.replies.values import Form


class Session(Struct, frozen=True, kw_only=True):
    """A session without its messages. Times are milliseconds since 1970 UTC.

    `system` and `tools` are those that were last given, as its `form` has them, and `budget` are
    fields of `token_tracking.window.Budget`. `messages` and `bytes` (of JSON) are those of its
    history. `prompt_tokens` and `output_tokens` were billed for its `requests` so far (those for
    summaries among them), but for the `unbilled` ones, whose responses told no usage.
    """

    id: str
    form: Form
    model: str
    upstream: str
    strategy: str
    budget: dict[str, Any] | None = None
    system: Any = None
    tools: Any = None
    created_at: int = 0
    used_at: int = 0
    expires_at: int = 0
    messages: int = 0
    bytes: int = 0
    requests: int = 0
    prompt_tokens: int = 0
    output_tokens: int = 0
    unbilled: int = 0
