"""A period in one line, and what caching did in it."""

from token_tracking.efficiency.cache import cache_figures
from token_tracking.efficiency.savings import LedgerSums, savings
from token_tracking.efficiency.snapshot import (
    PARTIAL_ERROR_P95,
    CacheHealth,
    Overall,
    PartialOutput,
)
from token_tracking.pricing import usd
from token_tracking.shares import Facts, ShareSums


def overall(
    sums: LedgerSums,
    facts: Facts,
    shares: ShareSums,
    sessions: int,
    error_p95: float | None = None,
) -> Overall:
    """A period in one line: what was billed (`sums`), what was remarkable (`facts`), and its
    prompts as attribution has them (`shares`). `error_p95` is that of counted tokens."""
    priced = sums.messages > sums.unpriced_messages
    partial = partial_output(sums, facts)
    return Overall(
        sessions=sessions,
        messages=sums.messages,
        requests=facts.requests,
        unpriced_messages=sums.unpriced_messages,
        partial_messages=sums.partial_messages,
        input_tokens=sums.input_tokens,
        cache_read_tokens=sums.cache_read_tokens,
        cache_write_5m_tokens=sums.cache_write_5m_tokens,
        cache_write_1h_tokens=sums.cache_write_1h_tokens,
        output_tokens=sums.output_tokens,
        prompt_tokens=sums.prompt_tokens,
        cost_usd=usd(sums.cost_pico) if priced else None,
        prompt_cost_usd=usd(shares.cost_pico) if priced else None,
        partial_output_tokens=partial.tokens,
        partial_output_usd=partial.usd,
        baselines=savings(sums, facts, error_p95=error_p95),
        unattributed_tokens=sums.prompt_tokens - shares.prompt_tokens,
        partial_output_basis=partial.basis,
        partial_output_error_p95=partial.error_p95,
        partial_output_unknown=partial.unknown,
    )


def partial_output(sums: LedgerSums, facts: Facts) -> PartialOutput:
    """What the output of messages without a final count lacks, as far as that was estimated."""
    priced = sums.messages > sums.unpriced_messages
    # Where nothing told of the partial messages, what they lack is not known.
    told = facts.partial_messages > 0 or not sums.partial_messages
    return PartialOutput(
        messages=sums.partial_messages,
        tokens=facts.partial_tokens if told else None,
        usd=usd(facts.partial_pico) if told and priced else None,
        basis="estimated" if told else "unknown",
        error_p95=PARTIAL_ERROR_P95 if facts.partial_messages else None,
        unknown=max(0, sums.partial_messages - facts.partial_messages),
    )


def cache_health(sums: LedgerSums, facts: Facts) -> CacheHealth:
    """What caching did; `None` is unknown."""
    figures = cache_figures(sums)
    net = sums.no_cache_pico - sums.cost_pico
    priced = sums.messages > sums.unpriced_messages
    return CacheHealth(
        read_tokens=sums.cache_read_tokens,
        write_tokens=sums.cache_write_5m_tokens + sums.cache_write_1h_tokens,
        hit_rate_tokens=figures.hit_rate,
        hit_rate_requests=facts.hit_requests / facts.requests if facts.requests else None,
        unread_write_tokens=facts.unread_write_tokens,
        unread_write_usd=usd(facts.unread_write_pico) if priced else None,
        lapses=facts.lapses,
        lapse_tokens=facts.lapse_tokens,
        lapse_usd=usd(facts.lapse_pico) if priced else None,
        switches=facts.switches,
        switch_usd=usd(facts.switch_pico) if priced else None,
        unseen_write_tokens=facts.unseen_write_tokens,
        unseen_write_usd=usd(facts.unseen_write_pico) if priced else None,
        net_savings_usd=usd(net - facts.unseen_write_pico) if priced else None,
        write_premium_usd=figures.write_premium_usd,
    )
