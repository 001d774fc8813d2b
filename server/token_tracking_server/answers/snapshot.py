"""A period as a whole: what it cost, what caching and just-in-time loading saved, where the money
went, and what is worth a look."""

from collections.abc import Iterable, Sequence
from typing import Final

from token_tracking.efficiency.snapshot import (
    Against,
    CacheHealth,
    Candidate,
    Overall,
    Reconciled,
    Snapshot,
    Trend,
)
from token_tracking_server.answers.groups import group_name, groups_table, notes
from token_tracking_server.answers.markdown import paragraphs, plain
from token_tracking_server.answers.periods import period_name
from token_tracking_server.answers.sums import counted
from token_tracking_server.answers.trend import changes
from token_tracking_server.figures import money, percent, share, tokens

_BASIS: Final = (
    "_Totals and caching are measured from billed usage, at API prices; what is said of single"
    " items, partial output and just-in-time loading is estimated._"
)
_AGAINST: Final = {
    "no_cache": "without caching",
    "no_jit": "with the whole library in the prompt",
    "no_cache+no_jit": "with the whole library in the prompt and no caching",
}


def snapshot_answer(snapshot: Snapshot, *, stale: str | None = None) -> str:
    """The whole of it, in about 600 tokens."""
    overall = snapshot.overall
    if not overall.messages:
        empty = "There are no messages in this period."
        return paragraphs(f"**{period_name(snapshot.period)}**", stale, empty)
    return paragraphs(
        f"**{period_name(snapshot.period)}: {money(overall.cost_usd)}** for"
        f" {counted(overall.messages, 'message')} in {counted(overall.sessions, 'session')}",
        stale,
        notes([*_overall(overall), *map(against, overall.baselines)]),
        notes(["**Cache**: " + _rates(snapshot.cache), *_cache_losses(snapshot.cache)]),
        _against_before(snapshot.trend),
        groups_table(snapshot.by_category, "Category", most=8, size=1_200)
        if snapshot.by_category
        else None,
        _titled("Worth a look", notes(map(_candidate, snapshot.needs_optimization[:5]))),
        _best(snapshot),
        reconciled_line(snapshot.reconciliation),
        _BASIS,
    )


def against(each: Against) -> str:
    """What was saved against a baseline; a loss is called one."""
    name = _AGAINST.get(each.baseline, plain(each.baseline, 60))
    if each.saved_usd is None and each.tokens_saved is None:
        return f"Saved against the same {name}: unknown."
    saved = [
        part
        for part in (
            money(each.saved_usd) if each.saved_usd is not None else None,
            f"{_signed(each.tokens_saved)} prompt tokens" if each.tokens_saved else None,
        )
        if part
    ]
    rate = "" if each.efficiency is None else f" ({percent(each.efficiency)})"
    lost = (each.saved_usd if each.saved_usd is not None else each.tokens_saved or 0) < 0
    how = [each.basis]
    if each.error_p95 is not None:
        how.append(f"error of counted tokens up to {share(each.error_p95)}")
    if each.priced_requests < each.requests:
        how.append(f"money of {each.priced_requests:,} of {each.requests:,} requests")
    return (
        f"{'**Lost**' if lost else 'Saved'} against the same {name}: {', '.join(saved)}{rate};"
        f" {', '.join(how)}."
    )


def reconciled_line(found: Reconciled) -> str | None:
    """The ledger against the client's own total; nothing where no session has one."""
    if not found.sessions or found.client_usd is None:
        return None
    text = (
        f"Reconciliation: Claude Code's own total of {counted(found.sessions, 'session')} is"
        f" {money(found.client_usd)}, the ledger's {money(found.ledger_usd)}"
    )
    parts = [
        f"{money(amount)} {name}"
        for amount, name in (
            (found.partial_output_usd, "is output that was never counted to its end (estimated)"),
            (found.unseen_calls_usd, "calls that stand in no transcript"),
            (found.unexplained_usd, "unexplained"),
        )
        if amount
    ]
    without = found.sessions_without_total
    more = f" {counted(without, 'session')} told no total." if without else ""
    made_of = f": of the difference {', '.join(parts)}" if parts else ""
    return f"{text}{made_of}.{more}"


def _overall(overall: Overall) -> Iterable[str]:
    yield (
        f"Prompts: {tokens(overall.prompt_tokens)} tokens"
        f" ({tokens(overall.cache_read_tokens)} read from the cache,"
        f" {tokens(overall.cache_write_5m_tokens + overall.cache_write_1h_tokens)} written,"
        f" {tokens(overall.input_tokens)} uncached), {money(overall.prompt_cost_usd)};"
        f" output: {tokens(overall.output_tokens)} tokens."
    )
    if overall.unattributed_tokens:
        yield f"{tokens(overall.unattributed_tokens)} prompt tokens are not attributed (yet)."
    if overall.unpriced_messages:
        yield f"{counted(overall.unpriced_messages, 'message')} without a known price: left out."
    if overall.partial_messages:
        more = (
            ""
            if overall.partial_output_tokens is None
            else f" An estimated {tokens(overall.partial_output_tokens)} tokens"
            f" ({money(overall.partial_output_usd)}) more are in no other figure."
        )
        yield (
            f"Of {counted(overall.partial_messages, 'message')} the output is a lower bound.{more}"
        )


def _rates(cache: CacheHealth) -> str:
    return (
        f"{share(cache.hit_rate_tokens)} of prompt tokens and {share(cache.hit_rate_requests)} of"
        f" requests hit it; writes cost {money(cache.write_premium_usd)} above plain input (already"
        " taken off)."
    )


def _cache_losses(cache: CacheHealth) -> Iterable[str | None]:
    if cache.lapses:
        yield (
            f"{counted(cache.lapses, 'lapse')} (idle too long): {tokens(cache.lapse_tokens)} tokens"
            f" written again, {money(cache.lapse_usd)} more than reading them."
        )
    if cache.switches:
        times = counted(cache.switches, "change")
        yield f"{times} of model within a session: {money(cache.switch_usd)} more."
    if cache.unread_write_tokens:
        yield (
            f"{tokens(cache.unread_write_tokens)} tokens were written and never read again:"
            f" {money(cache.unread_write_usd)} above plain input."
        )
    if cache.unseen_write_tokens:
        yield (
            f"{tokens(cache.unseen_write_tokens)} tokens were written by calls that stand in no"
            f" transcript: {money(cache.unseen_write_usd)}."
        )


def _candidate(each: Candidate) -> str:
    return (
        f"{group_name(each.row)}: {money(each.at_stake_usd)} at stake. {plain(each.reason, 200)}"
        f" (threshold: {plain(each.threshold, 100)})"
    )


def _best(snapshot: Snapshot) -> str | None:
    best: Sequence[str] = [
        f"{group_name(each)} {percent(each.efficiency)}" for each in snapshot.top_performers[:3]
    ]
    return f"Caching saved most on: {', '.join(best)}." if best else None


def _against_before(trend: Trend | None) -> str | None:
    if trend is None or all(each.before is None for each in trend.changes):
        return None
    return _titled("Against the period before", changes(trend.changes))


def _titled(title: str, body: str | None) -> str | None:
    return f"**{title}**\n\n{body}" if body else None


def _signed(count: int) -> str:
    return f"-{tokens(-count)}" if count < 0 else tokens(count)
