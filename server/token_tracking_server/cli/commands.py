"""One function a command. Each imports only what it needs: a command's start is part of it."""

import asyncio
from argparse import Namespace

from token_tracking.errors import TokenTrackingError
from token_tracking_server.settings import Settings


def ingest(options: Namespace, settings: Settings) -> int:
    """`token-tracking ingest`."""
    from token_tracking_server.cli.ingest import run

    return asyncio.run(run(settings, as_json=options.json))


def report(options: Namespace, settings: Settings) -> int:
    """`token-tracking report`."""
    from token_tracking_server.cli.report import ReportRequest, run

    request = ReportRequest(
        by=options.by,
        period=options.period,
        model=options.model,
        project=options.project,
        ingest=not options.no_ingest,
        output="json" if options.json else "csv" if options.csv else "table",
    )
    return asyncio.run(run(settings, request))


def session(options: Namespace, settings: Settings) -> int:
    """`token-tracking session`."""
    from token_tracking_server.cli.session import run

    return asyncio.run(
        run(settings, options.session_id, as_json=options.json, ingest=not options.no_ingest)
    )


def library(options: Namespace, settings: Settings) -> int:
    """`token-tracking library`."""
    from token_tracking_server.cli.library import run

    return asyncio.run(run(settings, options.query, as_json=options.json))


def doctor(options: Namespace, settings: Settings) -> int:
    """`token-tracking doctor`."""
    from token_tracking_server.cli.doctor import run

    return asyncio.run(run(settings))


def reprice(options: Namespace, settings: Settings) -> int:
    """`token-tracking reprice`."""
    from token_tracking_server.cli.reprice import run

    return asyncio.run(run(settings))


def count(options: Namespace, settings: Settings) -> int:
    """`token-tracking count`."""
    from token_tracking_server.cli.count import run

    return asyncio.run(
        run(
            settings,
            options.files,
            options.model,
            reference=options.reference,
            as_json=options.json,
        )
    )


def calibrate(options: Namespace, settings: Settings) -> int:
    """`token-tracking calibrate`."""
    from token_tracking_server.cli.calibrate import run

    return asyncio.run(run(settings, as_json=options.json))


def setup(options: Namespace, settings: Settings) -> int:
    """`token-tracking setup`."""
    from token_tracking_server.cli.setup import run

    return run(settings)


def serve(options: Namespace, settings: Settings) -> int:
    """`token-tracking serve`."""
    from token_tracking_server.serving import serve_http, serve_stdio

    if options.http is None:
        return serve_stdio(settings)
    return serve_http(settings, *address(options.http))


def address(text: str) -> tuple[str, int]:
    """HOST:PORT as a pair; `[::1]:8765` for IPv6.

    Raises:
        TokenTrackingError: it is none.
    """
    host, colon, port = text.rpartition(":")
    if not colon or not port.isdecimal() or not 0 <= int(port) <= 65535:
        raise TokenTrackingError(f"--http {text}: write HOST:PORT, such as 127.0.0.1:8765.")
    return host.strip("[]") or "127.0.0.1", int(port)
