"""Standard output: lines, JSON, CSV and tables."""

import sys
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any, Final

import msgspec

from token_tracking_server.printable import printable

_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")


def line(text: str = "") -> None:
    """One line."""
    sys.stdout.write(text + "\n")


def plain(text: str) -> str:
    """Without control characters: names come from files, and a terminal obeys them."""
    return printable(text)


def counted(count: int, noun: str) -> str:
    """`1 message`, `2,379 messages`."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def nothing_in(period: str) -> str:
    """What to say of a period without messages."""
    if period in {"all", "all_time"}:
        return (
            "The ledger is empty. Read your transcripts: token-tracking ingest. If there are none"
            " to read, see: token-tracking doctor."
        )
    return f"No messages in the period {plain(period)}. See all of them: --period all_time."


def json(value: Any) -> None:
    """A value as JSON; a decimal as a number, to its last digit."""
    encoded = msgspec.json.Encoder(decimal_format="number").encode(value)
    line(msgspec.json.format(encoded, indent=2).decode())


def csv(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Rows as CSV with a header. Text is plain, and none is taken for a formula."""
    from csv import writer

    table = writer(sys.stdout, lineterminator="\n")
    table.writerow(columns)
    table.writerows([_cell(each) for each in row] for row in rows)


def _cell(value: Any) -> Any:
    """A spreadsheet calculates a text that begins so: names come from files. Numbers stay."""
    if not isinstance(value, str):
        return value
    return f"'{plain(value)}" if value.startswith(_FORMULA) else plain(value)


def rows_as_csv(rows: Sequence[dict[str, Any]]) -> None:
    """Rows of one shape as CSV; what is not known is empty."""
    columns = list(rows[0]) if rows else []
    csv(columns, [["" if each is None else each for each in row.values()] for row in rows])


def number(usd: Decimal | None) -> float | None:
    """USD as a JSON number."""
    return None if usd is None else float(usd)
