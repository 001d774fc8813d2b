"""What a period saved against its baselines: without caching, without just-in-time loading, both
together, or one of the user's."""

from collections.abc import Iterable
from typing import Final, Protocol

from token_tracking.efficiency.cache import CacheSums
from token_tracking.efficiency.session import RequestBaseline
from token_tracking.efficiency.snapshot import Against
from token_tracking.errors import UnknownBaselineError
from token_tracking.pricing import usd
from token_tracking.shares import Facts

NO_CACHE: Final = "no_cache"
NO_JIT: Final = "no_jit"
BOTH: Final = "no_cache+no_jit"
SAVINGS: Final = (NO_CACHE, NO_JIT, BOTH)


class LedgerSums(CacheSums, Protocol):
    """Sums over messages: `store.Sums` is one."""

    @property
    def partial_messages(self) -> int: ...
    @property
    def input_tokens(self) -> int: ...
    @property
    def output_tokens(self) -> int: ...
    @property
    def cache_write_5m_tokens(self) -> int: ...
    @property
    def cache_write_1h_tokens(self) -> int: ...


def without_cache(sums: LedgerSums) -> Against:
    """The same tokens with every prompt at the price of uncached input.

    Money is that of whole messages, output included, which costs the same in both; `requests`
    are the messages of the ledger.
    """
    priced = sums.messages - sums.unpriced_messages
    saved = sums.no_cache_pico - sums.cost_pico
    return Against(
        baseline=NO_CACHE,
        requests=sums.messages,
        priced_requests=priced,
        prompt_tokens=sums.prompt_tokens,
        baseline_tokens=sums.prompt_tokens,
        tokens_saved=0,
        efficiency=percent(saved, sums.no_cache_pico) if priced else None,
        cost_usd=usd(sums.cost_pico) if priced else None,
        baseline_cost_usd=usd(sums.no_cache_pico) if priced else None,
        saved_usd=usd(saved) if priced else None,
        basis="measured",
    )


def without_jit_loading(facts: Facts, error_p95: float | None = None) -> Against | None:
    """The requests of sessions that loaded from a library, with all of it in each prompt, billed
    as that prompt was; `None` where there are none. `efficiency` is that of the tokens."""
    if not facts.jit_requests:
        return None
    saved = facts.jit_baseline_tokens - facts.jit_prompt_tokens
    priced = facts.jit_priced
    return Against(
        baseline=NO_JIT,
        requests=facts.jit_requests,
        priced_requests=priced,
        prompt_tokens=facts.jit_prompt_tokens,
        baseline_tokens=facts.jit_baseline_tokens,
        tokens_saved=saved,
        efficiency=percent(saved, facts.jit_baseline_tokens),
        cost_usd=usd(facts.jit_cost_pico) if priced else None,
        baseline_cost_usd=usd(facts.jit_cost_pico + facts.jit_saved_pico) if priced else None,
        saved_usd=usd(facts.jit_saved_pico) if priced else None,
        basis="estimated",
        error_p95=error_p95,
    )


def without_both(sums: LedgerSums, facts: Facts, error_p95: float | None = None) -> Against | None:
    """Every prompt uncached, and with the whole library where one was loaded from; `None` where
    none was.

    It is not the sum of the two: the library that was not sent is worth the price of plain input
    here, and in `no_jit` alone what the prompt was really billed at, mostly that of a cache read.
    `efficiency` is that of the money.
    """
    if not facts.jit_requests:
        return None
    plain = without_cache(sums)
    more_tokens = facts.jit_baseline_tokens - facts.jit_prompt_tokens
    baseline = sums.no_cache_pico + facts.jit_uncached_saved_pico
    priced = plain.priced_requests
    return Against(
        baseline=BOTH,
        requests=plain.requests,
        priced_requests=priced,
        prompt_tokens=plain.prompt_tokens,
        baseline_tokens=plain.prompt_tokens + more_tokens,
        tokens_saved=more_tokens,
        efficiency=percent(baseline - sums.cost_pico, baseline) if priced else None,
        cost_usd=plain.cost_usd,
        baseline_cost_usd=usd(baseline) if priced else None,
        saved_usd=usd(baseline - sums.cost_pico) if priced else None,
        basis="estimated",
        error_p95=error_p95,
    )


def against_custom(rows: Iterable[RequestBaseline]) -> Against:
    """Requests beside a baseline of the user's, which is right as far as their function is."""
    all_rows = list(rows)
    priced = [(row.cost_pico, row.saved_pico) for row in all_rows if row.saved_pico is not None]
    cost = sum(cost or 0 for cost, _ in priced)
    saved = sum(saved for _, saved in priced)
    prompt = sum(row.prompt_tokens for row in all_rows)
    baseline = sum(row.baseline_tokens for row in all_rows)
    return Against(
        baseline="custom",
        requests=len(all_rows),
        priced_requests=len(priced),
        prompt_tokens=prompt,
        baseline_tokens=baseline,
        tokens_saved=baseline - prompt,
        efficiency=percent(baseline - prompt, baseline),
        cost_usd=usd(cost) if priced else None,
        baseline_cost_usd=usd(cost + saved) if priced else None,
        saved_usd=usd(saved) if priced else None,
        basis="estimated",
    )


def savings(
    sums: LedgerSums,
    facts: Facts,
    baseline: str | None = None,
    *,
    error_p95: float | None = None,
    custom: Iterable[RequestBaseline] | None = None,
) -> list[Against]:
    """What was saved against the baseline of this name, or against all that there are. One of the
    user's is there where its rows are given.

    Raises:
        UnknownBaselineError: there is no such baseline, or `custom` without its rows.
    """
    known = {
        NO_CACHE: lambda: without_cache(sums),
        NO_JIT: lambda: without_jit_loading(facts, error_p95),
        BOTH: lambda: without_both(sums, facts, error_p95),
    }
    rows = None if custom is None else list(custom)
    if rows is not None:
        known["custom"] = lambda: against_custom(rows)
    if baseline is not None and baseline not in known:
        raise UnknownBaselineError(_unknown(baseline))
    chosen = known if baseline is None else {baseline: known[baseline]}
    return [found for told in chosen.values() if (found := told()) is not None]


def _unknown(baseline: str) -> str:
    if baseline == "custom":
        return "The baseline custom needs what each request would have used: pass custom=."
    return (
        f"There is no baseline {baseline[:50]!r}: those that there are:"
        f" {', '.join((*SAVINGS, 'custom'))}."
    )


def percent(saved: int, baseline: int) -> float | None:
    """What was saved, in percent of the baseline; `None` where that is nothing."""
    return saved / baseline * 100 if baseline else None
