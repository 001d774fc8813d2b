"""The rate limits that OpenAI's and Groq's headers tell of. They are told and not enforced."""

from tests.upstream.completions.dialects import Dialect

_LIMITS: dict[Dialect, tuple[int, int]] = {"openai": (10_000, 2_000_000), "groq": (1_000, 12_000)}


class CompletionAllowance:
    """What is left; it is not renewed."""

    def __init__(self) -> None:
        self._used: dict[Dialect, list[int]] = {"openai": [0, 0], "groq": [0, 0]}

    def take(self, dialect: Dialect, tokens: int) -> None:
        """Note a request and its tokens."""
        if dialect in self._used:
            self._used[dialect][0] += 1
            self._used[dialect][1] += tokens

    def headers(self, dialect: Dialect) -> dict[str, str]:
        """The `x-ratelimit-*` headers; Gemini sends none."""
        if dialect not in _LIMITS:
            return {}
        told: dict[str, str] = {}
        for name, limit, used, reset in zip(
            ("requests", "tokens"), _LIMITS[dialect], self._used[dialect], ("6ms", "1m6.5s"),
            strict=True,
        ):  # fmt: skip
            told[f"x-ratelimit-limit-{name}"] = str(limit)
            told[f"x-ratelimit-remaining-{name}"] = str(max(limit - used, 0))
            told[f"x-ratelimit-reset-{name}"] = reset
        return told


def headers_of(dialect: Dialect, request_id: str) -> dict[str, str]:
    """What each provider's answer says of itself."""
    if dialect == "gemini":
        return {"server-timing": "gfet4t7; dur=12"}
    own = {"x-request-id": request_id}
    if dialect == "groq":
        return own | {"x-groq-region": "local"}
    return own | {"openai-processing-ms": "12", "openai-version": "2020-10-01"}
