"""The words of the command line."""

import argparse
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from token_tracking import __version__
from token_tracking_server.cli import commands
from token_tracking_server.cli.question_words import (
    add_dashboard,
    add_questions,
    add_reconcile,
    add_report,
    add_session,
)
from token_tracking_server.cli.shared_options import (
    library_options,
    port,
    shared_options,
    source_options,
)
from token_tracking_server.settings import Settings


def build_parser() -> argparse.ArgumentParser:
    """The parser; each command's function stands in `run`."""
    shared, sources, library = shared_options(), source_options(), library_options()
    parser = argparse.ArgumentParser(
        prog="token-tracking",
        description="Where your tokens and money went, exactly.",
        parents=[shared],
        epilog="Costs are at API prices: on a subscription, what the API would have charged.",
    )
    parser.add_argument("--version", action="version", version=f"token-tracking {__version__}")
    words = parser.add_subparsers(metavar="COMMAND", required=True)
    _add_ingest(words, [shared, sources])
    add_report(words, [shared, sources])
    add_session(words, [shared, sources])
    add_questions(words, [shared, sources])
    add_dashboard(words, [shared, sources])
    add_reconcile(words, [shared, sources])
    _add_attribute(words, [shared])
    _add_count(words, [shared])
    _add_calibrate(words, [shared, sources])
    _add_library(words, [shared, library])
    _add_serve(words, [shared, sources, library])
    _add_gateway(words, [shared, library])
    _add_limits(words, [shared])
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
    _add_setup(words, [shared, sources, library])
    return parser


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
    ingest.add_argument(
        "--no-attribution",
        action="store_true",
        help="leave it to the first report that asks which items the prompts' money went to",
    )
    ingest.set_defaults(run=commands.ingest)


def _add_attribute(words: Any, parents: list[argparse.ArgumentParser]) -> None:
    attribute = words.add_parser(
        "attribute",
        parents=parents,
        help="share out what prompts cost among what stood in them",
        description="Attributes the sessions that changed since; the other commands do so by"
        " themselves.",
    )
    attribute.add_argument(
        "--recompute", action="store_true", help="every session anew, not only those that changed"
    )
    attribute.add_argument("--json", action="store_true", help="figures as JSON")
    attribute.set_defaults(run=commands.attribute)


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


def _add_gateway(words: Any, parents: list[argparse.ArgumentParser]) -> None:
    gateway = words.add_parser(
        "gateway",
        parents=parents,
        help="stand between your programs and the providers, and record",
        description="Point a client's base URL at it: ANTHROPIC_BASE_URL=http://127.0.0.1:8080 or"
        " OPENAI_BASE_URL=http://127.0.0.1:8080/v1. Callers' keys are passed on.",
    )
    gateway.add_argument(
        "--host",
        help="where to listen (default: 127.0.0.1); an address that other machines reach takes a"
        " token in TOKEN_TRACKING_GATEWAY_TOKEN",
    )
    gateway.add_argument("--port", type=port, help="(default: 8080; 0 takes a free one)")
    gateway.add_argument(
        "--config",
        metavar="FILE",
        type=Path,
        help="upstreams, limits, quotas, alerts and agents, as TOML"
        " (default: TOKEN_TRACKING_GATEWAY_CONFIG, or the presets alone)",
    )
    gateway.set_defaults(run=commands.gateway)


def _add_limits(words: Any, parents: list[argparse.ArgumentParser]) -> None:
    limits = words.add_parser(
        "limits",
        parents=parents,
        help="how far the gateway's quotas are used, and until when they last",
    )
    limits.add_argument("--timezone", metavar="TZ", help="such as Europe/Berlin (default: yours)")
    limits.add_argument("--json", action="store_true", help="as JSON")
    limits.set_defaults(run=commands.limits)


def _add_setup(words: Any, parents: list[argparse.ArgumentParser]) -> None:
    setup = words.add_parser(
        "setup", parents=parents, help="a first report, a check, how to register, the dashboard"
    )
    setup.add_argument(
        "--no-dashboard", action="store_true", help="do not start the dashboard at the end"
    )
    setup.set_defaults(run=commands.setup)
