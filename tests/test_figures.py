from decimal import Decimal

import pytest

from token_tracking_server.figures import money, share, size, tokens


@pytest.mark.parametrize(
    ("usd", "text"),
    [
        (None, "unknown"),
        ("0", "$0.00"),
        ("0.00001", "<$0.0001"),
        ("-0.00001", "-<$0.0001"),
        ("0.0042", "$0.0042"),
        ("0.01", "$0.01"),
        ("12.346", "$12.35"),
        ("-3", "-$3.00"),
        ("1234.5", "$1,234.50"),
    ],
)
def test_money(usd: str | None, text: str) -> None:
    assert money(None if usd is None else Decimal(usd)) == text


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0"),
        (9_999, "9,999"),
        (10_000, "10.0k"),
        (999_949, "999.9k"),
        (999_950, "1.0M"),
        (252_530_530, "252.5M"),
        (5 * 10**9, "5.0B"),
        (7 * 10**12, "7.0T"),
    ],
)
def test_tokens(count: int, text: str) -> None:
    assert tokens(count) == text


@pytest.mark.parametrize(
    ("value", "text"), [(None, "unknown"), (0, "0.0%"), (0.99999, ">99.9%"), (1, "100.0%")]
)
def test_shares(value: float | None, text: str) -> None:
    assert share(value) == text


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0 bytes"), (999, "999 bytes"), (1500, "1.5 kB"), (10**13, "10000.0 GB")],
)
def test_sizes(count: int, text: str) -> None:
    assert size(count) == text
