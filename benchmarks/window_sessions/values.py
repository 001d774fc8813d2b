"""What a replay is given: requests as they were sent, and what was billed for them."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from token_tracking.usage import Usage

PlainMessage = dict[str, Any]
"""A message in Anthropic's form. It is shared between requests: never change one in place."""


@dataclass(slots=True)
class Request:
    """One billed message and the prompt that it answered.

    `keep` is how many messages of the previous request's conversation stand at the front of this
    one's; `add` follows them. `add_tokens` holds an estimate for each block of `add`. `at_ms` is
    milliseconds since 1970 UTC. `output_tokens` is a lower bound unless `is_final`.
    """

    at_ms: int
    model: str
    message_id: str
    keep: int
    add: list[PlainMessage]
    add_tokens: list[list[int]]
    answer: PlainMessage
    prompt_tokens: int
    output_tokens: int
    is_final: bool
    usage: Usage


@dataclass(slots=True)
class Conversation:
    """One chain: the main one, a subagent's, or what follows a compaction.

    `base_tokens` is what stands before the first message: system prompt and tool definitions.
    """

    session_id: str
    chain: str
    base_tokens: int
    requests: list[Request]


@dataclass(slots=True)
class ReplaySession:
    """The conversations of a session. `skipped` counts by reason what was left out or made up."""

    session_id: str
    conversations: list[Conversation]
    skipped: dict[str, int] = field(default_factory=dict[str, int])


def conversations_of(conversation: Conversation) -> Iterator[list[PlainMessage]]:
    """The whole conversation of each request; the list is the same one, changed in place."""
    messages: list[PlainMessage] = []
    for request in conversation.requests:
        messages[request.keep :] = request.add
        yield messages


def estimated_prompts(conversation: Conversation) -> Iterator[int]:
    """For each request the tokens of base and blocks together, to compare with what was billed."""
    sums = [conversation.base_tokens]
    for request in conversation.requests:
        del sums[request.keep + 1 :]
        for tokens in request.add_tokens:
            sums.append(sums[-1] + sum(tokens))
        yield sums[-1]
