"""Agents as the API takes and tells them."""

from typing import Annotated, Any, Final, Self

import msgspec
from pydantic import BaseModel, ConfigDict, Field

from token_tracking_server.gateway.agents.values import (
    LONGEST_NAME,
    LONGEST_SYSTEM,
    NAME_PATTERN,
    SMALL,
    Agent,
    Source,
    with_defaults,
)

MOST_TOKENS: Final = 100_000_000

AgentName = Annotated[str, Field(min_length=1, max_length=LONGEST_NAME, pattern=NAME_PATTERN)]
Named = Annotated[str, Field(min_length=1, max_length=200)]
Tokens = Annotated[int, Field(ge=1, le=MOST_TOKENS, strict=True)]


class AgentSettings(BaseModel):
    """What an agent is, but for its name. Amounts are tokens; null means: as much as the model's
    window has room for. History and documents that are left out have at most the context."""

    model_config = ConfigDict(extra="forbid")

    model: Named
    upstream: Named | None = Field(
        None, description="A name of the configuration, by default the one the model leads to."
    )
    system: Annotated[str, Field(max_length=LONGEST_SYSTEM)] | None = None
    strategy: Named | None = Field(
        None, description="Of the window manager, by default the gateway's."
    )
    category: Named | None = Field(
        None, description="The category of documents that are searched, by default all."
    )
    max_context_tokens: Tokens | None = SMALL.max_context_tokens
    max_history_tokens: Tokens | None = SMALL.max_history_tokens
    max_rag_tokens: Annotated[int, Field(ge=0, le=MOST_TOKENS, strict=True)] | None = Field(
        SMALL.max_rag_tokens, description="Of documents; 0 searches none."
    )
    max_output_tokens: Tokens | None = SMALL.max_output_tokens
    enable_summarization: bool = SMALL.enable_summarization
    summarize_threshold: Annotated[float, Field(gt=0, le=1)] = SMALL.summarize_threshold

    def named(self, name: str) -> Agent:
        """An agent of this name."""
        given: dict[str, Any] = {**self.model_dump(exclude_unset=True), "name": name}
        return Agent(**with_defaults(given))


class AgentIn(AgentSettings):
    """An agent to make."""

    name: AgentName


class AgentReplacement(AgentSettings):
    """Other settings of an agent. What is left out has its default."""

    name: AgentName | None = Field(None, description="If given, the one in the address.")


class AgentOut(AgentIn):
    """An agent, and where it stands: in the configuration, which only a person changes, or in the
    gateway's database."""

    source: Source

    @classmethod
    def of(cls, agent: Agent, source: Source) -> Self:
        """As it is kept. What the configuration has is not checked again."""
        return cls.model_construct(**msgspec.structs.asdict(agent), source=source)


class AgentList(BaseModel):
    """Agents by name."""

    agents: list[AgentOut]
