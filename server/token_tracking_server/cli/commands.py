"""One function a command. Each imports only what it needs: a command's start is part of it."""

import asyncio
from argparse import Namespace
from typing import TYPE_CHECKING, Literal

from token_tracking.errors import TokenTrackingError
from token_tracking_server.settings import Settings

if TYPE_CHECKING:
    from token_tracking.shares import Metric


def ingest(options: Namespace, settings: Settings) -> int:
    """`token-tracking ingest`."""
    from token_tracking_server.cli.ingest import run

    return asyncio.run(run(settings, as_json=options.json, attribute=not options.no_attribution))


def report(options: Namespace, settings: Settings) -> int:
    """`token-tracking report`."""
    from token_tracking_server.cli.shared_options import SHARE_GROUPINGS

    if options.by in SHARE_GROUPINGS:
        return _shares(options, settings, metric="cost")
    from token_tracking_server.cli.report import ReportRequest, run

    if options.limit is not None:
        raise TokenTrackingError(
            f"--limit is not for --by {options.by}: choose a --period, or --by item, path, tool..."
        )
    request = ReportRequest(
        by=options.by,
        period=options.period,
        model=options.model,
        project=options.project,
        ingest=not options.no_ingest,
        output=_output(options),
    )
    return asyncio.run(run(settings, request))


def top(options: Namespace, settings: Settings) -> int:
    """`token-tracking top`."""
    return _shares(options, settings, metric=options.metric)


def _shares(options: Namespace, settings: Settings, metric: "Metric") -> int:
    from token_tracking_server.cli.groups import GroupRequest, run

    if vars(options).get("model"):
        raise TokenTrackingError(
            f"--model is not for --by {options.by}: one item is carried by prompts of several"
            " models. Use --project, or report --by model."
        )
    request = GroupRequest(
        by=options.by,
        metric=metric,
        period=options.period,
        project=options.project,
        limit=options.limit,
        ingest=not options.no_ingest,
        output=_output(options),
    )
    return asyncio.run(run(settings, request))


def _output(options: Namespace) -> 'Literal["table", "json", "csv"]':
    return "json" if options.json else "csv" if options.csv else "table"


def trend(options: Namespace, settings: Settings) -> int:
    """`token-tracking trend`."""
    from token_tracking_server.cli.trend import run

    return asyncio.run(
        run(
            settings,
            options.period,
            project=options.project,
            form=_output(options),
            ingest=not options.no_ingest,
        )
    )


def advice(options: Namespace, settings: Settings) -> int:
    """`token-tracking advice`."""
    from token_tracking_server.cli.advice import run

    return asyncio.run(
        run(settings, options.period, as_json=options.json, ingest=not options.no_ingest)
    )


def efficiency(options: Namespace, settings: Settings) -> int:
    """`token-tracking efficiency`."""
    from token_tracking_server.cli.efficiency import run

    return asyncio.run(
        run(settings, options.period, as_json=options.json, ingest=not options.no_ingest)
    )


def attribute(options: Namespace, settings: Settings) -> int:
    """`token-tracking attribute`."""
    from token_tracking_server.cli.attribute import run

    return asyncio.run(run(settings, recompute=options.recompute, as_json=options.json))


def session(options: Namespace, settings: Settings) -> int:
    """`token-tracking session`."""
    from token_tracking_server.cli.session import run

    form = options.html or ("json" if options.json else "md" if options.md else "table")
    return asyncio.run(run(settings, options.session_id, form=form, ingest=not options.no_ingest))


def dashboard(options: Namespace, settings: Settings) -> int:
    """`token-tracking dashboard`."""
    from contextlib import ExitStack

    from token_tracking_server.cli.dashboard import run
    from token_tracking_server.cli.sample import sample_ledger
    from token_tracking_server.cli.time_limit import time_limit

    with ExitStack() as stack:
        if options.sample:
            settings = stack.enter_context(sample_ledger(settings))
        if options.minutes is not None:
            stack.enter_context(time_limit(options.minutes))
        return run(settings, host=options.host, port=options.port, open_browser=not options.no_open)


def gateway(options: Namespace, settings: Settings) -> int:
    """`token-tracking gateway`."""
    from token_tracking_server.cli.gateway import run

    return run(settings, host=options.host, port=options.port, config=options.config)


def limits(options: Namespace, settings: Settings) -> int:
    """`token-tracking limits`."""
    from token_tracking_server.cli.limits import run

    return run(settings, as_json=options.json)


def reconcile(options: Namespace, settings: Settings) -> int:
    """`token-tracking reconcile`."""
    from token_tracking_server.cli.reconcile import run

    return asyncio.run(
        run(
            settings,
            period=options.period,
            admin=options.admin,
            as_json=options.json,
            ingest=not options.no_ingest,
        )
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

    return run(settings, dashboard=not options.no_dashboard)


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
