"""What is kept of a conversation. Times are milliseconds since 1970 UTC."""

from typing import Any, Literal

from msgspec import Struct

from token_tracking.window.prepared import Tokens


class Conversation(Struct, frozen=True, kw_only=True):
    """A conversation, without its messages. `metadata` is the caller's own."""

    id: str
    user: str
    agent: str
    title: str | None
    metadata: dict[str, Any]
    message_count: int
    created_at: int
    updated_at: int


class Message(Struct, frozen=True, kw_only=True):
    """One message. `agent` is the one that answered, `None` for what the user said. `position`
    orders the messages of a conversation."""

    id: str
    position: int
    role: Literal["user", "assistant"]
    content: str
    agent: str | None
    created_at: int


class Bill(Struct, frozen=True, kw_only=True):
    """What the upstream billed for one response: tokens and pico-USD. `None` is not known: no usage
    was told, or there is no price. What is not whole is no message: it broke off, or had no text,
    or nobody waited for it."""

    model: str | None
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    cost: int | None = None
    kind: Literal["answer", "summary"] = "answer"
    is_whole: bool = True


class Answered(Struct, frozen=True, kw_only=True):
    """A whole answer, as it was stored, with what it took. `parts` are the prompt's, counted;
    `sources` the addresses of its documents; `notes` what the window manager did, and why;
    `history_length` is the number of messages that stood before the question."""

    message: Message
    bill: Bill
    parts: Tokens
    stop_reason: str | None
    sources: list[str]
    notes: list[str]
    history_length: int


class Sums(Struct, frozen=True, kw_only=True):
    """The bills of `answers` and `summaries`: tokens and pico-USD. `broken` ones did not become a
    message; `unbilled` ones told no usage, and are in no sum; `unpriced` ones are not in `cost`,
    which is `None` where there are bills and none is priced."""

    answers: int
    summaries: int
    broken: int
    unbilled: int
    unpriced: int
    prompt_tokens: int
    completion_tokens: int
    cost: int | None
