"""`POST /tokens/count`."""

import asyncio
from typing import Annotated, Any, Final, Self

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field, JsonValue, model_validator
from starlette.exceptions import HTTPException

from token_tracking.counting import TokenCount, count_tokens
from token_tracking.window.building import MESSAGE_TOKENS
from token_tracking.window.forms import form_of
from token_tracking.window.laws.reading import read
from token_tracking_server.gateway.services import Services

LONGEST_TEXT: Final = 4_000_000
"""Characters: a second of counting."""

_MOST_MESSAGES: Final = 20_000

_EITHER: Final[list[JsonValue]] = [
    {"required": ["text"], "properties": {"text": {"type": "string"}}},
    {"required": ["messages"], "properties": {"messages": {"type": "array"}}},
]


class CountRequest(BaseModel):
    """A text, or messages in either form, and the model that they are for."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"oneOf": _EITHER})

    text: Annotated[str, Field(max_length=LONGEST_TEXT)] | None = None
    messages: Annotated[list[dict[str, Any]], Field(max_length=_MOST_MESSAGES)] | None = None
    model: Annotated[str, Field(min_length=1, max_length=200)] | None = Field(
        None, description="Without it the newest Claude models are meant."
    )

    @model_validator(mode="after")
    def _is_one(self) -> Self:
        if (self.text is None) == (self.messages is None):
            raise ValueError("give either text or messages")
        return self


class CountResponse(BaseModel):
    """How many tokens, and how that is known."""

    tokens: int
    method: str
    exact: bool = Field(description="Whether the model's own tokenizer counted.")
    error_p95: float | None = Field(
        description="Relative (0.084: nineteen in twenty were within 8.4%); null: not measured."
    )


def tokens_router(services: Services) -> APIRouter:
    """Counting, without the network."""
    del services
    router = APIRouter(prefix="/tokens", tags=["tokens"])

    @router.post("/count", summary="How many tokens a text or messages have")
    async def count(request: CountRequest) -> CountResponse:
        found = await asyncio.to_thread(_count, request)
        return CountResponse(
            tokens=found.tokens,
            method=found.method,
            exact=found.exact,
            error_p95=found.error_p95,
        )

    _ = count
    return router


def _count(request: CountRequest) -> TokenCount:
    if request.text is not None:
        return count_tokens(request.text, request.model)
    messages = request.messages or []
    reading, fault = read(messages, form_of(messages))
    if fault is not None:
        raise HTTPException(422, f"messages: {fault[1]}.")
    blocks = [block for blocks in reading.blocks for block in blocks]
    texts = "\n".join(block.text for block in blocks if block.text)
    if len(texts) > LONGEST_TEXT:
        raise HTTPException(422, f"messages: they have more than {LONGEST_TEXT:,} characters.")
    counted = count_tokens(texts, request.model)
    flat = sum(block.flat_tokens for block in blocks)
    return TokenCount(
        tokens=counted.tokens + flat + MESSAGE_TOKENS * len(messages),
        method=f"{counted.method}, and {MESSAGE_TOKENS} for each message",
        exact=False,
        error_p95=None if counted.exact else counted.error_p95,
    )
