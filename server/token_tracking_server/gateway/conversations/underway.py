"""`Underway`: an answer while it is written, until it is kept or given up."""

import asyncio
from collections.abc import AsyncGenerator, Iterator
from contextlib import suppress
from typing import Any

from msgspec import Struct

from token_tracking.errors import TokenTrackingError
from token_tracking.pricing import PriceBook
from token_tracking.sources.replies.values import Reply
from token_tracking_server.gateway.agents.values import Agent
from token_tracking_server.gateway.conversations.bills import bill_of
from token_tracking_server.gateway.conversations.errors import AnswerFailedError
from token_tracking_server.gateway.conversations.preparing import Prompt
from token_tracking_server.gateway.conversations.refusals import broken
from token_tracking_server.gateway.conversations.store import ConversationStore
from token_tracking_server.gateway.conversations.texts import AnswerText
from token_tracking_server.gateway.conversations.values import (
    Answered,
    Bill,
    Conversation,
    Message,
)
from token_tracking_server.gateway.conversations.windows import Kept, Windows
from token_tracking_server.gateway.errors import UpstreamBrokeError
from token_tracking_server.gateway.exchanges import Answer, Ask


class Question(Struct, frozen=True, kw_only=True):
    """What is to be answered, by whom; `ask` is the request for it, still without its prompt."""

    conversation: Conversation
    agent: Agent
    content: str
    ask: Ask


class Underway:
    """One answer: its `texts` come first, then it is to `keep`, and always to `close`."""

    def __init__(
        self, question: Question, store: ConversationStore, windows: Windows, prices: PriceBook
    ) -> None:
        self.question = question
        self.history: list[Message] = []
        self.summaries: list[Answer] = []
        self.kept: Kept | None = None
        self.prompt: Prompt | None = None
        self.answer: Answer | None = None
        self._store = store
        self._windows = windows
        self._prices = prices
        self._text: AnswerText | None = None
        self._keeping: asyncio.Task[Answered] | None = None

    async def texts(self) -> AsyncGenerator[str]:
        """Its text, as it is written.

        Raises:
            AnswerFailedError: it broke off, or cannot be read.
        """
        assert self.answer is not None
        text = self._text = AnswerText(self.question.ask.form, self.answer.headers)
        try:
            async for chunk in self.answer.chunks:
                if written := text.feed(chunk):
                    yield written
                if text.problem is not None:
                    break
        except UpstreamBrokeError as error:
            raise self._broken("the connection broke") from error
        if written := text.finish():
            yield written
        if text.problem is not None:
            raise self._broken(text.problem)

    async def keep(self) -> Answered:
        """Store the question with its answer, which has come to its end.

        Raises:
            AnswerFailedError: it is not whole, was refused by the model, or has no text.
            ConversationBusyError, UnknownConversationError: the conversation changed meanwhile.
        """
        text = self._whole_text()
        self._keeping = asyncio.ensure_future(self._keep(text))
        return await asyncio.shield(self._keeping)

    async def close(self) -> None:
        """Let go of the upstream. What was billed for what is not kept is kept by itself."""
        if self.answer is not None:
            await self.answer.aclose()
        is_kept = False
        if self._keeping is not None:
            with suppress(TokenTrackingError):  # who waited for it was told
                await self._keeping
                is_kept = True
        if not is_kept:
            # What the window knows of the question is not so any more.
            self._windows.forget(self.question.conversation.id)
        for bill in self._other_bills(is_kept=is_kept):
            await self._store.bill(self.question.conversation.id, self.question.agent.name, bill)

    async def _keep(self, text: str) -> Answered:
        assert self.kept is not None
        assert self.prompt is not None
        assert self.answer is not None
        question, replies = self.question, self.answer.replies
        bill = bill_of(replies, question.ask.call, self._prices)
        message = await self._store.append(
            question.conversation.id,
            question.content,
            text,
            agent=question.agent.name,
            bill=bill,
            after=self.history[-1].position if self.history else -1,
        )
        if replies:
            self.kept.window.observe(_observed(replies[0]))
        return Answered(
            message=message,
            bill=bill,
            parts=self.prompt.prepared.tokens,
            stop_reason=replies[0].stop_reason if replies else None,
            sources=self.prompt.sources,
            notes=self.prompt.notes,
            history_length=len(self.history),
        )

    def _whole_text(self) -> str:
        assert self.answer is not None
        text = self._text
        if text is None or not text.is_whole or not self.answer.is_complete:
            raise self._broken("it ended before the answer did")
        reason = self.answer.replies[0].stop_reason if self.answer.replies else None
        if reason == "refusal":
            raise AnswerFailedError(
                f"The model {self.question.agent.model} refused to answer (stop reason: refusal)."
                " The conversation is as it was: say it in other words."
            )
        if not text.text.strip():
            raise self._broken(f"the model wrote no text (stop reason: {reason})")
        return text.text

    def _other_bills(self, *, is_kept: bool) -> Iterator[Bill]:
        """Those of summaries, and of an answer that is not kept. Errors are not billed."""
        call = self.question.ask.call
        for summary in self.summaries:
            if summary.status == 200:
                yield bill_of(
                    summary.replies,
                    call,
                    self._prices,
                    kind="summary",
                    is_whole=summary.is_complete,
                )
        if self.answer is not None and self.answer.status == 200 and not is_kept:
            yield bill_of(self.answer.replies, call, self._prices, is_whole=False)

    def _broken(self, problem: str) -> AnswerFailedError:
        return broken(self.question.ask, problem)


def _observed(reply: Reply) -> dict[str, Any]:
    """What was billed, as the window reads it; of the answer the share that stays in the history,
    which is its visible text."""
    usage = reply.usage
    if usage is None:
        return {}
    visible, hidden = reply.text_bytes, reply.thinking_bytes
    share = visible / (visible + hidden) if visible and hidden else 1.0
    return {
        "input_tokens": usage.input_tokens,
        "cache_read_input_tokens": usage.cache_read_tokens,
        "cache_creation_input_tokens": usage.cache_write_tokens,
        "cache_creation": {"ephemeral_1h_input_tokens": usage.cache_write_1h_tokens},
        "output_tokens": round(usage.output_tokens * share),
    }
