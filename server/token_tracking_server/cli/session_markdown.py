"""A session as Markdown: the whole report, to keep or to send."""

from collections.abc import Sequence
from datetime import tzinfo
from typing import Final

from token_tracking.efficiency.session_timeline import Timeline, TimelineRequest
from token_tracking.metrics import SessionReport
from token_tracking_server.answers import session_answer
from token_tracking_server.answers.advice import advice_list
from token_tracking_server.answers.groups import ESTIMATED, groups_table
from token_tracking_server.answers.markdown import code, paragraphs, row, table
from token_tracking_server.answers.snapshot import reconciled_line
from token_tracking_server.answers.sums import counted
from token_tracking_server.cli.rows import iso
from token_tracking_server.figures import money, tokens

_ROOM: Final = 1_000_000
"""Characters: no row of a report to keep is folded."""


def session_markdown(data: SessionReport, timeline: Timeline, zone: tzinfo) -> str:
    """Its figures, the items of its prompts, the findings, the reconciliation, its requests."""
    return paragraphs(
        f"# Session {code(data.session_id)}",
        session_answer(data, zone),
        "## Where the prompts' money went",
        _items(timeline),
        "## What need not have been paid" if timeline.findings else None,
        advice_list(timeline.findings, most=len(timeline.findings)) or None,
        reconciled_line(timeline.reconciliation),
        "## Requests" if timeline.requests else None,
        _requests(timeline.requests, zone) if timeline.requests else None,
        _rest(timeline.total_requests - len(timeline.requests), "request"),
    )


def _items(timeline: Timeline) -> str:
    if timeline.problem:
        return f"This session cannot be attributed to items: {timeline.problem}"
    if not timeline.items:
        return "It has no prompts of its own."
    return paragraphs(
        groups_table(timeline.items, "item", most=len(timeline.items), size=_ROOM),
        _rest(timeline.total_items - len(timeline.items), "item"),
        ESTIMATED,
    )


def _rest(count: int, noun: str) -> str | None:
    return f"{counted(count, noun)} more in `--json`." if count > 0 else None


def _requests(requests: Sequence[TimelineRequest], zone: tzinfo) -> str:
    rows = [
        row(
            [
                iso(each.at, zone)[:19].replace("T", " "),
                code(each.model or "no model"),
                tokens(each.cache_read_tokens),
                tokens(each.cache_write_5m_tokens + each.cache_write_1h_tokens),
                tokens(each.input_tokens),
                tokens(each.output_tokens) + ("" if each.is_final else " or more"),
                money(each.cost_usd),
            ]
        )
        for each in requests
    ]
    return table(["At", "Model", "Read", "Written", "Uncached", "Output", "Cost"], rows, texts=2)
