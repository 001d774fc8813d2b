"""`token-tracking session`."""

import os
from datetime import tzinfo
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from token_tracking.errors import TokenTrackingError
from token_tracking.metrics import SessionReport, TokenMetrics
from token_tracking_server.cli import output
from token_tracking_server.cli.ledger import opened
from token_tracking_server.cli.settling import brought_up_to_date
from token_tracking_server.figures import size
from token_tracking_server.session_choice import choose_session
from token_tracking_server.settings import Settings

if TYPE_CHECKING:
    from token_tracking.efficiency.attribution import Attribution
    from token_tracking.efficiency.session_timeline import Timeline

Form = Literal["table", "json", "md"]
_SHOWN: Final[dict[Form, tuple[int, int]]] = {"table": (1, 10), "json": (1, 1), "md": (500, 100)}
"""How many requests and items of the timeline each form shows."""


class _Asked(NamedTuple):
    data: SessionReport
    timeline: "Timeline"
    told: "Attribution | None"


async def run(settings: Settings, session_id: str, *, form: Form | Path, ingest: bool) -> int:
    """Bring the ledger up to date, and report one session: on standard output, or as a page in a
    file.

    Raises:
        UnknownSessionError: the ledger has no such session.
        TokenTrackingError: the file cannot be written.
    """
    page = form if isinstance(form, Path) else None
    if page is not None:
        _check_place(page)
    async with opened(settings) as (store, metrics):
        await brought_up_to_date(store, settings, ingest=ingest)
        choice = await choose_session(store, session_id, os.environ, settings.claude_dirs)
        asked = await _asked(metrics, choice.session_id, form)
        zone = metrics.zone
    if page is not None:
        _write(page, asked.timeline, zone)
    elif form == "json":
        from token_tracking_server.cli.session_fields import session_fields

        output.json(session_fields(asked.data, asked.told, asked.timeline, zone))
    elif form == "md":
        from token_tracking_server.cli.session_markdown import session_markdown

        output.line(session_markdown(asked.data, asked.timeline, zone))
    else:
        _print(asked.data, asked.timeline, zone)
    return 0


async def _asked(metrics: TokenMetrics, session_id: str, form: Form | Path) -> _Asked:
    data = await metrics.get_session_data(session_id)
    requests, items = (None, None) if isinstance(form, Path) else _SHOWN[form]
    timeline = await metrics.get_timeline(session_id, limit=requests, items=items, settle=False)
    if form != "json" or timeline.problem is not None:
        return _Asked(data, timeline, None)
    return _Asked(data, timeline, await metrics.get_session_attribution(session_id))


def _print(data: SessionReport, timeline: "Timeline", zone: tzinfo) -> None:
    from token_tracking_server.cli.session_table import print_where
    from token_tracking_server.cli.tables import print_session

    print_session(data, zone)
    print_where(timeline)
    if data.jit is not None:
        from token_tracking_server.cli.jit import print_jit

        print_jit(data.jit)


def _check_place(page: Path) -> None:
    """Said before anything is read."""
    if str(page) == "-":
        raise TokenTrackingError("--html -: name a file, such as session.html.")
    if page.is_dir():
        raise TokenTrackingError(f"--html {page}: that is a folder. Name a file in it.")
    if not page.parent.is_dir():
        raise TokenTrackingError(f"--html {page}: there is no folder {page.parent}.")


def _write(page: Path, timeline: "Timeline", zone: tzinfo) -> None:
    from token_tracking_server.dashboard.export import session_page

    try:
        page.write_text(session_page(timeline, str(zone)), encoding="utf-8")
    except OSError as error:
        reason = error.strerror or error
        raise TokenTrackingError(f"Cannot write {page}: {reason}. Name another file.") from error
    output.line(f"Wrote {page.resolve()}: {size(page.stat().st_size)}. It opens without a network.")
