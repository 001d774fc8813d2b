"""Tables that fit the terminal; in colour only on one."""

import sys
from datetime import UTC, datetime, tzinfo
from pathlib import PurePath
from typing import Final

from rich.console import Console
from rich.table import Table

from token_tracking.efficiency import cache_figures
from token_tracking.metrics import Report, ReportRow
from token_tracking.store import SessionData, Sums
from token_tracking_server.cli.output import counted, plain
from token_tracking_server.cli.rows import cost
from token_tracking_server.figures import money, share, size, tokens

_HEADINGS: Final = {
    "day": "Day",
    "week": "Week from",
    "month": "Month",
    "block": "Block from",
    "model": "Model",
    "project": "Project",
    "session": "Session",
}
_NOTE: Final = "Costs are at API prices: on a subscription, what the API would have charged."
_NARROW: Final = 96
"""Below this width, tables with long labels leave out what the JSON has."""
_LEAST_WIDE: Final = 72
"""Below this width, all do."""

_PIPE_WIDTH: Final = 120
_FIGURES_WIDTH: Final = 50
"""What the figures of a narrow table take of its width, at most."""
_WIDE_FIGURES_WIDTH: Final = 66
_LEAST_LABEL: Final = 12


class _Console(Console):
    """Leaves a reader who goes away to `main`, as the other outputs do."""

    def on_broken_pipe(self) -> None:
        raise BrokenPipeError


def console() -> Console:
    """Standard output. `NO_COLOR` and `COLUMNS` hold, as everywhere."""
    width = None if sys.stdout.isatty() else _width()
    return _Console(highlight=False, width=width, soft_wrap=False, emoji=False, markup=False)


def _width() -> int | None:
    import os

    return None if os.environ.get("COLUMNS", "").isdigit() else _PIPE_WIDTH


def print_report(report: Report, zone: tzinfo, nothing: str) -> None:
    """A report as a table, with what its figures leave open under it; `nothing` if it is empty."""
    out = console()
    if not report.rows:
        out.print(nothing)
        return
    has_long_labels = report.by in {"model", "project", "session"}
    narrow = out.width < (_NARROW if has_long_labels else _LEAST_WIDE)
    room = out.width - (_FIGURES_WIDTH if narrow else _WIDE_FIGURES_WIDTH)
    table = _table(_HEADINGS[report.by], narrow=narrow)
    for row in report.rows:
        label = plain(_label(report, row, zone))
        label = _tail(label, max(room, _LEAST_LABEL)) if report.by == "project" else label
        table.add_row(label, *_cells(row.sums, narrow=narrow))
    table.add_section()
    table.add_row("Total", *_cells(report.totals, narrow=narrow), style="bold")
    out.print(table)
    for note in notes(report.totals, report.unpriced_models):
        out.print(note)


def _tail(path: str, width: int) -> str:
    return path if len(path) <= width else "..." + path[3 - width :]


def _table(heading: str, *, narrow: bool = False) -> Table:
    table = Table(box=None, header_style="bold", pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column(heading, overflow="fold", min_width=_LEAST_LABEL)
    wide = ("Messages", "Input", "Output", "Written", "Read", "Hits", "Cost")
    for name in ("Messages", "Prompt", "Output", "Hits", "Cost") if narrow else wide:
        table.add_column(name, justify="right", no_wrap=True)
    return table


def _cells(sums: Sums, *, narrow: bool = False) -> list[str]:
    output = tokens(sums.output_tokens)
    counts = (
        [tokens(sums.prompt_tokens), output]
        if narrow
        else [
            tokens(sums.input_tokens),
            output,
            tokens(sums.cache_write_tokens),
            tokens(sums.cache_read_tokens),
        ]
    )
    return [
        f"{sums.messages:,}",
        *counts,
        share(cache_figures(sums).hit_rate),
        money(cost(sums)) + ("*" if sums.unpriced_messages else ""),
    ]


def _label(report: Report, row: ReportRow, zone: tzinfo) -> str:
    if report.by == "session":
        began = _day(row.first_at, zone)
        return f"{began} {row.label[:8] or '(none)'} {_name(row.project)}".rstrip()
    if report.by == "block":
        return row.label[:16].replace("T", " ")
    if report.by == "project":
        return row.label or "(none)"
    return row.label or "(no model named)"


def _day(at: int | None, zone: tzinfo) -> str:
    if at is None:
        return ""
    return datetime.fromtimestamp(at / 1000, UTC).astimezone(zone).date().isoformat()


def _name(project: str | None) -> str:
    return PurePath(project).name if project else ""


def notes(sums: Sums, unpriced_models: dict[str, int]) -> list[str]:
    """What the figures leave open, and what to do about it."""
    cache = cache_figures(sums)
    found: list[str] = []
    if cache.net_savings_usd is not None and cache.write_premium_usd is not None:
        found.append(
            f"Caching saved {money(cache.net_savings_usd)} net, after a premium of"
            f" {money(cache.write_premium_usd)} for writes."
        )
    if sums.partial_messages:
        found.append(
            f"{counted(sums.partial_messages, 'message')} without a final count: their output, and"
            " so the cost, is a lower bound."
        )
    if sums.unpriced_messages:
        models = ", ".join(
            f"{plain(model) or 'no model'} ({count:,})" for model, count in unpriced_models.items()
        )
        found.append(
            f"* {counted(sums.unpriced_messages, 'message')} without a price, not in the cost:"
            f" {models}. Add prices in a TOML file (--prices)."
        )
    found.append(_NOTE)
    return found


def print_session(data: SessionData, zone: tzinfo) -> None:
    """A session: when and where, by model, by tool, what it inherited."""
    out = console()
    first = datetime.fromtimestamp(data.first_at / 1000, UTC).astimezone(zone)
    last = datetime.fromtimestamp(data.last_at / 1000, UTC).astimezone(zone)
    out.print(f"Session {plain(data.session_id) or '(none)'}")
    out.print(f"Project {plain(data.project or '(none)')}")
    out.print(f"From    {first:%Y-%m-%d %H:%M} to {last:%Y-%m-%d %H:%M} ({zone})")
    out.print()
    narrow = out.width < _LEAST_WIDE
    table = _table("Model", narrow=narrow)
    for model, part in data.models.items():
        table.add_row(plain(model) or "(no model named)", *_cells(part, narrow=narrow))
    table.add_section()
    table.add_row("Total", *_cells(data.sums, narrow=narrow), style="bold")
    out.print(table)
    if data.tools:
        out.print()
        out.print(_tools(data))
        out.print()
    for other, count in data.inherited.items():
        out.print(
            f"{counted(count, 'message')} inherited from {plain(other)}, which it counts for."
        )
    unpriced = {
        model: part.unpriced_messages
        for model, part in data.models.items()
        if part.unpriced_messages
    }
    for note in notes(data.sums, unpriced):
        out.print(note)


def _tools(data: SessionData) -> Table:
    table = Table(box=None, header_style="bold", pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("Tool", overflow="fold")
    table.add_column("Calls", justify="right")
    table.add_column("Results", justify="right")
    for tool in data.tools:
        name = f"{tool.server}: {tool.name}" if tool.server else tool.name
        table.add_row(plain(name), f"{tool.calls:,}", size(tool.result_bytes))
    return table
