"""`/conversations` of the gateway's own API."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Annotated, Any

from fastapi import APIRouter, FastAPI, Path, Query, Request, Response

from token_tracking_server.gateway.conversations.callers import CallerGoneError
from token_tracking_server.gateway.conversations.conversations import Conversations
from token_tracking_server.gateway.conversations.models import (
    AnswerOut,
    ClearedOut,
    ConversationIn,
    ConversationList,
    ConversationMetricsOut,
    ConversationOut,
    MessageIn,
    MessageOut,
    TotalMetricsOut,
    TranscriptOut,
    UserName,
    summed,
)
from token_tracking_server.gateway.services import Services

ID_PATTERN = r"^[A-Za-z0-9_-]{1,64}$"
NOBODY = 499
"""The status for who went away, in nginx' way: nobody reads it."""

Id = Annotated[str, Path(pattern=ID_PATTERN, description="The conversation's id.")]
User = Annotated[UserName | None, Query(description="Only those of one user.")]
Limit = Annotated[int, Query(ge=1, le=1000)]
Offset = Annotated[int, Query(ge=0, le=1_000_000)]
Before = Annotated[
    int | None, Query(ge=0, le=2**31, description="Only messages before this position.")
]

_STREAM: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The answer; with `stream`, its events.",
        "content": {"text/event-stream": {"schema": {"type": "string"}}},
    }
}


def conversations_router(services: Services) -> APIRouter:
    """Conversations, their messages, and what they were billed."""
    conversations = Conversations(services)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncGenerator[None]:
        async with conversations:
            yield

    router = APIRouter(prefix="/conversations", tags=["conversations"], lifespan=lifespan)
    _add_lists(router, conversations)
    _add_metrics(router, conversations)
    _add_one(router, conversations)
    _add_messages(router, conversations)
    return router


def _add_lists(router: APIRouter, conversations: Conversations) -> None:
    store = conversations.store

    @router.post("", status_code=201, summary="Begin a conversation")
    async def create_conversation(given: ConversationIn) -> ConversationOut:
        await conversations.agents.get(given.agent)
        made = await store.add(given.user, given.agent, given.title, given.metadata)
        return ConversationOut.of(made)

    @router.get("", summary="Conversations, those that were last spoken in first")
    async def list_conversations(
        user: User = None, limit: Limit = 50, offset: Offset = 0
    ) -> ConversationList:
        found = await store.list(user, limit, offset)
        return ConversationList(conversations=[ConversationOut.of(each) for each in found])

    _ = (create_conversation, list_conversations)


def _add_metrics(router: APIRouter, conversations: Conversations) -> None:
    """The total comes first: else it would be the metrics of a conversation."""
    store = conversations.store

    @router.get("/metrics/total", summary="What a user's conversations were billed")
    async def total_metrics(user: User = None) -> TotalMetricsOut:
        count, sums = await store.total(user)
        return TotalMetricsOut(user=user, conversations=count, **summed(sums))

    @router.get("/{conversation_id}/metrics", summary="What a conversation was billed")
    async def conversation_metrics(conversation_id: Id) -> ConversationMetricsOut:
        conversation = await store.get(conversation_id)
        return ConversationMetricsOut(
            id=conversation.id,
            history_length=conversation.message_count,
            **summed(await store.sums(conversation_id)),
        )

    _ = (total_metrics, conversation_metrics)


def _add_one(router: APIRouter, conversations: Conversations) -> None:
    store = conversations.store

    @router.get("/{conversation_id}", summary="A conversation with its newest messages")
    async def get_conversation(
        conversation_id: Id, limit: Limit = 1000, before: Before = None
    ) -> TranscriptOut:
        conversation = await store.get(conversation_id)
        messages = await store.messages(conversation_id, limit, before)
        return TranscriptOut(
            **ConversationOut.of(conversation).model_dump(),
            messages=[MessageOut.of(each) for each in messages],
            has_more=bool(messages) and messages[0].position > 0,
        )

    @router.delete("/{conversation_id}", status_code=204, summary="Delete all of a conversation")
    async def delete_conversation(conversation_id: Id) -> Response:
        await conversations.delete(conversation_id)
        return Response(status_code=204)

    @router.post("/{conversation_id}/clear", summary="Delete a conversation's messages")
    async def clear_conversation(conversation_id: Id) -> ClearedOut:
        cleared = await conversations.clear(conversation_id)
        return ClearedOut(id=conversation_id, messages_cleared=cleared)

    _ = (get_conversation, delete_conversation, clear_conversation)


def _add_messages(router: APIRouter, conversations: Conversations) -> None:
    @router.post(
        "/{conversation_id}/messages",
        summary="Say something, and be answered",
        response_model=AnswerOut,
        responses=_STREAM,
    )
    async def send_message(
        conversation_id: Id, given: MessageIn, request: Request
    ) -> AnswerOut | Response:
        question = await conversations.question(conversation_id, given, request.scope)
        try:
            if given.stream:
                return await conversations.streamed(question, request.receive)
            return AnswerOut.of(await conversations.answered(question, request.receive))
        except CallerGoneError:
            return Response(status_code=NOBODY)

    _ = send_message
