"""An async client for the gateway's own API: conversations, agents, sessions, counts and models."""

from token_tracking.client.client import GatewayClient
from token_tracking.client.conversations import (
    Agent,
    Answer,
    AnswerMetadata,
    Breakdown,
    Cleared,
    Conversation,
    ConversationMetrics,
    Delta,
    Message,
    Metrics,
    TotalMetrics,
    Transcript,
)
from token_tracking.client.errors import GatewayError, GatewayUnreachableError
from token_tracking.client.stream import AnswerStream
from token_tracking.client.surroundings import (
    Health,
    Model,
    Prices,
    Recording,
    Session,
    SessionDetail,
    TokenCount,
    Upstream,
)

__all__ = [
    "Agent",
    "Answer",
    "AnswerMetadata",
    "AnswerStream",
    "Breakdown",
    "Cleared",
    "Conversation",
    "ConversationMetrics",
    "Delta",
    "GatewayClient",
    "GatewayError",
    "GatewayUnreachableError",
    "Health",
    "Message",
    "Metrics",
    "Model",
    "Prices",
    "Recording",
    "Session",
    "SessionDetail",
    "TokenCount",
    "TotalMetrics",
    "Transcript",
    "Upstream",
]
