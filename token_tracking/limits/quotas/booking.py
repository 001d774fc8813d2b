"""What one request does to its accounts, within one transaction: reserve, then settle."""

import sqlite3
from collections.abc import Sequence
from typing import Final, NamedTuple

from token_tracking.limits.alerts.records import Level, raise_alert
from token_tracking.limits.quotas.accounts import (
    Account,
    Bill,
    Held,
    Hold,
    account_of,
    book,
    held,
    hold,
    let_go,
)
from token_tracking.limits.quotas.amounts import Cost, Measure
from token_tracking.limits.quotas.calendar import Window
from token_tracking.limits.quotas.rules import Applied
from token_tracking.limits.quotas.values import MEASURES

_PARTS: Final = 10**6
"""Shares are compared as millionths, since sums of pico-USD are finer than a float."""


class Entry(NamedTuple):
    """A quota that applies to a request, and the window that the request counts in: that in which
    it began."""

    applied: Applied
    window: Window


class Refusal(NamedTuple):
    """What a request would pass: tokens, or pico-USD."""

    entry: Entry
    measure: Measure
    used: int
    held: int
    asked: int
    limit: int
    is_news: bool


class Reserved(NamedTuple):
    """The accounts in which a request's reservation stands."""

    accounts: tuple[int, ...]


def reserve(
    connection: sqlite3.Connection, entries: Sequence[Entry], asked: Hold
) -> Reserved | Refusal:
    """Hold what a request may use in each of its accounts, or in none where a hard quota of one
    would be passed."""
    accounts: list[int] = []
    for entry in entries:
        account = account_of(connection, entry.applied, entry.window)
        accounts.append(account.id)
        if entry.applied.quota.is_hard:
            now = held(connection, account.id, asked.begun_at)
            refusal = _passed(entry, account, now, asked.cost)
            if refusal is not None:
                level = _level(entry, refusal.measure, refusal.used, refusal.limit, "refused", 1.0)
                is_news = raise_alert(connection, level, asked.begun_at)
                return refusal._replace(is_news=is_news)
    hold(connection, accounts, asked)
    return Reserved(tuple(accounts))


class Settlement(NamedTuple):
    """What ends a reservation: `bill` is `None` where the request cost nothing."""

    entries: tuple[Entry, ...]
    accounts: tuple[int, ...]
    reservation: int
    bill: Bill | None


def settle(connection: sqlite3.Connection, done: Settlement, now: int) -> bool:
    """Replace what was held by what was billed, also where that is more; whether an alert was
    raised."""
    let_go(connection, done.accounts, done.reservation)
    if done.bill is None:
        return False
    is_news = False
    for entry, number in zip(done.entries, done.accounts, strict=True):
        account = book(connection, number, done.bill, now)
        is_news = _raise_levels(connection, entry, account, now) or is_news
    return is_news


def bill_of(reserved: Cost, actual: Cost) -> Bill:
    """What is booked. Where the real amount is not known, what was reserved stands for it; dollars
    that nobody could reserve either are not in the sum, but the request is counted as unpriced."""
    tokens = reserved.tokens if actual.tokens is None else actual.tokens
    pico = reserved.pico if actual.pico is None else actual.pico
    is_estimated = actual.tokens is None or (actual.pico is None and reserved.pico is not None)
    return Bill(tokens or 0, pico or 0, int(pico is None), int(is_estimated))


def _passed(entry: Entry, account: Account, now: Held, asked: Cost) -> Refusal | None:
    for measure in MEASURES:
        limit = entry.applied.quota.limit_of(measure)
        wanted = asked.pico if measure == "usd" else asked.tokens
        if limit is None or wanted is None:
            continue
        used, others = account.used(measure), now.of(measure)
        # Who asks for nothing is let through only while something is left.
        if used + others + max(wanted, 1) > limit:
            return Refusal(entry, measure, used, others, wanted, limit, is_news=False)
    return None


def _raise_levels(connection: sqlite3.Connection, entry: Entry, account: Account, now: int) -> bool:
    quota, is_news = entry.applied.quota, False
    for measure in MEASURES:
        limit = quota.limit_of(measure)
        if limit is None:
            continue
        used = account.used(measure)
        for share in sorted(quota.alert_at):
            if used * _PARTS >= round(share * _PARTS) * limit:
                level = _level(entry, measure, used, limit, "share", share)
                is_news = raise_alert(connection, level, now) or is_news
    return is_news


def _level(entry: Entry, measure: Measure, used: int, limit: int, kind: str, share: float) -> Level:
    (quota, name), window = entry
    return Level(
        subject=quota.subject,
        name=name,
        period=quota.period,
        measure=measure,
        kind=kind,
        share=float(share),
        used=used,
        most=limit,
        is_hard=quota.is_hard,
        starts_at=window.starts_at,
        resets_at=window.resets_at,
    )
