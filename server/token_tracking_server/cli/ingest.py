"""`token-tracking ingest`."""

from typing import Any

import msgspec

from token_tracking.efficiency import cache_figures
from token_tracking.ingest import Ingested
from token_tracking.metrics import LedgerCounts
from token_tracking.pricing import usd
from token_tracking.recording import Drained
from token_tracking.store import Sums
from token_tracking_server.cli import output
from token_tracking_server.cli.ledger import opened
from token_tracking_server.cli.output import counted
from token_tracking_server.cli.progress import progress_bar
from token_tracking_server.cli.rows import cost
from token_tracking_server.cli.settling import (
    Settling,
    settled,
    settling_fields,
    settling_lines,
)
from token_tracking_server.figures import money, share, size
from token_tracking_server.settings import Settings


async def run(settings: Settings, *, as_json: bool, attribute: bool = True) -> int:
    """Read what is new, share out what its prompts cost, and say what came of it."""
    from token_tracking_server.catching_up import catch_up

    async with opened(settings) as (store, metrics):
        with progress_bar() as progress:
            drained, done = await catch_up(store, settings.claude_dirs, progress=progress)
        settling = await settled(store) if attribute else None
        ledger = await metrics.get_ledger_counts()
        database = store.location.path
    if as_json:
        attributed = None if settling is None else settling_fields(settling)
        left = msgspec.structs.asdict(drained)
        output.json({**_figures(done, ledger), "left_on_disk": left, "attributed": attributed})
    else:
        texts = [*_left(drained), *_lines(done, ledger), *_settled(settling)]
        for text in [*texts, f"Ledger: {database}"]:
            output.line(output.plain(text))
    return 1 if done.failures and not done.files and not done.unchanged else 0


def _left(drained: Drained) -> list[str]:
    lines: list[str] = []
    if drained.events:
        lines.append(f"Took in {counted(drained.events, 'message')} that programs left on disk.")
    if drained.torn:
        lines.append(f"Skipped {counted(drained.torn, 'message')} that a crash cut short.")
    if drained.refused:
        lines.append(
            f"Moved {counted(drained.refused, 'recorded line')} aside that cannot be saved:"
            " token-tracking doctor says where they are."
        )
    return lines


def _settled(settling: Settling | None) -> list[str]:
    return settling_lines(settling) if settling is not None and settling.sessions else []


def _figures(done: Ingested, ledger: LedgerCounts) -> dict[str, Any]:
    return {
        "files": ledger.files,
        "lines": ledger.lines,
        "skipped_lines": ledger.malformed_lines + ledger.unusable_lines,
        "malformed_lines": ledger.malformed_lines,
        "lines_without_usage": ledger.unusable_lines,
        "sessions": ledger.sessions,
        **_counts(ledger.sums),
        "unpriced_models": ledger.unpriced_models,
        "messages_by_model": ledger.messages_by_model,
        "new": {
            "files": done.files,
            "lines": done.lines,
            "skipped_lines": done.skipped_lines,
            "sessions": done.saved.sessions,
            **_counts(done.saved.sums),
            "unpriced_models": _nonzero(done.saved.unpriced_models),
            "messages_by_model": _nonzero(done.saved.messages_by_model),
        },
        "unreadable": done.failures,
    }


def _nonzero(counts: dict[str, int]) -> dict[str, int]:
    return {model: count for model, count in counts.items() if count}


def _counts(sums: Sums) -> dict[str, Any]:
    return {
        "messages": sums.messages,
        "partial_messages": sums.partial_messages,
        "tool_uses": sums.tool_uses,
        "input_tokens": sums.input_tokens,
        "output_tokens": sums.output_tokens,
        "cache_read_tokens": sums.cache_read_tokens,
        "cache_write_tokens": sums.cache_write_tokens,
        "cache_write_1h_tokens": sums.cache_write_1h_tokens,
        "cost_usd": output.number(cost(sums)),
        "unpriced_messages": sums.unpriced_messages,
    }


def _lines(done: Ingested, ledger: LedgerCounts) -> list[str]:
    folders = ", ".join(map(str, done.folders))
    lines = (
        [f"Found {counted(done.found, 'transcript')} in {folders}."]
        if done.found
        else [_nothing(done)]
    )
    new = done.saved.sums
    if done.files:
        lines.append(
            f"Read {done.files:,} of them: {counted(done.lines, 'line')}, {size(done.bytes_read)}."
        )
    lines += _skipped(done)
    lines.append(
        f"New: {counted(new.messages, 'message')}, {counted(done.saved.sessions, 'session')},"
        f" {money(usd(new.cost_pico))}."
        if done.files
        else "Nothing is new."
    )
    cache = cache_figures(ledger.sums)
    lines.append(
        f"The ledger has {counted(ledger.sums.messages, 'message')} of"
        f" {counted(ledger.sessions, 'session')}:"
        f" {money(cost(ledger.sums))}, {share(cache.hit_rate)} of the prompt from cache."
    )
    if ledger.sums.partial_messages:
        lines.append(
            f"{counted(ledger.sums.partial_messages, 'message')} without a final count: their"
            " output is a lower bound."
        )
    for model, count in ledger.unpriced_models.items():
        lines.append(f"No price for {counted(count, 'message')} of {model or 'an unnamed model'}.")
    return lines


def _nothing(done: Ingested) -> str:
    if not done.folders:
        return "No Claude Code folder was found. Name yours with --claude-dir."
    return f"No transcripts in {', '.join(map(str, done.folders))}."


def _skipped(done: Ingested) -> list[str]:
    lines: list[str] = []
    if done.malformed_lines:
        lines.append(f"Skipped {counted(done.malformed_lines, 'line')}: no JSON object.")
    if done.unusable_lines:
        lines.append(
            f"Skipped {counted(done.unusable_lines, 'answer')}: no valid usage, or no time."
        )
    lines += [f"Cannot read {path}: {reason}." for path, reason in done.failures.items()]
    return lines
