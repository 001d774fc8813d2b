"""Where the prompts' money went, in rows: by tool, server, path, item and so on."""

import re
from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from typing import Final

from token_tracking.efficiency.snapshot import GroupRow, Groups
from token_tracking.shares import Metric
from token_tracking_server.answers.markdown import (
    UNNAMED,
    bullets,
    code,
    fold,
    paragraphs,
    plain,
    row,
    table,
)
from token_tracking_server.answers.periods import period_name
from token_tracking_server.figures import money, percent, share, tokens

_HOW: Final = "billed growth of the prompts, shared among what entered in proportion to its size"
_COST: Final = "Cost is of prompts, output apart, at API prices."
ESTIMATED: Final = f"_Estimated: {_HOW}; all rows together are exact. {_COST}_"
_ESTIMATED_ITEMS: Final = f"_Estimated: {_HOW}. {_COST}_"
RANKED: Final[dict[Metric, str]] = {
    "cost": "what their place in the prompts cost",
    "tokens": "the tokens that they brought",
    "efficiency": "what caching saved of their uncached cost",
    "carried": "the requests that carried them",
}
_HEAD: Final = ("Loads", "Tokens", "Carried", "Cost", "Carrying", "Share", "Caching saved")
_ITEM_HEAD: Final = ("Tokens", "Requests", "Cost", "Carrying", "Share")
_PLAIN: Final = re.compile(r"[A-Za-z0-9 ,().:'-]+")
_ROWS: Final = 15
_SIZE: Final = 3_000


def groups_answer(groups: Groups, *, stale: str | None = None) -> str:
    """The groups of a period, most first, and all of it together."""
    how = "" if groups.metric == "cost" else f", most first by {RANKED[groups.metric]}"
    return paragraphs(
        f"**{period_name(groups.period)}: {_whole(groups.totals)} by {groups.by}{how}",
        stale,
        _rows(groups),
        _left_out(groups),
        _basis(groups),
    )


def _whole(totals: GroupRow | None) -> str:
    """What all of it cost: nothing is told where the rows are no parts of it."""
    return "prompts,**" if totals is None else f"{money(totals.cost_usd)}** for prompts,"


def top_answer(
    rows: Sequence[GroupRow], metric: Metric, period: str, *, stale: str | None = None
) -> str:
    """The first few by a metric."""
    return paragraphs(
        f"**{period_name(period)}: top {len(rows)} by {RANKED[metric]}**",
        stale,
        groups_table(rows, "What") if rows else NOTHING,
        ESTIMATED if rows else None,
    )


NOTHING: Final = "No prompts are attributed in this period."


def groups_table(rows: Sequence[GroupRow], head: str, most: int = _ROWS, size: int = _SIZE) -> str:
    """Groups as they come; those that do not fit are summed in one row."""
    return _table(rows, [head, *_HEAD], _group_cells, most, size)


def items_table(rows: Sequence[GroupRow], head: str, most: int = _ROWS, size: int = _SIZE) -> str:
    """Single items as they come; those that do not fit are summed in one row. Without a share
    where they are no parts of a whole."""
    if all(each.share is None for each in rows):
        return _table(rows, [head, *_ITEM_HEAD[:-1]], _cells_of_no_whole, most, size)
    return _table(rows, [head, *_ITEM_HEAD], _item_cells, most, size)


def _table(
    rows: Sequence[GroupRow],
    head: Sequence[str],
    cells: Callable[[GroupRow], Sequence[str]],
    most: int,
    size: int,
) -> str:
    lines = fold(
        rows,
        lambda each: row([group_name(each), *cells(each)]),
        lambda rest: row([f"and {len(rest):,} more", *cells(_sum(rest))]),
        most=most,
        size=size,
    )
    return table(head, lines)


def _group_cells(each: GroupRow) -> list[str]:
    return [
        f"{each.loads:,}",
        tokens(each.tokens),
        f"{each.carried:,}",
        money(each.cost_usd),
        money(each.carry_usd),
        share(each.share),
        "" if each.efficiency is None else percent(each.efficiency),
    ]


def _item_cells(each: GroupRow) -> list[str]:
    _, *cells, _ = _group_cells(each)
    return cells


def _cells_of_no_whole(each: GroupRow) -> list[str]:
    return _item_cells(each)[:-1]


def group_name(each: GroupRow) -> str:
    """What a row is of: as code where it holds what Markdown could take for its own."""
    is_plain = each.is_rest or _PLAIN.fullmatch(each.label)
    return (plain(each.label, 90) or UNNAMED) if is_plain else code(each.label, 60)


def known_sum(amounts: Iterable[Decimal | None]) -> Decimal | None:
    """USD of those that have a price; `None` where there are some and none has one."""
    given = list(amounts)
    known = [each for each in given if each is not None]
    return sum(known, start=Decimal()) if known or not given else None


def notes(lines: Iterable[str | None]) -> str | None:
    """The notes that there are, as a list."""
    return bullets([line for line in lines if line])


def _rows(groups: Groups) -> str:
    if not groups.rows:
        return NOTHING
    if groups.by == "item":
        return items_table(groups.rows, "Item")
    head = "MCP server" if groups.by == "mcp-server" else groups.by.capitalize()
    return groups_table(groups.rows, head)


def _left_out(groups: Groups) -> str | None:
    said = f"{groups.left_out:,} more are not listed." if groups.left_out else None
    if groups.totals is None:
        entered = "Items that entered in this period, each with its cost to the end."
        return f"{entered} {said}" if said else entered
    return said


def _basis(groups: Groups) -> str | None:
    if not groups.rows:
        return None
    return _ESTIMATED_ITEMS if groups.totals is None else ESTIMATED


def _sum(rest: Sequence[GroupRow]) -> GroupRow:
    """Of a rest no efficiency is told: the rows do not hold what it is a percentage of."""
    costs = [(each.cost_usd, each.first_usd, each.carry_usd) for each in rest]
    cost, first, carry = (known_sum(column) for column in zip(*costs, strict=True))
    shares = [each.share for each in rest if each.share is not None]
    return GroupRow(
        label="",
        loads=sum(each.loads for each in rest),
        tokens=sum(each.tokens for each in rest),
        carried=sum(each.carried for each in rest),
        prompt_tokens=sum(each.prompt_tokens for each in rest),
        cost_usd=cost,
        first_usd=first,
        carry_usd=carry,
        share=min(sum(shares), 1.0) if shares else None,
        efficiency=None,
    )
