"""Where the prompts' money went, as a table that fits."""

import re
from collections.abc import Callable, Sequence
from typing import Final

from msgspec import Struct
from rich.table import Table

from token_tracking.efficiency.snapshot import GroupRow
from token_tracking_server.cli.fitting import GAP, begun, fitting, shortened, width_of
from token_tracking_server.cli.output import plain
from token_tracking_server.cli.tables import console
from token_tracking_server.figures import money, percent, share, tokens

BASIS: Final = "Estimated: what each prompt was billed for, shared out among what stood in it."

_HEADINGS: Final = {
    "item": "Item",
    "session item": "Item",
    "path": "Path",
    "tool": "Tool",
    "mcp-server": "MCP server",
    "skill": "Skill",
    "agent": "Agent",
    "category": "Category",
    "project": "Project",
    "kind": "Kind",
    "resource": "Resource",
}
_LEAST_LABEL: Final = 28
_LEAST_PATH: Final = 36
"""What a label has at least, where it needs it: columns are left out for it."""

_EXPLANATION: Final = re.compile(r" \([^()]*\)")
_OF_ONE: Final = frozenset({"item", "session item"})
"""Groupings in which each row is one item, which entered once."""

_ENTERED: Final = "Items that entered in this period, each with its cost to the end of its session."


class _Column(Struct, frozen=True):
    heading: str
    cell: Callable[[GroupRow], str]


_COLUMNS: Final[tuple[_Column, ...]] = (
    _Column("Loads", lambda row: tokens(row.loads)),
    _Column("Tokens", lambda row: tokens(row.tokens)),
    _Column("Carried", lambda row: tokens(row.carried)),
    _Column("First", lambda row: money(row.first_usd)),
    _Column("Carrying", lambda row: money(row.carry_usd)),
    _Column("Total", lambda row: money(row.cost_usd)),
    _Column("Share", lambda row: share(row.share)),
    _Column("Cached", lambda row: percent(row.efficiency)),
    _Column("Saved", lambda row: money(row.saved_usd)),
)
_MATTER: Final = {
    "cost": ("Total", "Share", "Carrying", "Loads", "Tokens", "Carried", "First"),
    "tokens": ("Tokens", "Total", "Share", "Loads", "Carried", "Carrying", "First"),
    "carried": ("Carried", "Total", "Share", "Carrying", "Tokens", "Loads", "First"),
    "efficiency": ("Cached", "Saved", "Total", "Share", "Tokens", "Carried", "Loads"),
}
"""The columns by what was ranked by, those that matter most first."""
_EXPLAINED: Final = {
    "First": "First: with the first request",
    "Carrying": "Carrying: with those after it",
    "Carried": "Carried: once for each request",
    "Cached": "Cached: what caching saved of the uncached cost, in percent",
    "Saved": "Saved: the same in money",
}


def print_groups(
    rows: Sequence[GroupRow],
    *,
    by: str,
    metric: str = "cost",
    totals: GroupRow | None = None,
    left_out: int = 0,
) -> None:
    """Rows in the order in which they came, and all of the period under them. Without `totals` the
    rows are no parts of it: items that entered in it, with what they cost after it too."""
    out = console()
    table, no_room = group_table(rows, out.width, by=by, metric=metric, totals=totals)
    out.print(table)
    if left_out:
        more = f"{left_out:,} more rows: --limit N, or --json, shows them."
        out.print(f"All counts {more}" if totals else f"And {more}")
    if by == "item" and totals is None:
        out.print(_ENTERED)
    for note in notes(table, no_room):
        out.print(note)


def notes(table: Table, left_out: Sequence[str]) -> list[str]:
    """How the figures are known, what the columns are, and which had no room."""
    headings = [str(column.header) for column in table.columns]
    words = [words for heading, words in _EXPLAINED.items() if heading in headings]
    said = [BASIS]
    if words:
        said.append(f"{'. '.join(words)}.")
    if left_out:
        said.append(f"No room for {', '.join(left_out)}: see --json, or a wider terminal.")
    return said


def group_table(
    rows: Sequence[GroupRow],
    width: int,
    *,
    by: str,
    metric: str = "cost",
    totals: GroupRow | None = None,
) -> tuple[Table, list[str]]:
    """The table, and the columns that had no room in `width` cells."""
    has_share = totals is not None or any(row.share is not None for row in rows)
    wanted = [each for each in _wanted(by, metric) if has_share or each.heading != "Share"]
    counted = [*rows, totals] if totals else rows
    cells = [[column.cell(row) for row in counted] for column in wanted]
    widths = [width_of([column.heading, *each]) for column, each in zip(wanted, cells, strict=True)]
    labels = [name_of(row, by) for row in counted]
    least = _LEAST_PATH if any(_is_path(row, by) for row in rows) else _LEAST_LABEL
    shown = _shown(wanted, widths, metric, width - min(width_of(labels), least))
    room = max(width - sum(widths[place] + GAP for place in shown), 1)
    table = Table(box=None, header_style="bold", pad_edge=False, padding=(0, GAP, 0, 0))
    table.add_column(_HEADINGS[by], no_wrap=True)
    for place in shown:
        table.add_column(wanted[place].heading, justify="right", no_wrap=True)
    for index, label in enumerate(labels):
        is_total = index == len(rows)
        if is_total:
            table.add_section()
        name = fitted(counted[index], label, room, by=by)
        figures = [cells[place][index] for place in shown]
        table.add_row(name, *figures, style="bold" if is_total else None)
    return table, [each.heading for place, each in enumerate(wanted) if place not in shown]


def _wanted(by: str, metric: str) -> list[_Column]:
    return [
        column
        for column in _COLUMNS
        if column.heading in _MATTER[metric] and not (by in _OF_ONE and column.heading == "Loads")
    ]


def _shown(wanted: Sequence[_Column], widths: Sequence[int], metric: str, room: int) -> list[int]:
    places = {column.heading: place for place, column in enumerate(wanted)}
    matter = [places[heading] for heading in _MATTER[metric] if heading in places]
    return fitting(widths, matter, room)


def _is_path(row: GroupRow, by: str) -> bool:
    """A path is told by its end, words by their beginning."""
    return row.uri is not None or by == "project"


def fitted(row: GroupRow, label: str, room: int, *, by: str = "") -> str:
    """The label of a row in at most `room` cells."""
    if _is_path(row, by):
        return shortened(label, room)
    if row.kind == "base" and width_of([label]) > room:
        # Whose base it is matters more than what a base is.
        label = _EXPLANATION.sub("", label)
    return begun(label, room)


def name_of(row: GroupRow, by: str) -> str:
    """What a row is called: an item also by the session that it stands in."""
    label = plain(row.label) if row.label.strip() else "(none)"
    if by == "item" and row.session_id:
        return f"{plain(row.session_id)[:8]} {label}"
    return label
