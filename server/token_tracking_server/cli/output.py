"""Standard output: lines, JSON, CSV and tables."""

import sys
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

import msgspec


def line(text: str = "") -> None:
    """One line. What the terminal's encoding lacks is replaced."""
    encoding = sys.stdout.encoding or "utf-8"
    sys.stdout.write(text.encode(encoding, "replace").decode(encoding) + "\n")


def json(value: Any) -> None:
    """A value as JSON."""
    line(msgspec.json.format(msgspec.json.encode(value), indent=2).decode())


def csv(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Rows as CSV with a header."""
    from csv import writer

    table = writer(sys.stdout, lineterminator="\n")
    table.writerow(columns)
    table.writerows(rows)


def number(usd: Decimal | None) -> float | None:
    """USD as a JSON number."""
    return None if usd is None else float(usd)
