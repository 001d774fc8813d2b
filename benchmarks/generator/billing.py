"""What the provider bills a generated conversation for."""

import random
from collections import Counter
from dataclasses import dataclass, field

# USD per million tokens: input, output, cache read, write for five minutes, write for an hour.
# From genai-prices 0.2.3: python -c "from genai_prices import *;
#   print(calc_price(Usage(input_tokens=1), model_ref='claude-opus-5-5').model_price)"
CARDS: dict[str, tuple[float, float, float, float, float]] = {
    "claude-opus-5-5": (4.0, 20.0, 0.2, 5.0, 8.0),
    "claude-sonnet-5-5": (2.0, 10.0, 0.1, 2.5, 4.0),
    "claude-haiku-5-5": (0.1, 0.5, 0.01, 0.125, 0.2),  # up to 100,000 prompt tokens
    "claude-opus-4-6": (5.0, 25.0, 0.5, 6.25, 10.0),
}
HAIKU_TIER = (100_000, 5)  # above so many prompt tokens all its prices are five times as high

SYSTEM_PROMPT_TOKENS = 14_000  # what survives a lapsed cache: other sessions keep it warm
LAPSED = 0.03  # requests whose cached prefix was gone; reads equal read + write before in 92%
UNSEEN_WRITE = 0.036  # requests that read more than the whole prompt before (design, section 7)

Usage = dict[str, object]


def usage_fields(
    fresh: int, read: int, write_5m: int, write_1h: int, output: int, *, current: bool
) -> Usage:
    """A usage object as the API returns it; counts in tokens."""
    usage: Usage = {
        "input_tokens": fresh,
        "cache_creation_input_tokens": write_5m + write_1h,
        "cache_read_input_tokens": read,
        "cache_creation": {
            "ephemeral_5m_input_tokens": write_5m,
            "ephemeral_1h_input_tokens": write_1h,
        },
        "output_tokens": output,
        "service_tier": "standard",
    }
    if current:
        usage["server_tool_use"] = {"web_search_requests": 0, "web_fetch_requests": 0}
        usage["inference_geo"] = "not_available"
        usage["iterations"] = []
        usage["speed"] = "standard"
    return usage


@dataclass
class Meter:
    """Bills requests over a prompt that grows: what was written is read by the next one."""

    rng: random.Random
    model: str
    hour: bool  # cache writes live for one hour, not for five minutes
    cached: int = 0  # tokens
    entered: int = 0  # tokens that entered the context since the last request
    spent: dict[str, Counter[str]] = field(default_factory=dict[str, Counter[str]])

    @property
    def prompt_tokens(self) -> int:
        """What the next request will hold, in tokens."""
        return self.cached + self.entered

    def bill(self, output: int, *, current: bool) -> Usage:
        """The final usage of the next request, which answers with `output` tokens."""
        read, write = self.cached, max(self.entered, 20)
        if self.rng.random() < LAPSED and self.cached > SYSTEM_PROMPT_TOKENS:
            read, write = SYSTEM_PROMPT_TOKENS, write + self.cached - SYSTEM_PROMPT_TOKENS
        elif self.cached and self.rng.random() < UNSEEN_WRITE:
            read += self.rng.randrange(200, 3_000)
        fresh = self.rng.choice((1, 1, 1, 2, 3, 6, 10))
        self.cached, self.entered = read + write, 0
        self._count(fresh, read, write, output)
        by_lifetime = (0, write) if self.hour else (write, 0)
        return usage_fields(fresh, read, *by_lifetime, output, current=current)

    def compact(self, summary_tokens: int) -> None:
        """The conversation is replaced by its summary."""
        self.cached, self.entered = SYSTEM_PROMPT_TOKENS, summary_tokens

    def _count(self, fresh: int, read: int, write: int, output: int) -> None:
        total = self.spent.setdefault(self.model, Counter())
        total.update(input=fresh, read=read, write=write, output=output)
        rates = CARDS.get(self.model)
        if rates is None:
            return
        long = self.model == "claude-haiku-5-5" and fresh + read + write > HAIKU_TIER[0]
        times = HAIKU_TIER[1] if long else 1
        usd = fresh * rates[0] + output * rates[1] + read * rates[2]
        usd += write * rates[4 if self.hour else 3]
        total["pico_usd"] += round(usd * times * 1_000_000)


def cost_state(session_id: str, spent: dict[str, Counter[str]], duration_ms: int) -> Usage:
    """The client's own total for a session, which newer transcripts end with."""
    models = {
        model: {
            "inputTokens": total["input"],
            "outputTokens": total["output"],
            "cacheReadInputTokens": total["read"],
            "cacheCreationInputTokens": total["write"],
            "webSearchRequests": 0,
            "costUSD": total["pico_usd"] / 1e12,
        }
        for model, total in spent.items()
    }
    return {
        "type": "cost-state",
        "sessionId": session_id,
        "totalCostUSD": sum(total["pico_usd"] for total in spent.values()) / 1e12,
        "totalAPIDuration": duration_ms // 2,
        "totalToolDuration": duration_ms // 4,
        "totalDuration": duration_ms,
        "totalLinesAdded": 0,
        "totalLinesRemoved": 0,
        "modelUsage": models,
    }
