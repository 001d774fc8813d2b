"""Standard output: lines, JSON, CSV and tables."""

import sys
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

import msgspec


def line(text: str = "") -> None:
    """One line."""
    sys.stdout.write(text + "\n")


def plain(text: str) -> str:
    """Without control characters: names come from files, and a terminal obeys them."""
    return "".join(each if each.isprintable() else "\ufffd" for each in text)


def counted(count: int, noun: str) -> str:
    """`1 message`, `2,379 messages`."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def json(value: Any) -> None:
    """A value as JSON; a decimal as a number, to its last digit."""
    encoded = msgspec.json.Encoder(decimal_format="number").encode(value)
    line(msgspec.json.format(encoded, indent=2).decode())


def csv(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Rows as CSV with a header."""
    from csv import writer

    table = writer(sys.stdout, lineterminator="\n")
    table.writerow(columns)
    table.writerows(rows)


def number(usd: Decimal | None) -> float | None:
    """USD as a JSON number."""
    return None if usd is None else float(usd)
