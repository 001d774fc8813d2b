"""The words of the commands that ask the ledger where the tokens and the money went."""

import argparse
from pathlib import Path
from typing import Any, Final

from token_tracking_server.cli import commands
from token_tracking_server.cli.shared_options import (
    PERIODS,
    SHARE_GROUPINGS,
    add_ledger_options,
    add_outputs,
    port,
    positive,
    question_options,
)

GROUPINGS: Final = ("day", "week", "month", "block", "model", "project", "session")
RESOURCE: Final = "resource"
METRICS: Final = ("cost", "tokens", "efficiency", "carried")
_Parents = list[argparse.ArgumentParser]


def add_report(words: Any, parents: _Parents) -> None:
    """`report`: totals by time, model or place, or where the prompts' money went."""
    report = words.add_parser(
        "report",
        parents=parents,
        help="tokens and money by day or else; by tool, file, server, skill",
        description="Totals of messages by day, week, month, block, model, project or session; or"
        " where the prompts' money went, by item, path, tool, mcp-server, skill, agent, category"
        " or kind.",
    )
    report.add_argument(
        "--by",
        choices=(*GROUPINGS, *SHARE_GROUPINGS),
        default="day",
        metavar="WHAT",
        help="one of these (default: day)",
    )
    report.add_argument("--period", default="all", help=f"{PERIODS} (default: all)")
    report.add_argument("--model", help="a model's name, or a part of it")
    report.add_argument("--project", help="a project's path, or a part of it")
    report.add_argument(
        "--limit",
        type=positive,
        metavar="N",
        help="the dearest N rows, by item, path, tool, ... (default: 25 in a table, else all)",
    )
    add_ledger_options(report)
    add_outputs(report)
    report.set_defaults(run=commands.report)


def add_session(words: Any, parents: _Parents) -> None:
    """`session`: one session in every form."""
    session = words.add_parser("session", parents=parents, help="what one session cost, and why")
    session.add_argument(
        "session_id",
        nargs="?",
        default="latest",
        metavar="ID",
        help="its id or the beginning of it (default: latest)",
    )
    add_ledger_options(session)
    output = session.add_mutually_exclusive_group()
    output.add_argument("--json", action="store_true", help="as JSON, with every item")
    output.add_argument("--md", action="store_true", help="as Markdown")
    output.add_argument(
        "--html", metavar="FILE", type=Path, help="as one page that needs nothing else, into FILE"
    )
    session.set_defaults(run=commands.session)


def add_questions(words: Any, parents: _Parents) -> None:
    """`top`, `trend`, `advice` and `efficiency`."""
    top = words.add_parser(
        "top",
        parents=[*parents, question_options("all")],
        help="what cost the most, or was carried the longest",
    )
    top.add_argument(
        "--metric",
        choices=METRICS,
        default="cost",
        help="what to rank by: efficiency is the percentage that caching saved (default: cost)",
    )
    top.add_argument(
        "--by",
        choices=(RESOURCE, *SHARE_GROUPINGS, "project"),
        default=RESOURCE,
        metavar="WHAT",
        help=f"{', '.join(SHARE_GROUPINGS)} or project (default: {RESOURCE}, which is a tool with"
        " each path or address)",
    )
    top.add_argument("--project", help="a project's path, or a part of it")
    top.add_argument("--limit", type=positive, default=10, metavar="N", help="(default: 10)")
    add_outputs(top)
    top.set_defaults(run=commands.top)
    trend = words.add_parser(
        "trend",
        parents=[*parents, question_options("last_week")],
        help="a period step by step, and against the one before",
    )
    trend.add_argument("--project", help="a project's path, or a part of it")
    add_outputs(trend)
    trend.set_defaults(run=commands.trend)
    advice = words.add_parser(
        "advice",
        parents=[*parents, question_options("last_month")],
        help="what to do about it, with the money at stake",
    )
    advice.add_argument("--json", action="store_true", help="as JSON")
    advice.set_defaults(run=commands.advice)
    efficiency = words.add_parser(
        "efficiency",
        parents=[*parents, question_options("all")],
        help="what caching and just-in-time loading saved",
    )
    efficiency.add_argument("--json", action="store_true", help="the whole snapshot, as JSON")
    efficiency.set_defaults(run=commands.efficiency)


def add_reconcile(words: Any, parents: _Parents) -> None:
    """`reconcile`: the ledger against the client, or the organisation's reports."""
    reconcile = words.add_parser(
        "reconcile",
        parents=[*parents, question_options("all")],
        help="the ledger against what others counted",
        description="The ledger against the totals that Claude Code wrote itself, or against your"
        " organisation's usage and cost reports.",
    )
    reconcile.add_argument(
        "--admin",
        action="store_true",
        help="ask Anthropic for the organisation's reports: needs ANTHROPIC_ADMIN_KEY",
    )
    reconcile.add_argument("--json", action="store_true", help="as JSON")
    reconcile.set_defaults(run=commands.reconcile)


def add_dashboard(words: Any, parents: _Parents) -> None:
    """`dashboard`: the page."""
    dashboard = words.add_parser(
        "dashboard", parents=parents, help="a page on this machine that lives with the data"
    )
    dashboard.add_argument(
        "--port", type=port, metavar="N", help="(default: 8788, or else a free one)"
    )
    dashboard.add_argument("--host", default="127.0.0.1", help="(default: 127.0.0.1)")
    dashboard.add_argument(
        "--no-open", action="store_true", help="print the address, and open no browser"
    )
    dashboard.add_argument(
        "--minutes", type=positive, metavar="N", help="end by itself after N minutes"
    )
    dashboard.add_argument(
        "--sample",
        action="store_true",
        help="show the sample that ships with token-tracking instead of your usage",
    )
    dashboard.add_argument(
        "--timezone", metavar="TZ", help="such as Europe/Berlin (default: yours)"
    )
    dashboard.set_defaults(run=commands.dashboard)
