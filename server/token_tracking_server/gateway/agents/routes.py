"""`/agents` of the gateway's own API."""

from typing import Annotated

from fastapi import APIRouter, Path, Response

from token_tracking_server.gateway.agents.agents import Agents
from token_tracking_server.gateway.agents.models import (
    AgentIn,
    AgentList,
    AgentOut,
    AgentReplacement,
)
from token_tracking_server.gateway.agents.store import AgentStore
from token_tracking_server.gateway.agents.values import LONGEST_NAME, NAME_PATTERN
from token_tracking_server.gateway.errors import BadRequestError
from token_tracking_server.gateway.services import Services

Name = Annotated[
    str, Path(max_length=LONGEST_NAME, pattern=NAME_PATTERN, description="The agent's name.")
]


def agents_of(services: Services) -> Agents:
    """The agents of a gateway.

    Raises:
        ConfigError: one of the configuration could not answer.
    """
    return Agents(
        services.config.agents, AgentStore(services.histories.database), services.upstreams
    )


def agents_router(services: Services) -> APIRouter:
    """Listing, making, replacing and deleting agents."""
    router = APIRouter(prefix="/agents", tags=["agents"])
    agents = agents_of(services)

    @router.get("", summary="Who can answer in a conversation")
    async def list_agents() -> AgentList:
        return AgentList(agents=[AgentOut.of(*each) for each in await agents.all()])

    @router.post("", status_code=201, summary="Make an agent")
    async def create_agent(agent: AgentIn) -> AgentOut:
        made = agent.named(agent.name)
        await agents.add(made)
        return AgentOut.of(made, "stored")

    @router.get("/{name}", summary="One agent")
    async def get_agent(name: Name) -> AgentOut:
        return AgentOut.of(*await agents.get(name))

    @router.put("/{name}", summary="Give an agent other settings")
    async def replace_agent(name: Name, agent: AgentReplacement) -> AgentOut:
        if agent.name not in (None, name):
            raise BadRequestError(
                f"The address names the agent {name!r}, and the body {agent.name!r}: an agent keeps"
                " its name. Make another one with POST /agents."
            )
        replaced = agent.named(name)
        await agents.replace(replaced)
        return AgentOut.of(replaced, "stored")

    @router.delete("/{name}", status_code=204, summary="Delete an agent")
    async def delete_agent(name: Name) -> Response:
        await agents.delete(name)
        return Response(status_code=204)

    _ = (list_agents, create_agent, get_agent, replace_agent, delete_agent)
    return router
