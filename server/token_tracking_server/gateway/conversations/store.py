"""Conversations in `gateway.db`: what was said, and what it was billed."""

import time
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import msgspec

from token_tracking_server.gateway.conversations.errors import (
    ConversationBusyError,
    UnknownConversationError,
)
from token_tracking_server.gateway.conversations.queries import (
    ADD_BILL,
    ADD_CONVERSATION,
    ADD_MESSAGE,
    CLEAR,
    DELETE,
    LAST_POSITION,
    LIST,
    MESSAGES,
    READ,
    SUMS_OF_CONVERSATION,
    SUMS_OF_USER,
    TOUCH,
)
from token_tracking_server.gateway.conversations.values import Bill, Conversation, Message, Sums
from token_tracking_server.gateway.database import GatewayDatabase


class ConversationStore:
    """The tables of conversations. `clock` gives seconds since 1970.

    Every method raises `StoreError` where the file cannot be used, and those that are given an id
    `UnknownConversationError` where no conversation has it.
    """

    def __init__(self, database: GatewayDatabase, clock: Callable[[], float] = time.time) -> None:
        self._database = database
        self._clock = clock

    async def add(
        self, user: str, agent: str, title: str | None, metadata: dict[str, Any]
    ) -> Conversation:
        """A new conversation."""
        conversation_id, now = new_id("conv"), self._now()
        said = msgspec.json.encode(metadata).decode()
        async with self._database.transaction() as connection:
            await connection.execute(
                ADD_CONVERSATION, (conversation_id, user, agent, title, said, now)
            )
        return Conversation(
            id=conversation_id,
            user=user,
            agent=agent,
            title=title,
            metadata=metadata,
            message_count=0,
            created_at=now,
            updated_at=now,
        )

    async def get(self, conversation_id: str) -> Conversation:
        """One conversation."""
        rows = await self._database.fetch(READ, (conversation_id,))
        if not rows:
            raise _unknown(conversation_id)
        return _conversation(rows[0])

    async def list(self, user: str | None, limit: int, offset: int) -> "list[Conversation]":
        """Conversations (of one user), those that were last spoken in first."""
        rows = await self._database.fetch(LIST, (user, limit, offset))
        return [_conversation(row) for row in rows]

    async def messages(
        self, conversation_id: str, limit: int = -1, before: int | None = None
    ) -> "list[Message]":
        """The newest messages (before a position), the oldest of them first; all by default."""
        rows = await self._database.fetch(MESSAGES, (conversation_id, before, limit))
        return [_message(row) for row in reversed(rows)]

    async def append(
        self,
        conversation_id: str,
        question: str,
        answer: str,
        *,
        agent: str,
        bill: Bill,
        after: int,
    ) -> Message:
        """Keep a question with its answer and bill, behind the message at the position `after`.

        Raises:
            ConversationBusyError: the conversation changed since it was read.
        """
        now = self._now()
        message = Message(
            id=new_id("cmsg"),
            position=after + 2,
            role="assistant",
            content=answer,
            agent=agent,
            created_at=now,
        )
        async with self._database.transaction() as connection:
            rows = list(await connection.execute_fetchall(LAST_POSITION, (conversation_id,)))
            if not rows:
                raise _unknown(conversation_id)
            if rows[0][0] != after:
                raise ConversationBusyError(
                    "The conversation changed while the message was being answered: send it again."
                )
            where = (conversation_id, after + 1, new_id("cmsg"))
            await connection.execute(ADD_MESSAGE, (*where, "user", question, None, now))
            where = (conversation_id, message.position, message.id)
            await connection.execute(ADD_MESSAGE, (*where, "assistant", answer, agent, now))
            await connection.execute(ADD_BILL, _bill(conversation_id, agent, bill, now))
            await connection.execute(TOUCH, (now, conversation_id))
        return message

    async def bill(self, conversation_id: str, agent: str, bill: Bill) -> None:
        """Keep the bill of what becomes no message; nothing where the conversation was deleted
        meanwhile."""
        async with self._database.transaction() as connection:
            if list(await connection.execute_fetchall(READ, (conversation_id,))):
                await connection.execute(ADD_BILL, _bill(conversation_id, agent, bill, self._now()))

    async def clear(self, conversation_id: str) -> int:
        """Delete all messages; how many there were. What was billed stays."""
        await self.get(conversation_id)
        async with self._database.transaction() as connection:
            cursor = await connection.execute(CLEAR, (conversation_id,))
            await connection.execute(TOUCH, (self._now(), conversation_id))
        await self._database.empty_journal()
        return cursor.rowcount

    async def delete(self, conversation_id: str) -> None:
        """Delete it with all that belongs to it."""
        async with self._database.transaction() as connection:
            cursor = await connection.execute(DELETE, (conversation_id,))
        await self._database.empty_journal()
        if cursor.rowcount == 0:
            raise _unknown(conversation_id)

    async def sums(self, conversation_id: str) -> Sums:
        """What the answers of one conversation were billed."""
        rows = await self._database.fetch(SUMS_OF_CONVERSATION, (conversation_id,))
        return _sums(rows[0])

    async def total(self, user: str | None) -> tuple[int, Sums]:
        """How many conversations a user (or everyone) has, and what they were billed."""
        rows = await self._database.fetch(SUMS_OF_USER, (user,))
        return rows[0][0], _sums(rows[0][1:])

    def _now(self) -> int:
        return int(self._clock() * 1000)


def new_id(kind: str) -> str:
    """An id that nobody guesses."""
    return f"{kind}_{uuid4().hex}"


def _unknown(conversation_id: str) -> UnknownConversationError:
    return UnknownConversationError(
        f"There is no conversation {conversation_id!r}: it was deleted, or never existed. GET"
        " /conversations lists those that there are."
    )


def _bill(conversation_id: str, agent: str, bill: Bill, now: int) -> tuple[Any, ...]:
    counts = (bill.prompt_tokens, bill.completion_tokens, bill.cost)
    where = (new_id("bill"), conversation_id, bill.kind, agent, bill.model)
    return (*where, *counts, bill.is_whole, now)


def _conversation(row: tuple[Any, ...]) -> Conversation:
    conversation_id, user, agent, title, metadata, count, created_at, updated_at = row
    return Conversation(
        id=conversation_id,
        user=user,
        agent=agent,
        title=title,
        metadata=msgspec.json.decode(metadata),
        message_count=count,
        created_at=created_at,
        updated_at=updated_at,
    )


def _message(row: tuple[Any, ...]) -> Message:
    message_id, position, role, content, agent, created_at = row
    return Message(
        id=message_id,
        position=position,
        role=role,
        content=content,
        agent=agent,
        created_at=created_at,
    )


def _sums(row: tuple[Any, ...]) -> Sums:
    answers, summaries, broken, unbilled, unpriced, prompt, completion, cost = row
    return Sums(
        answers=answers,
        summaries=summaries,
        broken=broken,
        unbilled=unbilled,
        unpriced=unpriced,
        prompt_tokens=prompt,
        completion_tokens=completion,
        cost=None if 0 < answers + summaries == unpriced else cost,
    )
