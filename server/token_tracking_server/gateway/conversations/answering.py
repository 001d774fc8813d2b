"""A message of the user, answered and kept."""

import asyncio
from collections.abc import AsyncGenerator, Coroutine, Generator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

from token_tracking.pricing import PriceBook
from token_tracking_server.gateway.conversations.asking import with_prompt
from token_tracking_server.gateway.conversations.errors import ConversationBusyError
from token_tracking_server.gateway.conversations.preparing import Preparing
from token_tracking_server.gateway.conversations.refusals import broken, refusal_of
from token_tracking_server.gateway.conversations.store import ConversationStore
from token_tracking_server.gateway.conversations.underway import Question, Underway
from token_tracking_server.gateway.conversations.windows import Windows
from token_tracking_server.gateway.errors import UpstreamBrokeError
from token_tracking_server.gateway.exchanges import Exchanges


class Answering:
    """Answers messages, one of a conversation at a time."""

    def __init__(
        self,
        *,
        exchanges: Exchanges,
        store: ConversationStore,
        windows: Windows,
        preparing: Preparing,
        prices: PriceBook,
    ) -> None:
        self._store = store
        self._windows = windows
        self._prices = prices
        self._exchanges = exchanges
        self._preparing = preparing
        self._busy: set[str] = set()

    @contextmanager
    def alone(self, conversation_id: str) -> Generator[None]:
        """Nobody else answers or clears the conversation meanwhile.

        Raises:
            ConversationBusyError: somebody does.
        """
        if conversation_id in self._busy:
            raise ConversationBusyError(
                "Another message of this conversation is being answered: wait for its answer, or"
                " end it, then send this again.",
                headers={"retry-after": "1"},
            )
        self._busy.add(conversation_id)
        try:
            yield
        finally:
            self._busy.discard(conversation_id)

    @asynccontextmanager
    async def answer(self, question: Question) -> AsyncGenerator[Underway]:
        """The answer, under way. Who leaves before it is kept ends it, and the conversation is as
        it was; what was billed until then is kept.

        Raises:
            GatewayError: another message is being answered, the prompt does not fit, or the
                upstream does not answer.
        """
        with self.alone(question.conversation.id):
            underway = Underway(question, self._store, self._windows, self._prices)
            try:
                await self._begin(underway)
                yield underway
            finally:
                # Also where the caller is gone and this is cancelled: the upstream is to be told.
                await in_any_case(underway.close())

    async def _begin(self, underway: "Underway") -> None:
        question = underway.question
        conversation_id = question.conversation.id
        underway.history = await self._store.messages(conversation_id)
        underway.kept = self._preparing.window(conversation_id, question.agent, question.ask)
        prompt = await self._preparing.prompt(
            underway.kept, underway.history, question.content, question.ask, underway.summaries
        )
        underway.prompt = prompt
        try:
            answer = await self._exchanges.send(with_prompt(question.ask, prompt.prepared))
        except UpstreamBrokeError as error:
            raise broken(question.ask, "the connection broke") from error
        underway.answer = answer
        if answer.status != 200:
            raise await refusal_of(answer, question.ask)


async def in_any_case(work: Coroutine[Any, Any, None]) -> None:
    """Do something to its end, also where whoever waits for it is cancelled meanwhile."""
    task = asyncio.ensure_future(work)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait({task})
        raise
