"""`GatewayClient`: the gateway's own API, from Python."""

from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any, Final, Self
from urllib.parse import quote

import httpx2
from msgspec import Struct, structs

from token_tracking.client.connection import KEY_HEADER, TOKEN_HEADER, Connection
from token_tracking.client.conversations import (
    Agent,
    Answer,
    Cleared,
    Conversation,
    ConversationMetrics,
    TotalMetrics,
    Transcript,
)
from token_tracking.client.stream import AnswerStream
from token_tracking.client.surroundings import (
    Health,
    Model,
    Session,
    SessionDetail,
    TokenCount,
)

BASE_URL: Final = "http://127.0.0.1:8080"
"""Where `token-tracking gateway` listens by default."""

SECONDS: Final = 600.0
"""How long the gateway may say nothing: as long as the SDKs of the providers wait."""


class GatewayClient:
    """Asks a gateway for conversations, agents, sessions, counts and models.

        async with GatewayClient() as gateway:
            conversation = await gateway.create_conversation(user="ada", agent="helper")
            answer = await gateway.send(conversation.id, "Where did my tokens go?")
            print(answer.message.content, answer.metadata.cost)

    Args:
        base_url: the address that the gateway printed.
        token: the gateway's, where it was started with one.
        api_key: a provider's, for the answers of upstreams that the gateway has no key of.
        seconds: how long the gateway may say nothing before it is given up.
        transport: another way to send requests, for tests.

    Every method raises `GatewayError` where the gateway refuses (it has the `status` and the
    `detail`), and `GatewayUnreachableError` where there is none.
    """

    def __init__(
        self,
        base_url: str = BASE_URL,
        token: str | None = None,
        *,
        api_key: str | None = None,
        seconds: float = SECONDS,
        transport: httpx2.AsyncBaseTransport | None = None,
    ) -> None:
        self._connection: Final = Connection(
            base_url, {TOKEN_HEADER: token, KEY_HEADER: api_key}, seconds, transport
        )

    def __repr__(self) -> str:
        return f"GatewayClient(base_url={self._connection.base_url!r})"

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connections."""
        await self._connection.close()

    async def health(self) -> Health:
        """Whether it works, and what waits to be recorded."""
        return await self._connection.ask(Health, "GET", "/health")

    async def models(self, upstream: str | None = None) -> list[Model]:
        """The models that its upstreams (or one of them) are known to serve, with their windows
        (tokens) and prices (USD per million tokens)."""
        query = {"upstream": upstream}
        return (await self._connection.ask(_Models, "GET", "/models", query=query)).models

    async def count_tokens(
        self,
        text: str | None = None,
        *,
        messages: Sequence[Mapping[str, Any]] | None = None,
        model: str | None = None,
    ) -> TokenCount:
        """The tokens of a text, or of messages, for a model (by default the newest Claudes)."""
        body = {"text": text, "messages": messages, "model": model}
        return await self._connection.ask(TokenCount, "POST", "/tokens/count", body=body)

    async def sessions(self, *, limit: int = 100, offset: int = 0) -> list[Session]:
        """The sessions of the managed chat routes that the gateway keeps, the last used first."""
        query = {"limit": limit, "offset": offset}
        return (await self._connection.ask(_Sessions, "GET", "/sessions", query=query)).sessions

    async def session(self, session_id: str, *, history: bool = False) -> SessionDetail:
        """One session, and its messages where `history` asks for them."""
        query = {"history": str(history).lower()}
        path = f"/sessions/{_part(session_id)}"
        return await self._connection.ask(SessionDetail, "GET", path, query=query)

    async def delete_session(self, session_id: str) -> None:
        """Delete a session with its text."""
        await self._connection.do("DELETE", f"/sessions/{_part(session_id)}")

    async def agents(self) -> list[Agent]:
        """Who can answer, by name."""
        return (await self._connection.ask(_Agents, "GET", "/agents")).agents

    async def agent(self, name: str) -> Agent:
        """One agent."""
        return await self._connection.ask(Agent, "GET", f"/agents/{_part(name)}")

    async def create_agent(self, agent: Agent) -> Agent:
        """Make an agent; one of this name must not exist."""
        return await self._connection.ask(Agent, "POST", "/agents", body=_settings(agent))

    async def replace_agent(self, agent: Agent) -> Agent:
        """Give an agent, found by its name, other settings."""
        path = f"/agents/{_part(agent.name)}"
        return await self._connection.ask(Agent, "PUT", path, body=_settings(agent))

    async def delete_agent(self, name: str) -> None:
        """Delete an agent. Conversations with it stay, and need another one from then on."""
        await self._connection.do("DELETE", f"/agents/{_part(name)}")

    async def create_conversation(
        self,
        *,
        user: str,
        agent: str,
        title: str | None = None,
        metadata: Mapping[str, Any] | None = None,
    ) -> Conversation:
        """Begin a conversation of a user with an agent. `metadata` is kept as it is."""
        body = {"user": user, "agent": agent, "title": title, "metadata": dict(metadata or {})}
        return await self._connection.ask(Conversation, "POST", "/conversations", body=body)

    async def conversations(
        self, *, user: str | None = None, limit: int = 50, offset: int = 0
    ) -> list[Conversation]:
        """Conversations (of one user), those that were last spoken in first."""
        query = {"user": user, "limit": limit, "offset": offset}
        found = await self._connection.ask(_Conversations, "GET", "/conversations", query=query)
        return found.conversations

    async def conversation(
        self, conversation_id: str, *, limit: int = 1000, before: int | None = None
    ) -> Transcript:
        """A conversation with its newest messages, or the newest before a position."""
        query = {"limit": limit, "before": before}
        return await self._connection.ask(Transcript, "GET", _path(conversation_id), query=query)

    async def send(self, conversation_id: str, content: str, *, agent: str | None = None) -> Answer:
        """Say something, and wait for the whole answer. `agent` answers instead of the
        conversation's own. What fails leaves the conversation as it was."""
        path = f"{_path(conversation_id)}/messages"
        body = {"content": content, "agent": agent, "stream": False}
        return await self._connection.ask(Answer, "POST", path, body=body)

    def stream(
        self, conversation_id: str, content: str, *, agent: str | None = None
    ) -> AnswerStream:
        """Say something, and get the answer as it is written: see `AnswerStream`."""
        path = f"{_path(conversation_id)}/messages"
        body = {"content": content, "agent": agent, "stream": True}
        return AnswerStream(self._connection, path, body)

    async def clear(self, conversation_id: str) -> Cleared:
        """Delete the messages of a conversation; what they were billed stays in its metrics."""
        return await self._connection.ask(Cleared, "POST", f"{_path(conversation_id)}/clear")

    async def delete_conversation(self, conversation_id: str) -> None:
        """Delete a conversation with all that is kept of it, its metrics among them. What it was
        billed stays in the ledger."""
        await self._connection.do("DELETE", _path(conversation_id))

    async def metrics(self, conversation_id: str) -> ConversationMetrics:
        """What the answers of one conversation were billed."""
        path = f"{_path(conversation_id)}/metrics"
        return await self._connection.ask(ConversationMetrics, "GET", path)

    async def total(self, user: str | None = None) -> TotalMetrics:
        """What the conversations of a user, or all of them, were billed."""
        path = "/conversations/metrics/total"
        return await self._connection.ask(TotalMetrics, "GET", path, query={"user": user})


class _Models(Struct, frozen=True):
    models: list[Model]


class _Sessions(Struct, frozen=True):
    sessions: list[Session]


class _Agents(Struct, frozen=True):
    agents: list[Agent]


class _Conversations(Struct, frozen=True):
    conversations: list[Conversation]


def _path(conversation_id: str) -> str:
    return f"/conversations/{_part(conversation_id)}"


def _part(name: str) -> str:
    return quote(name, safe="")


def _settings(agent: Agent) -> dict[str, Any]:
    return {name: value for name, value in structs.asdict(agent).items() if name != "source"}
