"""Real sessions as the conversations that were sent: a tree of transcripts, request by request."""

from benchmarks.window_sessions.sessions import read_sessions
from benchmarks.window_sessions.values import (
    Conversation,
    ReplaySession,
    Request,
    conversations_of,
    estimated_prompts,
)

__all__ = [
    "Conversation",
    "ReplaySession",
    "Request",
    "conversations_of",
    "estimated_prompts",
    "read_sessions",
]
