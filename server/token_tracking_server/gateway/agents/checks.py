"""Whether an agent could answer: seen when it is made, and not at the first question."""

from token_tracking.window import InvalidBudgetError
from token_tracking.window.budget import room_of
from token_tracking.window.forms import form_for_model
from token_tracking_server.gateway.agents.values import Agent
from token_tracking_server.gateway.config.values import Upstream
from token_tracking_server.gateway.errors import BadRequestError, NotFoundError
from token_tracking_server.gateway.managing.strategies import check_strategy
from token_tracking_server.gateway.upstreams import Upstreams


def check_agent(agent: Agent, upstreams: Upstreams) -> None:
    """See that there are its upstream and strategy, and that its budget has room in its model.

    Raises:
        BadRequestError: it could not answer; the text says why.
    """
    try:
        upstream_of(agent, upstreams)
        room_of(agent.budget, agent.model)
    except (InvalidBudgetError, NotFoundError) as error:
        raise BadRequestError(f"The agent {agent.name!r} could not answer: {error}") from error
    if agent.strategy is not None:
        check_strategy(agent.strategy)


def upstream_of(agent: Agent, upstreams: Upstreams) -> Upstream:
    """The one that it names, or else the one that its model's name leads to.

    Raises:
        NotFoundError: none has this name.
    """
    form = form_for_model(agent.model).name
    return upstreams.choose(
        "openai" if form == "openai" else "anthropic", agent.model, name=agent.upstream
    )
