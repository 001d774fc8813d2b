"""`token-tracking doctor`: what was found, what is wrong, how to mend it."""

import os
import sys
from importlib.metadata import version
from pathlib import Path

from token_tracking import __version__
from token_tracking.errors import TokenTrackingError
from token_tracking.location import default_location, locate
from token_tracking.metrics import TokenMetrics
from token_tracking.reading import FoundFile, stored_path
from token_tracking.sources.claude_code import claude_folders, transcripts
from token_tracking.store import TokenStore
from token_tracking_server.cli.ledger import opened
from token_tracking_server.cli.output import counted, line, plain
from token_tracking_server.figures import size
from token_tracking_server.settings import Settings


async def run(settings: Settings) -> int:
    """Look at everything; 1 where something is wrong."""
    line(f"token-tracking {__version__}, Python {sys.version.split()[0]} on {sys.platform}")
    line(f"prices: genai-prices {version('genai-prices')}, own: {settings.prices_file() or 'none'}")
    problems = _folders(settings)
    try:
        async with opened(settings) as (store, metrics):
            problems += await _ledger(store, metrics)
    except TokenTrackingError as error:
        where = locate(settings.database) if settings.database else default_location(os.environ)
        line(f"ledger: {where}")
        problems.append(str(error))
    problems += _spool(settings)
    problems += await _library(settings)
    line()
    for problem in problems:
        line(f"Problem: {problem}")
    line("Nothing is wrong." if not problems else f"{len(problems)} to mend.")
    return 1 if problems else 0


def _folders(settings: Settings) -> list[str]:
    failures: dict[str, str] = {}
    count = 0
    for folder in claude_folders(settings.claude_dirs, os.environ):
        if not folder.is_dir():
            line(f"transcripts: {folder} is not there")
            continue
        files = list(transcripts(folder, failures))
        failures |= _unreadable(files)
        count += len(files)
        total = size(sum(file.size for file in files))
        line(f"transcripts: {folder} holds {len(files):,} files, {total}")
    problems = [
        f"{plain(path)} cannot be read ({reason}): make it readable."
        for path, reason in failures.items()
    ]
    if not count:
        problems.append(
            "no transcripts were found. If yours lie elsewhere, name the folder that holds"
            " projects/ with --claude-dir, or set CLAUDE_CONFIG_DIR."
        )
    return problems


def _unreadable(files: list[FoundFile]) -> dict[str, str]:
    failures: dict[str, str] = {}
    for file in files:
        try:
            Path(file.path).open("rb").close()
        except FileNotFoundError:
            continue
        except OSError as error:
            failures[stored_path(file.path)] = error.strerror or str(error)
    return failures


def _spool(settings: Settings) -> list[str]:
    from token_tracking.recording import spool_folder, waiting_on_disk

    where = locate(settings.database) if settings.database else default_location(os.environ)
    folder = plain(str(spool_folder(where)))
    try:
        waiting = waiting_on_disk(where)
    except OSError as error:
        return [f"{folder} cannot be read ({error.strerror or error}): make it readable."]
    if waiting.events:
        line(
            f"recorded: {counted(waiting.events, 'message')} in {folder}, which the next report or"
            " the program that recorded them takes in"
        )
    problems: list[str] = []
    if waiting.refused:
        problems.append(
            f"{counted(waiting.refused, 'recorded line')} could not be saved: see the .bad files in"
            f" {folder}. Delete them, or rename them to .jsonl to have them tried again."
        )
    if waiting.newer_segments:
        problems.append(
            f"{folder} holds {counted(waiting.newer_segments, 'file')} of a newer version of"
            " token-tracking: upgrade this one."
        )
    return problems


async def _library(settings: Settings) -> list[str]:
    from token_tracking_server.cli.library import looked_at

    found = await looked_at(settings)
    for folder in found.folders:
        line(f"library: {plain(str(folder))}")
    line(f"library: {found.said}")
    if found.files_left_out or found.problems or found.skill_problems:
        left = counted(found.files_left_out, "file")
        others = len(found.problems) + len(found.skill_problems)
        line(
            f"library: {left} left out, {others:,} not as meant; token-tracking library names them"
        )
    return [
        f"{each} Name another with --library, or TOKEN_TRACKING_LIBRARY." for each in found.missing
    ]


async def _ledger(store: TokenStore, metrics: TokenMetrics) -> list[str]:
    counts = await metrics.get_ledger_counts()
    await store.check_writable()
    path = store.location.path
    line(f"ledger: {path}, {size(path.stat().st_size)}")
    line(
        f"ledger: {counts.sums.messages:,} messages of {counts.sessions:,} sessions,"
        f" from {counts.files:,} files, {counts.lines:,} lines"
    )
    line(f"time zone: {metrics.zone}")
    if counts.malformed_lines or counts.unusable_lines:
        line(
            f"skipped: {counts.malformed_lines:,} lines that are no JSON objects,"
            f" {counts.unusable_lines:,} answers without a valid usage"
        )
    if counts.sums.partial_messages:
        line(
            f"lower bounds: {counts.sums.partial_messages:,} messages have no final output count"
            " (Claude Code before 2.1.59 wrote none)"
        )
    for reason, count in (await store.attribution_problems()).items():
        line(f"not attributed: {counted(count, 'session')}. {plain(reason)}")
    return [
        f"no price is known for {counted(count, 'message')} of {plain(model) or 'no model'}. Add"
        " one in prices.toml (--prices), then run: token-tracking reprice."
        for model, count in counts.unpriced_models.items()
    ]
