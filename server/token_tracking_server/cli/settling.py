"""Attribution as fresh as the transcripts at the time of a command."""

import sys
import time
from typing import Any, Final

from msgspec import Struct

from token_tracking.errors import StoreError
from token_tracking.store import TokenStore
from token_tracking_server.cli.ledger import bring_up_to_date
from token_tracking_server.cli.output import counted, plain
from token_tracking_server.cli.progress import progress_bar
from token_tracking_server.settings import Settings

_PROBLEMS_SHOWN: Final = 10


class Settling(Struct, frozen=True, kw_only=True):
    """What was attributed, in how many seconds. `problems` says of sessions that cannot be
    attributed why, by their ids."""

    sessions: int
    messages: int
    problems: dict[str, str]
    seconds: float


async def brought_up_to_date(store: TokenStore, settings: Settings, *, ingest: bool) -> None:
    """Ingest if told so, and attribute what changed since. Where the ledger cannot be written, it
    is said, and what the ledger has is reported."""
    if ingest and await bring_up_to_date(store, settings) is None:
        return  # it was said why: to attribute would fail as reading did
    try:
        await settled(store)
    except StoreError as error:
        print(f"token-tracking: not up to date: {error}", file=sys.stderr)  # noqa: T201


async def settled(store: TokenStore, *, recompute: bool = False) -> Settling:
    """Attribute what is due, or everything anew; with a bar on a terminal.

    Raises:
        StoreError: the ledger cannot be read or written.
    """
    from token_tracking.attributing import Attributor

    began = time.perf_counter()
    attributor = Attributor(store)
    with progress_bar("Attributing sessions", of="files") as progress:
        if recompute:
            done = await attributor.recompute(progress=progress)
        else:
            done = await attributor.settle(progress=progress)
    return Settling(
        sessions=done.sessions,
        messages=done.messages,
        problems=dict(done.problems),
        seconds=time.perf_counter() - began,
    )


def settling_fields(done: Settling) -> dict[str, Any]:
    """Counts, seconds, and why sessions could not be attributed, by their ids."""
    return {
        "sessions": done.sessions,
        "messages": done.messages,
        "seconds": round(done.seconds, 3),
        "not_attributable": done.problems,
    }


def settling_lines(done: Settling) -> list[str]:
    """The same in words."""
    if not done.sessions:
        return ["Nothing changed: every session is attributed."]
    counts = f"{counted(done.sessions, 'session')} with {counted(done.messages, 'message')}"
    said = [f"Attributed {counts} in {done.seconds:.1f} s."]
    shown = list(done.problems.items())[:_PROBLEMS_SHOWN]
    said += [f"Not attributable: {plain(session)}: {plain(why)}" for session, why in shown]
    if rest := len(done.problems) - len(shown):
        said.append(f"And {rest:,} more: token-tracking attribute --recompute --json names them.")
    return said
