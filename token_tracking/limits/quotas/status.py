"""How far quotas are used, for the gateway and for programs that only look."""

import sqlite3
import time
from collections.abc import Callable, Iterator
from datetime import tzinfo
from pathlib import Path
from typing import NamedTuple

from token_tracking.limits.database import reading
from token_tracking.limits.quotas.accounts import Account, Held, held
from token_tracking.limits.quotas.amounts import Measure, said
from token_tracking.limits.quotas.calendar import Window, window_of
from token_tracking.limits.quotas.definitions import read_rules
from token_tracking.limits.quotas.forecast import Pace, forecast
from token_tracking.limits.quotas.rules import Rules
from token_tracking.limits.quotas.values import EACH, MEASURES, Quota, QuotaStatus

_EMPTY = Account(0, 0, 0, 0, 0, 0, None)


class _Row(NamedTuple):
    quota: Quota
    name: str
    window: Window
    account: Account
    held: Held


def read_status(path: Path, *, clock: Callable[[], float] = time.time) -> list[QuotaStatus]:
    """The quotas of the gateway that was started last, and how far they are used now; none where
    there is no such file.

    Raises:
        StoreError: the file cannot be read.
    """
    with reading(path) as connection:
        if connection is None:
            return []
        rules, zone = read_rules(connection)
        return statuses(connection, rules, zone, round(clock() * 1000))


def statuses(
    connection: sqlite3.Connection, rules: Rules, zone: tzinfo | None, now: int
) -> list[QuotaStatus]:
    """One status an account and measure, in the order of the quotas: of a quota for each, those
    that have used something; of a named one always."""
    return [
        _status(row, limit, measure, now)
        for quota in rules.quotas
        for row in _rows(connection, rules, quota, zone, now)
        for measure in MEASURES
        if (limit := quota.limit_of(measure)) is not None
    ]


def _rows(
    connection: sqlite3.Connection, rules: Rules, quota: Quota, zone: tzinfo | None, now: int
) -> Iterator[_Row]:
    found = connection.execute(
        "SELECT name, starts_at, resets_at, id, tokens, pico, requests, unpriced, estimated,"
        " first_at FROM accounts WHERE subject = ? AND period = ? AND starts_at <= ?"
        " AND resets_at > ? ORDER BY name",
        (quota.subject, quota.period, now, now),
    ).fetchall()
    names = [str(row[0]) for row in found]
    for name, starts_at, resets_at, *account in found:
        if rules.named(quota.subject, quota.period, name) is quota:
            of = Account(*account)
            window = Window(starts_at, resets_at)
            yield _Row(quota, name, window, of, held(connection, of.id, now))
    if quota.name != EACH and quota.name not in names:
        window = window_of(quota.period, now, zone)
        yield _Row(quota, quota.name, window, _EMPTY, Held(0, 0))


def _status(row: _Row, limit: int, measure: Measure, now: int) -> QuotaStatus:
    quota, name, window, account, reserved = row
    used = account.used(measure)
    pace = Pace(used, limit, account.requests, account.first_at, *window)
    at, note, basis = forecast(pace, now)
    return QuotaStatus(
        subject=quota.subject,
        name=name,
        period=quota.period,
        measure=measure,
        is_hard=quota.is_hard,
        used=said(measure, used),
        reserved=said(measure, reserved.of(measure)),
        limit=said(measure, limit),
        share=used / limit,
        requests=account.requests,
        unpriced=account.unpriced,
        estimated=account.estimated,
        starts_at=window.starts_at,
        resets_at=window.resets_at,
        forecast_at=at,
        forecast_note=note,
        forecast_basis=basis,
    )
