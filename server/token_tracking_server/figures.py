"""Figures as people read them."""

from decimal import Decimal

UNKNOWN = "unknown"


def money(usd: Decimal | None) -> str:
    """USD: cents, or hundredths of a cent below a cent. `None` is unknown."""
    if usd is None:
        return UNKNOWN
    places = 2 if abs(usd) >= Decimal("0.01") or usd == 0 else 4
    text = f"{abs(usd):,.{places}f}"
    if usd and not float(text.replace(",", "")):
        text = f"<0.{'0' * (places - 1)}1"
        return f"{'-' if usd < 0 else ''}${text}".replace("$<", "<$")
    return f"{'-' if usd < 0 else ''}${text}"


def tokens(count: int) -> str:
    """A count of tokens in at most six characters: 9,999, 12.3k, 252.5M."""
    for unit, size in (("", 1), ("k", 1_000), ("M", 1_000_000), ("B", 1_000_000_000)):
        scaled = count / size
        if unit == "" and count < 10_000:
            return f"{count:,}"
        if unit and scaled < 999.95:
            return f"{scaled:.1f}{unit}"
    return f"{count / 1_000_000_000_000:,.1f}T"


def share(value: float | None) -> str:
    """A share from 0 to 1 as a percentage; never 100% or 0% where it is not exactly that."""
    if value is None:
        return UNKNOWN
    if 0.9995 <= value < 1:
        return ">99.9%"
    return "<0.1%" if 0 < value < 0.0005 else f"{value * 100:.1f}%"


def percent(value: float | None) -> str:
    """A percentage, which may be negative: a loss; never 100% where it is not exactly that."""
    if value is None:
        return UNKNOWN
    if 99.95 <= value < 100:
        return ">99.9%"
    return f"{value:.1f}%" if value > -100_000 else "<-100,000%"


def size(count: int) -> str:
    """Bytes."""
    for unit, unit_size in (("bytes", 1), ("kB", 1_000), ("MB", 1_000_000), ("GB", 1_000_000_000)):
        if count < unit_size * 1_000 or unit == "GB":
            return f"{count:,} bytes" if unit == "bytes" else f"{count / unit_size:.1f} {unit}"
    raise AssertionError
