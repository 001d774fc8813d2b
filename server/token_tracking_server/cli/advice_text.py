"""Advice for a terminal: the money first."""

import textwrap
from collections.abc import Iterator, Sequence
from typing import Final

from token_tracking.efficiency.snapshot import Advice
from token_tracking_server.cli.output import plain
from token_tracking_server.figures import money

WIDTH: Final = 80
NOTHING: Final = "Nothing to advise: no finding with money at stake."
_BASIS: Final = (
    "Money at stake is what it cost beyond what it need have, at API prices. Findings overlap: do"
    " not add them up. (est.) is estimated: what would have been is known of no conversation."
)


def advice_lines(advice: Sequence[Advice], width: int = WIDTH) -> Iterator[str]:
    """Each finding with its number, its evidence and what to do, in lines of at most `width`."""
    if not advice:
        yield NOTHING
        return
    width = min(width, WIDTH)
    for number, each in enumerate(advice, 1):
        yield from _finding(number, each, width)
        yield ""
    yield from textwrap.wrap(_BASIS, width)


def findings(advice: Sequence[Advice], width: int) -> Iterator[str]:
    """Those of one session, a line each."""
    for each in advice:
        estimated = " (est.)" if each.basis == "estimated" else ""
        said = f"{money(each.at_stake_usd)}{estimated}  {plain(each.title)}"
        yield from textwrap.wrap(
            said, min(width, WIDTH), initial_indent="  ", subsequent_indent="    "
        )


def _finding(number: int, advice: Advice, width: int) -> Iterator[str]:
    estimated = " (est.)" if advice.basis == "estimated" else ""
    head = f"{number:>2}. {money(advice.at_stake_usd)}{estimated}  {plain(advice.title)}"
    yield from textwrap.wrap(head, width, subsequent_indent="    ")
    yield from _indented(advice.evidence, width)
    yield from _indented(f"Do: {advice.action}", width)
    if advice.session_id:
        yield from _indented(f"See: token-tracking session {advice.session_id}", width)


def _indented(text: str, width: int) -> list[str]:
    return textwrap.wrap(
        plain(text),
        width,
        initial_indent="    ",
        subsequent_indent="    ",
        break_on_hyphens=False,
    )
