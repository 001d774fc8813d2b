"""What a compaction would have cost, and what stands in the prompt after one."""

from typing import Final

from token_tracking.efficiency.advice.assumed import KEPT_TOKENS, SUMMARY_TOKENS
from token_tracking.efficiency.advice.prices import write_rate
from token_tracking.efficiency.attribution import Attribution, Message
from token_tracking.pricing import Rates

_BASE: Final = "base"


def base_tokens(attribution: Attribution) -> int:
    """The size of the base of the main chain's prompts: a compaction leaves it."""
    sizes = [item.tokens or 0 for item in attribution.items if item.id == _BASE]
    return max(sizes, default=0)


def call_pico(prompt_tokens: int, rates: Rates) -> int:
    """What the call that compacts costs: it reads the prompt while that is cached, and writes the
    summary."""
    return prompt_tokens * rates.cache_read + SUMMARY_TOKENS * rates.output


def rewrite_pico(request: Message, rates: Rates) -> int:
    """What the next request pays more for writing what was kept than for reading it."""
    return KEPT_TOKENS * max(0, write_rate(request, rates) - rates.cache_read)
