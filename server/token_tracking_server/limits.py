"""The quotas of the gateway and their alerts, as every surface shows them."""

import os
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

from msgspec import Struct

from token_tracking.limits import Alert, QuotaStatus, read_status, recent_alerts
from token_tracking.limits.database import beside
from token_tracking.location import default_location, locate
from token_tracking_server.settings import Settings

ALERTS = 10
"""The newest ones are shown."""


class Limits(Struct, frozen=True, kw_only=True):
    """Quotas in the order of the configuration, and alerts, the newest first."""

    quotas: list[QuotaStatus]
    alerts: list[Alert]


def limits_file(settings: Settings, environment: Mapping[str, str] = os.environ) -> Path:
    """Where the limits of a ledger stand."""
    given = settings.database
    ledger = default_location(environment) if given is None else locate(given)
    return beside(ledger.path)


def stamp(path: Path) -> str:
    """Another text whenever the limits may have changed, for less than a look costs."""
    times: list[int] = []
    for name in (path.name, f"{path.name}-wal"):
        with suppress(OSError):
            times.append(path.with_name(name).stat().st_mtime_ns)
    return f"{max(times, default=0):x}"


def read_limits(path: Path, *, clock: Callable[[], float] = time.time) -> Limits:
    """The limits as they are now; none where no gateway has any. It blocks for a millisecond.

    Raises:
        StoreError: the file cannot be read.
    """
    return Limits(quotas=read_status(path, clock=clock), alerts=recent_alerts(path, ALERTS))
