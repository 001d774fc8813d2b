"""A period as a whole, for a terminal."""

import textwrap
from collections.abc import Iterator, Sequence
from typing import Final

from rich.table import Table

from token_tracking.efficiency.snapshot import (
    Against,
    CacheHealth,
    Candidate,
    Overall,
    Snapshot,
)
from token_tracking_server.cli.fitting import GAP
from token_tracking_server.cli.group_table import fitted, group_table
from token_tracking_server.cli.output import counted, plain
from token_tracking_server.cli.session_table import reconciled
from token_tracking_server.cli.tables import console
from token_tracking_server.cli.trend_table import changes
from token_tracking_server.figures import money, percent, share, tokens

_BASIS: Final = (
    "Totals and caching are measured from billed usage, at API prices. What is said of single items"
    ", of just-in-time loading and of partial output is estimated."
)
_AGAINST: Final = {
    "no_cache": "Without caching",
    "no_jit": "Whole library upfront",
    "no_cache+no_jit": "Both at once",
}
_CATEGORIES: Final = 8
_WORTH_A_LOOK: Final = 5


def print_snapshot(snapshot: Snapshot) -> None:
    """What it cost, what that is beside other ways, where it went, and what is worth a look."""
    out = console()
    for text in _overall(snapshot.overall):
        out.print(text)
    if snapshot.overall.baselines:
        out.print()
        out.print(_baselines(snapshot.overall.baselines))
    out.print()
    for text in _cache(snapshot.cache):
        out.print(text)
    if snapshot.by_category:
        out.print()
        table, _ = group_table(snapshot.by_category[:_CATEGORIES], out.width, by="category")
        out.print(table)
    if snapshot.trend and any(each.before is not None for each in snapshot.trend.changes):
        out.print()
        table, _ = changes(snapshot.trend.changes)
        out.print(table)
    out.print()
    for text in _candidates(snapshot.needs_optimization[:_WORTH_A_LOOK], out.width):
        out.print(text)
    if line := reconciled(snapshot.reconciliation):
        out.print(line)
    out.print(_BASIS)


def _overall(overall: Overall) -> Iterator[str]:
    written = overall.cache_write_5m_tokens + overall.cache_write_1h_tokens
    yield (
        f"{money(overall.cost_usd)} for {counted(overall.messages, 'message')} in"
        f" {counted(overall.sessions, 'session')}; {money(overall.prompt_cost_usd)} of it for"
        " prompts."
    )
    yield (
        f"Prompts: {tokens(overall.prompt_tokens)} tokens,"
        f" {tokens(overall.cache_read_tokens)} read from the cache, {tokens(written)} written,"
        f" {tokens(overall.input_tokens)} neither. Output: {tokens(overall.output_tokens)}."
    )
    if overall.partial_messages:
        more = (
            f" About {tokens(overall.partial_output_tokens)} more"
            f" ({money(overall.partial_output_usd)}, estimated) are in no other figure."
            if overall.partial_output_tokens is not None
            else ""
        )
        yield (
            f"{counted(overall.partial_messages, 'message')} without a final count: their output is"
            f" a lower bound.{more}"
        )
    if overall.unpriced_messages:
        yield f"{counted(overall.unpriced_messages, 'message')} without a price, not in the cost."


def _baselines(baselines: Sequence[Against]) -> Table:
    table = Table(box=None, header_style="bold", pad_edge=False, padding=(0, GAP, 0, 0))
    table.add_column("Beside", no_wrap=True)
    for heading in ("Would have cost", "Saved", "Saved %", "Basis"):
        table.add_column(heading, justify="right", no_wrap=True)
    for each in baselines:
        error = "" if each.error_p95 is None else f" +-{each.error_p95:.0%}"
        table.add_row(
            _AGAINST.get(each.baseline, plain(each.baseline)),
            money(each.baseline_cost_usd),
            saved(each),
            percent(each.efficiency),
            f"{each.basis}{error}",
        )
    return table


def saved(against: Against) -> str:
    """What was saved; what was lost is called so."""
    lost = against.saved_usd is not None and against.saved_usd < 0
    return f"{money(against.saved_usd)}{' (a loss)' if lost else ''}"


def _cache(cache: CacheHealth) -> Iterator[str]:
    yield (
        f"Cache: {share(cache.hit_rate_tokens)} of the prompts' tokens were read from it, by"
        f" {share(cache.hit_rate_requests)} of the requests; writing cost"
        f" {money(cache.write_premium_usd)} more than plain input."
    )
    if cache.lapses:
        yield (
            f"{counted(cache.lapses, 'lapse')} after a pause: {tokens(cache.lapse_tokens)} tokens"
            f" written again, {money(cache.lapse_usd)} more than reading them."
        )
    if cache.switches:
        yield (
            f"{counted(cache.switches, 'change')} of model in mid-session:"
            f" {money(cache.switch_usd)} more."
        )
    if cache.unread_write_tokens:
        yield (
            f"{tokens(cache.unread_write_tokens)} tokens written and never read again:"
            f" {money(cache.unread_write_usd)} more than plain input."
        )
    if cache.unseen_write_tokens:
        yield (
            f"{tokens(cache.unseen_write_tokens)} tokens written by calls that stand in no"
            f" transcript: {money(cache.unseen_write_usd)}."
        )


def _candidates(candidates: Sequence[Candidate], width: int) -> Iterator[str]:
    if candidates:
        yield "Worth a look (what to do: token-tracking advice)"
    for each in candidates:
        name = fitted(each.row, plain(each.row.label), max(width // 2, 12))
        text = f"{money(each.at_stake_usd)}  {name}: {plain(each.reason)}"
        yield from textwrap.wrap(text, width, initial_indent="  ", subsequent_indent="    ")
