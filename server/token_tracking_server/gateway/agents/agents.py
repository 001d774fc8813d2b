"""`Agents`: who can answer in a conversation."""

from collections.abc import Iterable, Mapping
from typing import Final

from msgspec import structs

from token_tracking_server.gateway.agents.checks import check_agent
from token_tracking_server.gateway.agents.errors import AgentConflictError, UnknownAgentError
from token_tracking_server.gateway.agents.store import AgentStore
from token_tracking_server.gateway.agents.values import (
    LONGEST_NAME,
    PARTS,
    Agent,
    Source,
    is_agent_name,
    with_defaults,
)
from token_tracking_server.gateway.config import AgentConfig, ConfigError
from token_tracking_server.gateway.errors import BadRequestError
from token_tracking_server.gateway.upstreams import Upstreams

_WINDOW: Final = "window"

_MOST_NAMES: Final = 50
"""Of agents that exist, in an error."""


class Agents:
    """The configuration's agents, and those of the store.

    Raises:
        ConfigError: one of the configuration could not answer.
    """

    def __init__(
        self, configured: Iterable[AgentConfig], store: AgentStore, upstreams: Upstreams
    ) -> None:
        self._configured: Final[Mapping[str, Agent]] = checked(configured, upstreams)
        self._store = store
        self._upstreams = upstreams

    async def all(self) -> list[tuple[Agent, Source]]:
        """All of them by name, with where they stand."""
        found: dict[str, tuple[Agent, Source]] = {
            each.name: (each, "stored") for each in await self._store.all()
        }
        for name, agent in self._configured.items():
            found[name] = (agent, "configuration")
        return [found[name] for name in sorted(found)]

    async def get(self, name: str) -> tuple[Agent, Source]:
        """The agent of this name, with where it stands.

        Raises:
            UnknownAgentError: there is none.
        """
        if (configured := self._configured.get(name)) is not None:
            return configured, "configuration"
        if (stored := await self._store.get(name)) is not None:
            return stored, "stored"
        raise await self._unknown(name)

    async def add(self, agent: Agent) -> None:
        """Make an agent.

        Raises:
            AgentConflictError: there is one of this name.
            BadRequestError: it could not answer.
        """
        check_agent(agent, self._upstreams)
        if agent.name in self._configured or not await self._store.add(agent):
            raise AgentConflictError(
                f"There is an agent {agent.name!r} already: change it with PUT"
                f" /agents/{agent.name}, or give another name."
            )

    async def replace(self, agent: Agent) -> None:
        """Give an agent other settings.

        Raises:
            UnknownAgentError: there is none of this name.
            AgentConflictError: it stands in the configuration.
            BadRequestError: it could not answer.
        """
        self._refuse_configured(agent.name, "change")
        check_agent(agent, self._upstreams)
        if not await self._store.replace(agent):
            raise await self._unknown(agent.name)

    async def delete(self, name: str) -> None:
        """Delete an agent. Raises as `replace`."""
        self._refuse_configured(name, "delete")
        if not await self._store.delete(name):
            raise await self._unknown(name)

    def _refuse_configured(self, name: str, act: str) -> None:
        if name in self._configured:
            raise AgentConflictError(
                f"The agent {name!r} stands in the gateway's configuration: {act} it there, and"
                " start the gateway again."
            )

    async def _unknown(self, name: str) -> UnknownAgentError:
        names = [each.name for each, _ in await self.all()]
        if not names:
            return UnknownAgentError(
                f"There is no agent {name!r}, and no other: make one with POST /agents, or with"
                " [[agents]] in the gateway's configuration."
            )
        more = f" and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else ""
        return UnknownAgentError(
            f"There is no agent {name!r}. There are: {', '.join(names[:_MOST_NAMES])}{more}."
        )


def agent_of(config: AgentConfig) -> Agent:
    """An agent as the configuration has it; what that leaves out has its default."""
    given = {name: value for name, value in structs.asdict(config).items() if value is not None}
    for name in PARTS:
        if given.get(name) == _WINDOW:
            given[name] = None
    return Agent(**with_defaults(given))


def checked(configured: Iterable[AgentConfig], upstreams: Upstreams) -> dict[str, Agent]:
    """The configuration's agents by name.

    Raises:
        ConfigError: one of them could not answer, or two have one name.
    """
    found: dict[str, Agent] = {}
    for each in configured:
        agent = agent_of(each)
        if agent.name in found:
            raise ConfigError(f"[[agents]] has two agents {agent.name!r}: give each its own name.")
        if not is_agent_name(agent.name):
            raise ConfigError(
                f"[[agents]] has an agent {agent.name!r}: a name has up to {LONGEST_NAME} letters,"
                " digits, dots, hyphens and underscores, and begins with a letter or digit."
            )
        try:
            check_agent(agent, upstreams)
        except BadRequestError as error:
            raise ConfigError(f"[[agents]]: {error}") from error
        found[agent.name] = agent
    return found
