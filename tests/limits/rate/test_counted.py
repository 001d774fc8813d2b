"""What each provider counts towards its limits per minute."""

import pytest

from token_tracking.limits import Amount, countable
from token_tracking.usage import Usage

USAGE = Usage(
    input_tokens=100,
    cache_read_tokens=1_000,
    cache_write_5m_tokens=20,
    cache_write_1h_tokens=3,
    output_tokens=50,
)


@pytest.mark.parametrize(
    ("upstream", "model", "max_output", "counted"),
    [
        ("anthropic", "claude-sonnet-4-6", 8_000, (123, 50)),
        ("anthropic", "claude-3-7-sonnet-20250219", None, (123, 50)),
        ("anthropic", "claude-3-5-haiku-20241022", None, (1_123, 50)),
        ("anthropic", "claude-3-haiku-20240307", None, (1_123, 50)),
        ("anthropic", None, None, (123, 50)),
        ("openai", "gpt-5", 8_000, (1_123, 8_000)),
        ("openai", "gpt-5", 10, (1_123, 50)),
        ("openai", "gpt-5", None, (1_123, 50)),
        ("groq", "llama-3.3-70b-versatile", None, (123, 50)),
        ("gemini", "gemini-2.5-pro", None, (1_123, 0)),
        ("local", "claude-sonnet-4-6", 8_000, (1_123, 50)),
    ],
)
def test_what_counts(
    upstream: str, model: str | None, max_output: int | None, counted: tuple[int, int]
) -> None:
    input_tokens, output_tokens = counted
    assert countable(USAGE, upstream, model, max_output) == Amount(
        requests=1, input_tokens=input_tokens, output_tokens=output_tokens
    )
