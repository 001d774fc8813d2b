"""`token-tracking setup`: a first report, a check of the server, and how to register it."""

import asyncio
import os
import textwrap
from datetime import datetime, tzinfo
from pathlib import Path
from typing import Final

from token_tracking.errors import SourceError
from token_tracking.metrics import time_zone
from token_tracking.sources.claude_code import claude_folders, transcripts
from token_tracking_server.cli import ingest, registration, report
from token_tracking_server.cli.background import start_dashboard
from token_tracking_server.cli.handshake import handshake
from token_tracking_server.cli.ledger import opened
from token_tracking_server.cli.library import looked_at
from token_tracking_server.cli.output import line
from token_tracking_server.cli.running import running_dashboard
from token_tracking_server.cli.sample import SAMPLE, sample_ledger
from token_tracking_server.settings import Settings

__all__ = ["SAMPLE", "run"]

_SESSIONS_SHOWN: Final = 30
_WIDTH: Final = 80


def run(settings: Settings, *, dashboard: bool = True) -> int:
    """Report, check, print the lines to paste, and end with the address of the dashboard.

    Raises:
        SourceError: a folder of the library is not there.
        HandshakeError: the server does not work.
        StoreError: the ledger cannot be used.
    """
    library = asyncio.run(looked_at(settings))
    if missing := library.missing:
        raise SourceError(f"{missing[0]} Name the library's folder with --library.")
    is_own = asyncio.run(_first_report(settings))
    server = registration.registration(settings)
    _heading("The server")
    _wrapped(str(asyncio.run(handshake(server))))
    _wrapped(f"Library: {library.said} in {', '.join(map(str, library.folders))}.")
    _heading("Register it")
    _print_registration(server)
    if dashboard:
        _heading("The dashboard")
        _show_dashboard(settings, is_own=is_own)
    return 0


def _show_dashboard(settings: Settings, *, is_own: bool) -> None:
    """Its address is the last line. Nobody looks at it where a build machine runs this."""
    if os.environ.get("CI"):
        line("Not started, since CI is set. Start it: token-tracking dashboard")
        return
    zone = time_zone(settings.timezone)
    if running := running_dashboard(settings, sample=not is_own):
        _wrapped(f"It runs already{_process(running.pid, running.until, zone)}.")
        line(f"Dashboard: {running.address}")
        return
    started = start_dashboard(settings, zone, sample=not is_own)
    _wrapped(
        f"It runs in the background{_process(started.process.pid, started.until, zone)}. For one"
        " that stays: token-tracking dashboard"
    )
    line(f"Dashboard: {started.address}")


def _process(pid: int | None, until: datetime | None, zone: tzinfo) -> str:
    if pid is None or until is None:
        return ""
    return f" until {until.astimezone(zone):%H:%M}, as process {pid}"


def _wrapped(text: str) -> None:
    line(textwrap.fill(text, _WIDTH))


async def _first_report(settings: Settings) -> bool:
    """Whether the report is of the user's own usage, and not of the sample."""
    folders = claude_folders(settings.claude_dirs, os.environ)
    if _has_transcripts(folders) or await _has_history(settings):
        _heading("Your usage")
        await ingest.run(settings, as_json=False)
        await show_report(settings)
        return True
    _heading("A sample, not your usage")
    line(f"No transcripts in {', '.join(map(str, folders))}.")
    line("These figures are of a sample that ships with token-tracking. Your ledger stays empty.")
    line("If yours are elsewhere: token-tracking setup --claude-dir DIR")
    with sample_ledger(settings) as sample:
        line()
        await ingest.run(sample, as_json=False)
        await show_report(sample)
    return False


def _has_transcripts(folders: list[Path]) -> bool:
    failures: dict[str, str] = {}
    present = (folder for folder in folders if folder.is_dir())
    return any(True for folder in present for _ in transcripts(folder, failures))


async def _has_history(settings: Settings) -> bool:
    """A ledger may hold what the client has deleted since, or what others tracked."""
    async with opened(settings) as (_, metrics):
        return (await metrics.get_ledger_counts()).sums.messages > 0


async def show_report(settings: Settings) -> None:
    """Every session where they are few; else the months, and the sessions of the last week."""
    async with opened(settings) as (_, metrics):
        sessions = (await metrics.get_ledger_counts()).sessions
    requests = (
        [report.ReportRequest(by="session", ingest=False)]
        if sessions <= _SESSIONS_SHOWN
        else [
            report.ReportRequest(by="month", ingest=False),
            report.ReportRequest(by="session", period="7d", ingest=False),
        ]
    )
    for request in requests:
        line()
        await report.run(settings, request)


def _heading(text: str) -> None:
    line(f"\n{text}\n{'-' * len(text)}")


def _print_registration(server: registration.Registration) -> None:
    line("Claude Code, for all your projects:\n")
    _paste(registration.command_line(registration.claude_code(server)))
    line(f"Claude Desktop, in {registration.claude_desktop_file()}")
    line('(if it has "mcpServers" already, add the entry there; then restart it):\n')
    _paste(registration.claude_desktop(server))
    line("VS Code, for all workspaces:\n")
    _paste(registration.command_line(registration.vscode(server)))
    line("or for one workspace, in .vscode/mcp.json:\n")
    _paste(registration.vscode_file(server))
    line(f"Cursor, in {Path.home() / '.cursor' / 'mcp.json'}:\n")
    _paste(registration.cursor(server))
    line("or open this link:\n")
    _paste(registration.cursor_link(server))


def _paste(text: str) -> None:
    line("\n".join(f"  {part}" for part in text.splitlines()) + "\n")
