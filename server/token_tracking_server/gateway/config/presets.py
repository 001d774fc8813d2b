"""The upstreams that need no configuration."""

from token_tracking_server.gateway.config.values import Upstream


def preset_upstreams() -> tuple[Upstream, ...]:
    """Anthropic, OpenAI, Gemini's and Groq's compatible endpoints, and a local server (Ollama's
    usual address). Callers' own keys are passed on."""
    return (
        Upstream(
            name="anthropic",
            base_url="https://api.anthropic.com",
            form="anthropic",
            models=("claude-*",),
        ),
        Upstream(
            name="openai",
            base_url="https://api.openai.com/v1",
            form="openai",
        ),
        Upstream(
            name="gemini",
            base_url="https://generativelanguage.googleapis.com/v1beta/openai",
            form="openai",
            models=("gemini-*", "models/gemini-*", "gemma-*"),
        ),
        Upstream(
            name="groq",
            base_url="https://api.groq.com/openai/v1",
            form="openai",
            models=("llama-3*-instant", "llama-3*-versatile", "meta-llama/*", "openai/gpt-oss-*"),
        ),
        Upstream(name="local", base_url="http://127.0.0.1:11434/v1", form="openai"),
    )
