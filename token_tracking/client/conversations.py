"""What the gateway tells of conversations and agents.

Tokens are what the provider billed, where a field does not say otherwise. Costs are USD, exact to
a millionth of a millionth up to 9,007 USD; `None` stands for what is not known.
"""

from datetime import datetime
from typing import Any, Literal

from msgspec import Struct


class Agent(Struct, frozen=True, kw_only=True):
    """Who answers: a model behind an upstream, within a budget (tokens; `None`: as much as the
    model's window has room for). `source` is `configuration` or `stored`: only the latter can be
    changed. `strategy` is that of the window manager, `None` the gateway's own."""

    name: str
    model: str
    upstream: str | None = None
    system: str | None = None
    strategy: str | None = None
    category: str | None = None
    max_context_tokens: int | None = 6000
    max_history_tokens: int | None = 3000
    max_rag_tokens: int | None = 1500
    max_output_tokens: int | None = 1000
    enable_summarization: bool = True
    summarize_threshold: float = 0.8
    source: Literal["configuration", "stored"] = "stored"


class Conversation(Struct, frozen=True, kw_only=True):
    """A conversation, without its messages."""

    id: str
    user: str
    agent: str
    title: str | None
    metadata: dict[str, Any]
    message_count: int
    created_at: datetime
    updated_at: datetime


class Message(Struct, frozen=True, kw_only=True):
    """One message. `agent` is the one that answered, `None` for what the user said."""

    id: str
    position: int
    role: Literal["user", "assistant"]
    content: str
    agent: str | None
    created_at: datetime


class Transcript(Conversation, frozen=True, kw_only=True):
    """A conversation with its messages, the oldest first; `has_more` says that there are older
    ones, which `before` (a position) asks for."""

    messages: list[Message]
    has_more: bool


class Breakdown(Struct, frozen=True, kw_only=True):
    """The prompt by part, in tokens, as the window manager counted them: the system prompt, the
    messages before, documents (`rag`) and the user's message.

    `unattributed` is what was billed beyond their sum (below 0 where they were counted too high):
    all five together are `prompt_tokens`. `basis` is `estimated`; `error_p95` is the relative error
    of the count, where one was measured and nothing of the conversation was billed before.
    """

    system: int
    history: int
    rag: int
    user: int
    unattributed: int | None
    basis: str
    error_p95: float | None


class AnswerMetadata(Struct, frozen=True, kw_only=True):
    """What an answer took. `tokens_used` is `prompt_tokens` and `completion_tokens` together.
    `cost` is USD, `None` where no price of the model is known. `sources_used` are the addresses of
    the documents that went with the question; `history_length` is the number of messages that the
    conversation had before it; `notes` what the window manager did to the prompt, and why."""

    tokens_used: int | None
    prompt_tokens: int | None
    completion_tokens: int | None
    cost: float | None
    model: str | None
    stop_reason: str | None
    sources_used: list[str]
    history_length: int
    breakdown: Breakdown
    notes: list[str]


class Answer(Struct, frozen=True, kw_only=True):
    """A whole answer: the last event of a stream, or what is sent at once."""

    message: Message
    metadata: AnswerMetadata


class Delta(Struct, frozen=True, kw_only=True):
    """The next part of an answer's text, as the model wrote it."""

    text: str


class Cleared(Struct, frozen=True, kw_only=True):
    """How many messages were taken out of a conversation."""

    id: str
    messages_cleared: int


class Metrics(Struct, frozen=True, kw_only=True):
    """The sums of what answers, and summaries written for them, were billed, those of messages
    that were cleared among them.

    `broken` ones became no message: they broke off, or had no text. `unbilled` ones told no usage,
    and are in no sum of tokens; `unpriced` ones are not in `cost` (USD), which is `None` where
    nothing is priced.
    """

    answers: int
    summaries: int
    broken: int
    unbilled: int
    unpriced: int
    prompt_tokens: int
    completion_tokens: int
    tokens_used: int
    cost: float | None


class ConversationMetrics(Metrics, frozen=True, kw_only=True):
    """The sums of one conversation, and the number of messages that it has now."""

    id: str
    history_length: int


class TotalMetrics(Metrics, frozen=True, kw_only=True):
    """The sums of a user's conversations, or of all of them (`user` is `None`)."""

    user: str | None
    conversations: int
