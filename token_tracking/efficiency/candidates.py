"""What did well, and what is worth a look: groups past a stated threshold, with the money."""

from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from typing import Final

from msgspec import Struct

from token_tracking.efficiency.snapshot import Candidate, GroupRow
from token_tracking.pricing import usd
from token_tracking.shares import ShareSums

CARRY_SHARE: Final = 0.05
"""Carrying a group is worth a look from a twentieth of what the period's prompts cost."""

BELOW_MEAN: Final = 20.0
"""Percentage points below what caching saved of all prompts."""

LEAST_SHARE: Final = 0.01
"""The share of the prompts' cost below which no percentage of a group is worth a look."""

WASTE_SHARE: Final = 0.001
"""Loading again is pure loss, so that a thousandth of the prompts' cost is enough."""

_NOT_A_CHOICE: Final = frozenset({"answer", "user", "unlisted"})
"""Kinds that nobody can leave out: what was asked, what was answered, what no line shows."""


class Waste(Struct, frozen=True, kw_only=True):
    """What was loaded again, unchanged, while it still stood in the prompt: the group, how often,
    and what the later copies cost (USD)."""

    row: GroupRow
    count: int
    waste_usd: Decimal


def top_performers(rows: Iterable[GroupRow], limit: int = 5) -> list[GroupRow]:
    """The groups of which caching saved the largest part of their uncached cost, of those with at
    least `LEAST_SHARE` of the prompts' cost."""
    good = [row for row in rows if (row.efficiency or 0) > 0 and (row.share or 0) >= LEAST_SHARE]
    return sorted(good, key=lambda row: (-(row.efficiency or 0), row.label))[:limit]


def needs_optimization(
    rows: Sequence[GroupRow], total: ShareSums, waste: Sequence[Waste] = (), limit: int = 10
) -> list[Candidate]:
    """What is worth a look in a period, the most money first; each group once, for its dearest
    reason. `total` is of all the period's prompts.

    The money of one is part of that of another where both are about the same items: they do not
    add up.
    """
    found: dict[tuple[str | None, ...], Candidate] = {}
    for candidate in _candidates(rows, total, waste):
        row = candidate.row
        key = (row.label, row.kind, row.uri)
        known = found.get(key)
        if known is None or candidate.at_stake_usd > known.at_stake_usd:
            found[key] = candidate
    ordered = sorted(found.values(), key=lambda each: (-each.at_stake_usd, each.row.label))
    return ordered[:limit]


def _candidates(
    rows: Sequence[GroupRow], total: ShareSums, waste: Sequence[Waste]
) -> Iterator[Candidate]:
    prompts = usd(total.cost_pico)
    for row in rows:
        if row.kind in _NOT_A_CHOICE or row.is_rest or row.cost_usd is None:
            continue
        if carried := _carried(row, prompts):
            yield carried
        if below := _below_mean(row, total):
            yield below
    for each in waste:
        if again := _again(each, prompts):
            yield again


def _carried(row: GroupRow, prompts: Decimal) -> Candidate | None:
    carry = row.carry_usd or Decimal(0)
    if prompts <= 0 or carry <= 0 or carry / prompts < CARRY_SHARE:
        return None
    reason = (
        f"Sending it again with later requests took {carry / prompts:.0%} of what all prompts"
        f" cost; when it entered, {(row.first_usd or 0) / prompts:.0%}."
    )
    if row.kind == "base":
        reason += " Part of it is needed: unused MCP servers, tools and memory files are not."
    threshold = f"carrying is at least {CARRY_SHARE:.0%} of the prompts' cost"
    return Candidate(row=row, reason=reason, threshold=threshold, at_stake_usd=carry)


def _below_mean(row: GroupRow, total: ShareSums) -> Candidate | None:
    if row.efficiency is None or not total.no_cache_pico or (row.share or 0) < LEAST_SHARE:
        return None
    mean = (total.no_cache_pico - total.cost_pico) / total.no_cache_pico * 100
    if mean - row.efficiency < BELOW_MEAN:
        return None
    assert row.cost_usd is not None
    assert row.saved_usd is not None
    plain = row.cost_usd + row.saved_usd
    at_mean = plain * total.cost_pico / total.no_cache_pico
    stake = (row.cost_usd - at_mean).quantize(usd(1))
    if stake <= 0:
        return None
    return Candidate(
        row=row,
        reason=(
            f"Caching saved {row.efficiency:.0f}% of its uncached cost, and {mean:.0f}% of that of"
            " all prompts: it was written to the cache, or sent uncached, more often than read."
        ),
        threshold=(
            f"{BELOW_MEAN:.0f} points below all prompts, at {LEAST_SHARE:.0%} of their cost or more"
        ),
        at_stake_usd=stake,
    )


def _again(waste: Waste, prompts: Decimal) -> Candidate | None:
    if waste.waste_usd <= 0 or waste.waste_usd < prompts * Decimal(str(WASTE_SHARE)):
        return None
    times = "once" if waste.count == 1 else f"{waste.count:,} times"
    return Candidate(
        row=waste.row,
        reason=f"Loaded again {times}, unchanged, while it still stood in the prompt.",
        threshold=f"loading it again cost at least {WASTE_SHARE:.1%} of the prompts' cost",
        at_stake_usd=waste.waste_usd,
    )
