"""How many requests must follow until an edit of the history has paid for its cache writes."""

import argparse
import math
import sys


def requests_to_break_even(read: float, write: float, clear: float, keep: float) -> float:
    """k in k * read * clear = (write - read) * keep. Prices are shares of the input price,
    `clear` and `keep` tokens: those removed, and those behind them, which are written anew."""
    return (write - read) * keep / (read * clear)


def main() -> None:
    """Print the number, for a warm cache."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--read", type=float, required=True, help="cache read / input, as 0.05")
    parser.add_argument("--write", type=float, required=True, help="cache write / input, as 1.25")
    parser.add_argument("--clear", type=float, required=True, help="tokens to remove")
    parser.add_argument("--keep", type=float, required=True, help="tokens behind them that stay")
    given = parser.parse_args()
    if min(given.read, given.write, given.clear) <= 0 or given.keep < 0:
        parser.error("prices and --clear must be above 0, --keep at least 0")
    count = requests_to_break_even(given.read, given.write, given.clear, given.keep)
    sys.stdout.write(
        f"Break-even at {count:.1f} requests: it pays if at least {math.floor(count) + 1} follow.\n"
        "With a lapsed cache it pays at once.\n"
    )


if __name__ == "__main__":
    main()
