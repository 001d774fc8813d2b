"""The rows of accounts and reservations: what of a quota is used, and what is held."""

import sqlite3
from collections.abc import Iterable
from typing import Final, NamedTuple

from token_tracking.limits.quotas.amounts import Cost, Measure
from token_tracking.limits.quotas.calendar import Window
from token_tracking.limits.quotas.rules import Applied

_FIND: Final = """
SELECT id, tokens, pico, requests, unpriced, estimated, first_at FROM accounts
WHERE subject = ? AND name = ? AND period = ? AND starts_at = ?
"""
_OPEN: Final = """
INSERT INTO accounts (subject, name, period, starts_at, resets_at) VALUES (?, ?, ?, ?, ?)
RETURNING id, tokens, pico, requests, unpriced, estimated, first_at
"""
_HELD: Final = """
SELECT coalesce(sum(tokens), 0), coalesce(sum(pico), 0) FROM reserved
WHERE account = ? AND expires_at > ?
"""
_HOLD: Final = """
INSERT INTO reserved (account, reservation, holder, tokens, pico, begun_at, expires_at)
VALUES (?, ?, ?, ?, ?, ?, ?)
"""
_BOOK: Final = """
UPDATE accounts SET tokens = tokens + ?, pico = pico + ?, requests = requests + 1,
    unpriced = unpriced + ?, estimated = estimated + ?, first_at = min(coalesce(first_at, ?), ?)
WHERE id = ? RETURNING id, tokens, pico, requests, unpriced, estimated, first_at
"""


class Account(NamedTuple):
    """What was billed in one window. Money is pico-USD; times are milliseconds since 1970 UTC."""

    id: int
    tokens: int
    pico: int
    requests: int
    unpriced: int
    estimated: int
    first_at: int | None

    def used(self, measure: Measure) -> int:
        """Tokens or pico-USD."""
        return self.pico if measure == "usd" else self.tokens


class Held(NamedTuple):
    """What requests under way may use: tokens and pico-USD."""

    tokens: int
    pico: int

    def of(self, measure: Measure) -> int:
        """Tokens or pico-USD."""
        return self.pico if measure == "usd" else self.tokens


class Hold(NamedTuple):
    """A reservation: its number, who renews it, what it holds, and since and until when."""

    reservation: int
    holder: str
    cost: Cost
    begun_at: int
    expires_at: int


class Bill(NamedTuple):
    """What a request really used; `unpriced` and `estimated` are 0 or 1."""

    tokens: int
    pico: int
    unpriced: int
    estimated: int


def account_of(connection: sqlite3.Connection, applied: Applied, window: Window) -> Account:
    """The account of a name in a window, opened where there is none."""
    key = (applied.quota.subject, applied.name, applied.quota.period, window.starts_at)
    row = connection.execute(_FIND, key).fetchone()
    row = row or connection.execute(_OPEN, (*key, window.resets_at)).fetchone()
    return Account(*row)


def held(connection: sqlite3.Connection, account: int, now: int) -> Held:
    """What is reserved in an account by requests that are still under way."""
    return Held(*connection.execute(_HELD, (account, now)).fetchone())


def hold(connection: sqlite3.Connection, accounts: Iterable[int], hold: Hold) -> None:
    """Reserve in each account."""
    connection.executemany(
        _HOLD,
        [
            (
                account,
                hold.reservation,
                hold.holder,
                hold.cost.tokens or 0,
                hold.cost.pico,
                hold.begun_at,
                hold.expires_at,
            )
            for account in accounts
        ],
    )


def let_go(connection: sqlite3.Connection, accounts: Iterable[int], reservation: int) -> None:
    """End a reservation."""
    connection.executemany(
        "DELETE FROM reserved WHERE account = ? AND reservation = ?",
        [(account, reservation) for account in accounts],
    )


def book(connection: sqlite3.Connection, account: int, bill: Bill, now: int) -> Account:
    """Add what was used; the account after it."""
    values = (bill.tokens, bill.pico, bill.unpriced, bill.estimated, now, now, account)
    return Account(*connection.execute(_BOOK, values).fetchone())


def renew(connection: sqlite3.Connection, holder: str, until: int, begun_after: int) -> None:
    """Keep what a living process holds, but what it has held for longer than a request takes."""
    connection.execute(
        "UPDATE reserved SET expires_at = ? WHERE holder = ? AND begun_at > ?",
        (until, holder, begun_after),
    )


def clear_away(connection: sqlite3.Connection, now: int, ended_before: int) -> None:
    """Forget expired reservations, and accounts and alerts of windows that ended long ago."""
    connection.execute("DELETE FROM reserved WHERE expires_at <= ?", (now,))
    connection.execute("DELETE FROM accounts WHERE resets_at < ?", (ended_before,))
    connection.execute("DELETE FROM alerts WHERE resets_at < ?", (ended_before,))
