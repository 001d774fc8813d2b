"""What just-in-time content did to a session, for a terminal."""

from typing import Final

from rich.table import Table

from token_tracking.metrics import JitFigures
from token_tracking.store import SessionLoad
from token_tracking_server.cli.output import plain
from token_tracking_server.cli.tables import console
from token_tracking_server.figures import UNKNOWN, tokens
from token_tracking_server.jit_words import contents, counted, doubts, verdict

_ROWS: Final = 5


def print_jit(jit: JitFigures) -> None:
    """The figures, what they rest on, and the largest loads."""
    out = console()
    headline, rest = verdict(jit)
    out.print()
    if jit.loads:
        out.print(_loads(jit.loads))
        out.print()
    for text in (f"{headline}.", rest, contents(jit), *doubts(jit)):
        out.print(plain(text))


def _loads(loads: list[SessionLoad]) -> Table:
    table = Table(box=None, header_style="bold", pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("Loaded", overflow="fold")
    table.add_column("Tokens", justify="right", no_wrap=True)
    ordered = sorted(loads, key=lambda load: (-(load.tokens or 0), -load.at, load.uri))
    shown = ordered if len(ordered) == _ROWS + 1 else ordered[:_ROWS]
    for load in shown:
        table.add_row(_name(load), UNKNOWN if load.tokens is None else tokens(load.tokens))
    if rest := ordered[len(shown) :]:
        table.add_row(f"and {len(rest):,} more", tokens(sum(load.tokens or 0 for load in rest)))
    return table


def _name(load: SessionLoad) -> str:
    name = plain(load.uri) or counted(load.documents, "document")
    return name if load.left_at is None else f"{name}, until a compaction"
