"""The prompt of an answer: what was said before, documents, and what the window makes of it."""

from typing import Any, Final

from msgspec import Struct

from token_tracking.window import DoesNotFitError, InvalidBudgetError, InvalidConversationError
from token_tracking.window.prepared import Prepared
from token_tracking_server.gateway.agents.values import Agent
from token_tracking_server.gateway.conversations.sources import Searched, Sources
from token_tracking_server.gateway.conversations.values import Message
from token_tracking_server.gateway.conversations.windows import Kept, Windows
from token_tracking_server.gateway.errors import BadRequestError
from token_tracking_server.gateway.exchanges import Answer, Ask, Exchanges

LONGEST_HISTORY: Final = 32_000_000
"""Characters: about the most that providers take in one request."""


class Prompt(Struct, frozen=True, kw_only=True):
    """A prepared prompt, and where its documents stand."""

    prepared: Prepared
    sources: list[str]

    @property
    def notes(self) -> list[str]:
        """What the window did, and why; of what it left undone, why documents did not come."""
        return [
            f"{action.policy}: {action.what} ({action.why})"
            for action in self.prepared.actions
            if action.is_done or action.policy == "documents"
        ]


class Preparing:
    """Prepares the prompts of conversations."""

    def __init__(self, exchanges: Exchanges, windows: Windows, sources: Sources) -> None:
        self._exchanges = exchanges
        self._windows = windows
        self._sources = sources

    def window(self, conversation_id: str, agent: Agent, ask: Ask) -> Kept:
        """The window of a conversation with an agent.

        Raises:
            BadRequestError: the agent's budget makes no sense, or it has an unknown strategy.
        """
        try:
            return self._windows.of(conversation_id, agent, ask.upstream)
        except InvalidBudgetError as error:
            raise BadRequestError(f"The agent {agent.name!r} cannot answer: {error}") from error

    async def prompt(
        self, kept: Kept, history: list[Message], content: str, ask: Ask, summaries: list[Answer]
    ) -> Prompt:
        """The prompt of an answer. Answers to summaries that were asked go to `summaries`, also
        where it fails: they are billed.

        Raises:
            BadRequestError: it does not fit the agent's budget.
        """
        agent = kept.agent
        if sum(len(message.content) for message in history) > LONGEST_HISTORY:
            raise BadRequestError(
                f"The conversation has more than {LONGEST_HISTORY:,} characters: clear it, or begin"
                " a new one."
            )

        async def send(ask: Ask) -> Answer:
            answer = await self._exchanges.send(ask)
            summaries.append(answer)
            return answer

        searched = Searched(self._sources, agent.category) if agent.has_documents else None
        messages = [{"role": each.role, "content": each.content} for each in history]
        messages.append({"role": "user", "content": content})
        kept.summariser.asked_by(ask, send)
        try:
            prepared = await kept.window.prepare(agent.system or None, messages, documents=searched)
        except (DoesNotFitError, InvalidConversationError) as error:
            raise BadRequestError(
                f"The message cannot be answered within the budget of the agent {agent.name!r}:"
                f" {error}"
            ) from error
        finally:
            kept.summariser.forget()
        kept.tally.count(kept.window, prepared, len(messages))
        last = _text(prepared.messages[-1].get("content"))
        sources = searched.used_in(last) if searched else []
        return Prompt(prepared=prepared, sources=sources)


def _text(content: Any) -> str:
    if isinstance(content, str):
        return content
    return "\n".join(str(block.get("text", "")) for block in content or ())
