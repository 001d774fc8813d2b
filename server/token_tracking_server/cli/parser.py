"""The words of the command line."""

import argparse
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from token_tracking import __version__
from token_tracking_server.cli import commands
from token_tracking_server.settings import Settings

GROUPINGS = ("day", "week", "month", "block", "model", "project", "session")
_UNSET: Any = argparse.SUPPRESS


def build_parser() -> argparse.ArgumentParser:
    """The parser; each command's function stands in `run`."""
    shared, sources, library = _shared_options(), _source_options(), _library_options()
    parser = argparse.ArgumentParser(
        prog="token-tracking",
        description="Where your tokens and money went, exactly.",
        parents=[shared],
        epilog="Costs are at API prices: on a subscription, what the API would have charged.",
    )
    parser.add_argument("--version", action="version", version=f"token-tracking {__version__}")
    words = parser.add_subparsers(metavar="COMMAND", required=True)
    _add_ingest(words, [shared, sources])
    _add_report(words, [shared, sources])
    _add_session(words, [shared, sources])
    _add_count(words, [shared])
    _add_calibrate(words, [shared, sources])
    _add_library(words, [shared, library])
    _add_serve(words, [shared, sources, library])
    doctor = words.add_parser(
        "doctor",
        parents=[shared, sources, library],
        help="what was found, what is wrong, how to mend it",
    )
    doctor.set_defaults(run=commands.doctor)
    reprice = words.add_parser(
        "reprice", parents=[shared], help="price every message anew, after prices changed"
    )
    reprice.set_defaults(run=commands.reprice)
    setup = words.add_parser(
        "setup",
        parents=[shared, sources, library],
        help="a first report, a check, and how to register",
    )
    setup.set_defaults(run=commands.setup)
    return parser


def _shared_options() -> argparse.ArgumentParser:
    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument(
        "--db",
        metavar="PATH",
        default=_UNSET,
        help="the ledger: a path, or a URL such as sqlite:////absolute/path.db"
        " (default: TOKEN_TRACKING_DB, or a file in your data folder)",
    )
    shared.add_argument(
        "--prices",
        metavar="FILE",
        type=Path,
        default=_UNSET,
        help="a TOML file with prices of your own (default: TOKEN_TRACKING_PRICES,"
        " or prices.toml beside the default ledger)",
    )
    return shared


def _source_options() -> argparse.ArgumentParser:
    sources = argparse.ArgumentParser(add_help=False)
    sources.add_argument(
        "--claude-dir",
        metavar="DIR",
        type=Path,
        action="append",
        default=_UNSET,
        help="a folder that holds projects/; may be repeated (default: CLAUDE_CONFIG_DIR, or"
        " ~/.claude and ~/.config/claude)",
    )
    return sources


def _folder(text: str) -> Path:
    if not text.strip():
        raise argparse.ArgumentTypeError("the name of the folder is empty")
    return Path(text)


def _library_options() -> argparse.ArgumentParser:
    library = argparse.ArgumentParser(add_help=False)
    library.add_argument(
        "--library",
        metavar="DIR",
        type=_folder,
        action="append",
        default=_UNSET,
        help="a folder of Markdown and skills for the assistant to search; may be repeated"
        " (default: TOKEN_TRACKING_LIBRARY, or the guides that come with token-tracking)",
    )
    return library


def settings_of(options: argparse.Namespace) -> Settings:
    """The settings of the environment, under those of the command line."""
    settings = Settings.from_environment()
    given = vars(options)
    folders = tuple(given.get("claude_dir") or ()) + tuple(given.get("folders") or ())
    return replace(
        settings,
        database=given.get("db", settings.database),
        user_prices=given.get("prices", settings.user_prices),
        claude_dirs=folders or settings.claude_dirs,
        timezone=given.get("timezone") or settings.timezone,
        library=tuple(given.get("library") or settings.library),
    )


def _add_ingest(words: Any, parents: list[argparse.ArgumentParser]) -> None:
    ingest = words.add_parser("ingest", parents=parents, help="read what is new in the transcripts")
    ingest.add_argument("--json", action="store_true", help="figures as JSON")
    ingest.set_defaults(run=commands.ingest)


def _add_report(words: Any, parents: list[argparse.ArgumentParser]) -> None:
    report = words.add_parser("report", parents=parents, help="tokens and money, by day or else")
    report.add_argument("--by", choices=GROUPINGS, default="day", help="(default: day)")
    report.add_argument(
        "--period",
        default="all",
        help="today, 7d, 30d, all, or FROM..TO, where TO is the first day that is left out"
        " (default: all)",
    )
    report.add_argument("--model", help="a model's name, or a part of it")
    report.add_argument("--project", help="a project's path, or a part of it")
    report.add_argument("--timezone", metavar="TZ", help="such as Europe/Berlin (default: yours)")
    report.add_argument("--no-ingest", action="store_true", help="report what the ledger has")
    output = report.add_mutually_exclusive_group()
    output.add_argument("--json", action="store_true", help="all rows, as JSON")
    output.add_argument("--csv", action="store_true", help="all rows, as CSV")
    report.set_defaults(run=commands.report)


def _add_session(words: Any, parents: list[argparse.ArgumentParser]) -> None:
    session = words.add_parser("session", parents=parents, help="what one session cost, and why")
    session.add_argument(
        "session_id",
        nargs="?",
        default="latest",
        metavar="ID",
        help="its id or the beginning of it (default: latest)",
    )
    session.add_argument("--no-ingest", action="store_true", help="report what the ledger has")
    session.add_argument("--timezone", metavar="TZ", help="such as Europe/Berlin (default: yours)")
    session.add_argument("--json", action="store_true", help="as JSON")
    session.set_defaults(run=commands.session)


def _add_count(words: Any, parents: list[argparse.ArgumentParser]) -> None:
    count = words.add_parser("count", parents=parents, help="how many tokens files have, offline")
    count.add_argument("files", nargs="+", metavar="FILE", help="a UTF-8 text; - is standard input")
    count.add_argument(
        "--model",
        metavar="M",
        help="the model that would read them (default: the newest Claude, which has the most)",
    )
    count.add_argument(
        "--reference",
        action="store_true",
        help="ask Anthropic instead, which sends them the text: needs ANTHROPIC_API_KEY and the"
        " package anthropic",
    )
    count.add_argument("--json", action="store_true", help="as JSON")
    count.set_defaults(run=commands.count)


def _add_calibrate(words: Any, parents: list[argparse.ArgumentParser]) -> None:
    calibrate = words.add_parser(
        "calibrate", parents=parents, help="learn from your transcripts to count better"
    )
    calibrate.add_argument("--json", action="store_true", help="figures as JSON")
    calibrate.set_defaults(run=commands.calibrate)


def _add_library(words: Any, parents: list[argparse.ArgumentParser]) -> None:
    library = words.add_parser(
        "library", parents=parents, help="what your assistant can search and load"
    )
    library.add_argument("query", nargs="?", help="search it instead of listing it")
    library.add_argument("--json", action="store_true", help="as JSON")
    library.set_defaults(run=commands.library)


def _add_serve(words: Any, parents: list[argparse.ArgumentParser]) -> None:
    serve = words.add_parser("serve", parents=parents, help="the MCP server, on stdio or HTTP")
    serve.add_argument("--http", metavar="HOST:PORT", help="serve HTTP, such as 127.0.0.1:8765")
    serve.add_argument("folders", nargs="*", type=Path, metavar="DIR", help=argparse.SUPPRESS)
    serve.set_defaults(run=commands.serve)
