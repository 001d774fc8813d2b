"""Options that several commands take."""

import argparse
from pathlib import Path
from typing import Any, Final

UNSET: Final[Any] = argparse.SUPPRESS
PERIODS: Final = (
    "today, 7d, 30d, all; last_hour, last_day, last_week, last_month, all_time; or FROM..TO, where"
    " TO is the first day that is left out"
)

SHARE_GROUPINGS: Final = (
    "item",
    "path",
    "tool",
    "mcp-server",
    "skill",
    "agent",
    "category",
    "kind",
)
"""By which `report` says where the prompts' money went."""


def shared_options() -> argparse.ArgumentParser:
    """Where the ledger is, and prices of the user's own."""
    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument(
        "--db",
        metavar="PATH",
        default=UNSET,
        help="the ledger: a path, or a URL such as sqlite:////absolute/path.db"
        " (default: TOKEN_TRACKING_DB, or a file in your data folder)",
    )
    shared.add_argument(
        "--prices",
        metavar="FILE",
        type=Path,
        default=UNSET,
        help="a TOML file with prices of your own (default: TOKEN_TRACKING_PRICES,"
        " or prices.toml beside the default ledger)",
    )
    return shared


def source_options() -> argparse.ArgumentParser:
    """Where the transcripts are."""
    sources = argparse.ArgumentParser(add_help=False)
    sources.add_argument(
        "--claude-dir",
        metavar="DIR",
        type=Path,
        action="append",
        default=UNSET,
        help="a folder that holds projects/; may be repeated (default: CLAUDE_CONFIG_DIR, or"
        " ~/.claude and ~/.config/claude)",
    )
    return sources


def library_options() -> argparse.ArgumentParser:
    """Where the library is."""
    library = argparse.ArgumentParser(add_help=False)
    library.add_argument(
        "--library",
        metavar="DIR",
        type=_folder,
        action="append",
        default=UNSET,
        help="a folder of Markdown and skills for the assistant to search; may be repeated"
        " (default: TOKEN_TRACKING_LIBRARY, or the guides that come with token-tracking)",
    )
    return library


def question_options(period: str) -> argparse.ArgumentParser:
    """Over which time, and of how fresh a ledger; `period` is the default."""
    question = argparse.ArgumentParser(add_help=False)
    question.add_argument("--period", default=period, help=f"{PERIODS} (default: {period})")
    add_ledger_options(question)
    return question


def add_ledger_options(question: argparse.ArgumentParser) -> None:
    """The time zone, and whether to read the transcripts first."""
    question.add_argument("--timezone", metavar="TZ", help="such as Europe/Berlin (default: yours)")
    question.add_argument("--no-ingest", action="store_true", help="report what the ledger has")


def add_outputs(question: argparse.ArgumentParser) -> None:
    """A table, JSON or CSV."""
    output = question.add_mutually_exclusive_group()
    output.add_argument("--json", action="store_true", help="all rows, as JSON")
    output.add_argument("--csv", action="store_true", help="all rows, as CSV")


def positive(text: str) -> int:
    """A count of at least one."""
    try:
        count = int(text)
    except ValueError:
        count = 0
    if count < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no count of at least 1")
    return count


def port(text: str) -> int:
    """A TCP port; 0 is any free one."""
    if not text.isdecimal() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is no port from 0 to 65535")
    return int(text)


def _folder(text: str) -> Path:
    if not text.strip():
        raise argparse.ArgumentTypeError("the name of the folder is empty")
    return Path(text)
