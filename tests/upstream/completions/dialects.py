"""Whose endpoint was asked: each speaks OpenAI's form in a way of its own."""

from typing import Literal

Dialect = Literal["openai", "groq", "gemini"]

ROOTS: dict[Dialect, str] = {"openai": "/v1", "groq": "/openai/v1", "gemini": "/v1beta/openai"}
"""What stands before `/chat/completions`: the path of the base URL that the provider publishes."""


def dialect_of(path: str) -> Dialect:
    """Whose endpoint a path belongs to."""
    if path.startswith(ROOTS["gemini"]):
        return "gemini"
    return "groq" if path.startswith(ROOTS["groq"]) else "openai"
