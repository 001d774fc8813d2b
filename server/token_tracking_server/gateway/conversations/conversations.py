"""`Conversations`: what the routes ask for."""

from contextlib import AsyncExitStack
from types import TracebackType
from typing import Final, Self

from starlette.types import Receive, Scope

from token_tracking_server.gateway.agents.checks import upstream_of
from token_tracking_server.gateway.agents.routes import agents_of
from token_tracking_server.gateway.conversations.answering import Answering, in_any_case
from token_tracking_server.gateway.conversations.asking import ask_of
from token_tracking_server.gateway.conversations.callers import caller_of, while_there
from token_tracking_server.gateway.conversations.models import MessageIn
from token_tracking_server.gateway.conversations.preparing import Preparing
from token_tracking_server.gateway.conversations.sources import Sources
from token_tracking_server.gateway.conversations.store import ConversationStore
from token_tracking_server.gateway.conversations.streaming import AnswerEvents
from token_tracking_server.gateway.conversations.underway import Question, Underway
from token_tracking_server.gateway.conversations.values import Answered
from token_tracking_server.gateway.conversations.windows import Windows
from token_tracking_server.gateway.services import Services


class Conversations:
    """The conversations of one gateway, for as long as it runs."""

    def __init__(self, services: Services) -> None:
        self.store: Final = ConversationStore(services.histories.database)
        self.agents: Final = agents_of(services)
        self._upstreams = services.upstreams
        self._gauges = services.gauges
        self._at_end = AsyncExitStack()
        self.windows: Final = Windows(
            services.prices, services.config.default_strategy, services.gauges
        )
        self._answering = Answering(
            exchanges=services.exchanges,
            store=self.store,
            windows=self.windows,
            preparing=Preparing(
                services.exchanges, self.windows, Sources(services.settings, self._at_end)
            ),
            prices=services.prices,
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._at_end.aclose()

    async def question(self, conversation_id: str, given: MessageIn, scope: Scope) -> Question:
        """A message to be answered.

        Raises:
            UnknownConversationError, UnknownAgentError: there is none of this id or name.
        """
        conversation = await self.store.get(conversation_id)
        agent, _ = await self.agents.get(given.agent or conversation.agent)
        return Question(
            conversation=conversation,
            agent=agent,
            content=given.content,
            ask=ask_of(
                agent,
                upstream_of(agent, self._upstreams),
                caller_of(scope),
                conversation_id=conversation_id,
                user=conversation.user,
                is_stream=given.stream,
            ),
        )

    async def answered(self, question: Question, receive: Receive) -> Answered:
        """The whole answer.

        Raises:
            CallerGoneError: the caller went away before.
            GatewayError: there is none.
        """
        return await while_there(receive, self._answered(question))

    async def streamed(self, question: Question, receive: Receive) -> AnswerEvents:
        """The answer as a response that streams it. Raises as `answered`, as long as nothing is
        written."""
        held = AsyncExitStack()
        try:
            underway = await while_there(receive, self._begun(question, held))
        except BaseException:
            await in_any_case(held.aclose())
            raise
        return AnswerEvents(underway, held, self._gauges)

    async def clear(self, conversation_id: str) -> int:
        """Delete a conversation's messages; how many there were.

        Raises:
            ConversationBusyError: one is being answered.
            UnknownConversationError: there is no such conversation.
        """
        with self._answering.alone(conversation_id):
            cleared = await self.store.clear(conversation_id)
            self.windows.forget(conversation_id)
            return cleared

    async def delete(self, conversation_id: str) -> None:
        """Delete all of a conversation. An answer under way is not kept.

        Raises:
            UnknownConversationError: there is no such conversation.
        """
        await self.store.delete(conversation_id)
        self.windows.forget(conversation_id)

    async def _answered(self, question: Question) -> Answered:
        async with self._answering.answer(question) as underway:
            async for _ in underway.texts():
                pass
            return await underway.keep()

    async def _begun(self, question: Question, held: AsyncExitStack) -> Underway:
        return await held.enter_async_context(self._answering.answer(question))
