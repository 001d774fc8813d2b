"""`python -m token_tracking.recording LEDGER PRICES`: saves the segments that it is told of, one a
line, until its input ends (`ChildDrain`)."""

import signal
import sys
from pathlib import Path

from token_tracking.location import locate
from token_tracking.recording.drains import LedgerDrain, answer


def serve(database: str, user_prices: str) -> None:
    """Answer each order with a line."""
    # A terminal or a supervisor signals the whole group: the parent has more to save as it ends.
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, signal.SIG_IGN)
    drain = LedgerDrain(locate(database), Path(user_prices) if user_prices else None)
    for order in sys.stdin.buffer:
        sys.stdout.buffer.write(answer(drain, order))
        sys.stdout.buffer.flush()
    drain.close()


if __name__ == "__main__":
    serve(*sys.argv[1:3])
