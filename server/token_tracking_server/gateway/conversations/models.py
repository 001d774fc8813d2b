"""Conversations as the API tells them."""

import json
from datetime import datetime
from typing import Annotated, Any, Final, Literal, Self

import msgspec
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from token_tracking.pricing import usd
from token_tracking_server.gateway.agents.models import AgentName
from token_tracking_server.gateway.conversations.values import (
    Answered,
    Conversation,
    Message,
    Sums,
)

LONGEST_MESSAGE: Final = 4_000_000
"""Characters: more than any model's window."""

MOST_METADATA: Final = 16 * 1024
"""Bytes of JSON."""

Moment = Annotated[datetime, Field(description="UTC, as ISO 8601.")]

Usd = Annotated[
    float | None,
    Field(description="USD, exact to a millionth of a millionth up to 9,007 USD; null: unknown."),
]


def _told(text: str) -> str:
    if not text.strip():
        raise ValueError("it says nothing")
    return text


def _kept(metadata: dict[str, Any]) -> dict[str, Any]:
    try:
        json.dumps(metadata, allow_nan=False)
    except ValueError:
        raise ValueError("it has a number that JSON cannot hold: NaN, or beyond 1e308") from None
    except RecursionError:
        raise ValueError("it is nested too deep") from None
    if len(msgspec.json.encode(metadata)) > MOST_METADATA:
        raise ValueError(f"it has more than {MOST_METADATA:,} bytes")
    return metadata


UserName = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(_told)]


class ConversationIn(BaseModel):
    """A conversation to begin."""

    model_config = ConfigDict(extra="forbid")

    user: UserName = Field(description="Whose it is: metrics and quotas are by user.")
    agent: AgentName = Field(description="Who answers, where a message names no one else.")
    title: Annotated[str, Field(max_length=500)] | None = None
    metadata: Annotated[dict[str, Any], AfterValidator(_kept)] = Field(
        default_factory=dict, description="The caller's own, kept as it is."
    )


class MessageIn(BaseModel):
    """What the user says."""

    model_config = ConfigDict(extra="forbid")

    content: Annotated[str, Field(min_length=1, max_length=LONGEST_MESSAGE), AfterValidator(_told)]
    agent: AgentName | None = Field(
        None, description="Who answers, by default the conversation's agent."
    )
    stream: bool = Field(
        False,
        description="Answer as server-sent events: `delta` (`{text}`) as the model writes, then"
        " `message` (what is answered without `stream`), or `error` (`{detail, status}`).",
    )


class ConversationOut(BaseModel):
    """A conversation, without its messages."""

    id: str
    user: str
    agent: str
    title: str | None
    metadata: dict[str, Any]
    message_count: int
    created_at: Moment
    updated_at: Moment

    @classmethod
    def of(cls, conversation: Conversation) -> Self:
        """As it is stored."""
        return cls(**msgspec.structs.asdict(conversation))


class ConversationList(BaseModel):
    """Conversations, those that were last spoken in first."""

    conversations: list[ConversationOut]


class MessageOut(BaseModel):
    """A message. `agent` is the one that answered, null for what the user said."""

    id: str
    position: int
    role: Literal["user", "assistant"]
    content: str
    agent: str | None
    created_at: Moment

    @classmethod
    def of(cls, message: Message) -> Self:
        """As it is stored."""
        return cls(**msgspec.structs.asdict(message))


class TranscriptOut(ConversationOut):
    """A conversation with its newest messages, the oldest of them first."""

    messages: list[MessageOut]
    has_more: bool = Field(description="Whether there are older messages: `before` asks for them.")


class BreakdownOut(BaseModel):
    """The prompt by part, in tokens, as the window manager counted them (estimated). With
    `unattributed`, what was billed beyond their sum (below 0 where they were counted too high),
    they are `prompt_tokens`."""

    system: int
    history: int
    rag: int = Field(description="Documents of the content library.")
    user: int
    unattributed: int | None
    basis: Literal["estimated"] = "estimated"
    error_p95: float | None = Field(
        description="Relative, of the sum of what is counted; null where none was measured, and"
        " from the first billed answer on, whose figures the counts go on from."
    )


class MetadataOut(BaseModel):
    """What an answer took: tokens as they were billed, null where no usage was told."""

    tokens_used: int | None = Field(description="Prompt and completion together.")
    prompt_tokens: int | None
    completion_tokens: int | None
    cost: Usd
    model: str | None
    stop_reason: str | None = Field(description="In the upstream's word.")
    sources_used: list[str] = Field(description="Where the documents in the prompt stand.")
    history_length: int = Field(description="Messages that stood before the question.")
    breakdown: BreakdownOut
    notes: list[str] = Field(description="What the window manager did to the prompt, and why.")

    @classmethod
    def of(cls, answered: Answered) -> Self:
        """Of an answer."""
        bill, parts = answered.bill, answered.parts
        prompt, completion = bill.prompt_tokens, bill.completion_tokens
        counted = parts.system + parts.history + parts.documents + parts.user
        return cls(
            tokens_used=None if prompt is None or completion is None else prompt + completion,
            prompt_tokens=prompt,
            completion_tokens=completion,
            cost=usd_number(bill.cost),
            model=bill.model,
            stop_reason=answered.stop_reason,
            sources_used=answered.sources,
            history_length=answered.history_length,
            breakdown=BreakdownOut(
                system=parts.system,
                history=parts.history,
                rag=parts.documents,
                user=parts.user,
                unattributed=None if prompt is None else prompt - counted,
                # Later it is that of the total, most of which was billed.
                error_p95=parts.error_p95 or None if parts.overhead == 0 else None,
            ),
            notes=answered.notes,
        )


class AnswerOut(BaseModel):
    """A whole answer."""

    message: MessageOut
    metadata: MetadataOut

    @classmethod
    def of(cls, answered: Answered) -> Self:
        """As it was kept."""
        return cls(message=MessageOut.of(answered.message), metadata=MetadataOut.of(answered))


class ClearedOut(BaseModel):
    """What a conversation lost. Its bills stay."""

    id: str
    messages_cleared: int


class MetricsOut(BaseModel):
    """Sums of what was billed for answers and summaries, those of cleared messages among them."""

    answers: int = Field(description="Answers that were asked for and not refused.")
    summaries: int = Field(description="Summaries of earlier turns, written for answers.")
    broken: int = Field(description="Those that became no message: they broke off, or had no text.")
    unbilled: int = Field(description="Those that told no usage, and are in no sum of tokens.")
    unpriced: int = Field(description="Those that are not in `cost`.")
    prompt_tokens: int
    completion_tokens: int
    tokens_used: int
    cost: Usd


class ConversationMetricsOut(MetricsOut):
    """The sums of one conversation."""

    id: str
    history_length: int = Field(description="Messages that it has now.")


class TotalMetricsOut(MetricsOut):
    """The sums of a user's conversations, or of all where `user` is null. What was deleted is in
    none: the ledger still has it."""

    user: str | None
    conversations: int


def summed(sums: Sums) -> dict[str, Any]:
    """The fields of `MetricsOut`."""
    return {
        **msgspec.structs.asdict(sums),
        "tokens_used": sums.prompt_tokens + sums.completion_tokens,
        "cost": usd_number(sums.cost),
    }


def usd_number(pico_usd: int | None) -> float | None:
    """Pico-USD as the number that JSON has: the nearest one, which rounds back to the same
    pico-USD below 2**53 of them."""
    return None if pico_usd is None else float(usd(pico_usd))
