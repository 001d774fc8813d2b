"""Which tokens each provider counts towards its limits per minute."""

import re
from collections.abc import Mapping
from typing import Final

from msgspec import Struct

from token_tracking.limits.rate.values import Amount
from token_tracking.usage import Usage


class Rule(Struct, frozen=True, kw_only=True):
    """What a provider leaves out of its count, or adds to it."""

    cache_reads: bool = True
    asked_output: bool = False
    """Whether `max_tokens` counts from the start and is not given back."""
    output: bool = True


RULES: Final[Mapping[str, Rule]] = {
    # docs.claude.com/en/api/rate-limits: cache reads are left out of input tokens per minute, and
    # output is counted as it is written, whatever max_tokens says.
    "anthropic": Rule(cache_reads=False),
    # platform.openai.com/docs/guides/rate-limits: the greater of max_tokens and what the request's
    # length suggests; .../guides/prompt-caching: cached prompts still count.
    "openai": Rule(asked_output=True),
    # console.groq.com/docs/rate-limits: cached tokens do not count.
    "groq": Rule(cache_reads=False),
    # ai.google.dev/gemini-api/docs/rate-limits: "tokens per minute (input)".
    "gemini": Rule(output=False),
}
"""By the name of the preset. Others count everything."""

COUNTS_CACHE_READS: Final = re.compile(r"claude-(?:3-(?!7)|instant|2)")
"""Anthropic's models whose limits that page marks as counting cache reads: Haiku 3.5, Haiku 3 and
Opus 3; and those of their time and before."""


def countable(
    usage: Usage, upstream: str, model: str | None = None, max_output: int | None = None
) -> Amount:
    """What one request took of its limits per minute, as the provider counts it.

    `upstream` is the provider (`anthropic`, `openai`, `groq`, `gemini`; any other counts every
    token). `max_output` is the output that was asked for (`max_tokens`), if any.
    """
    rule = RULES.get(upstream, Rule())
    reads = usage.cache_read_tokens
    if not rule.cache_reads and not (model and COUNTS_CACHE_READS.search(model)):
        reads = 0
    output = usage.output_tokens if rule.output else 0
    if rule.asked_output and max_output is not None:
        output = max(output, max_output)
    return Amount(
        input_tokens=usage.input_tokens + usage.cache_write_tokens + reads, output_tokens=output
    )
