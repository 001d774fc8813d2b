"""Alerts when a prompt grows past shares of its window."""

import inspect
import logging
from collections.abc import Callable, Iterable, Sequence
from typing import Final, cast

from token_tracking.window.errors import InvalidBudgetError
from token_tracking.window.prepared import Alert

SHARES: Final = (0.75, 0.9)
BELOW: Final = 0.8
"""So far below a share a prompt has to fall before it is told of again: policies come down to 0.9
of a budget, and a prompt that swings about there is one piece of news."""

_log: Final = logging.getLogger(__name__)


class Alerts:
    """Tells once of each share that is passed on the way up; again after the prompt fell well
    below it (to 0.8 of it)."""

    def __init__(
        self, shares: Sequence[float] = SHARES, call: Callable[[Alert], object] | None = None
    ) -> None:
        self._shares = _checked(shares)
        self._passed = 0
        if call is not None and not callable(call):
            raise InvalidBudgetError(f"on_alert is {call!r}: give a function of an Alert, or None.")
        self._call = call

    def check(
        self, tokens: int, window: int, filling: Callable[[], Iterable[tuple[str, int]]]
    ) -> tuple[Alert, ...]:
        """The alerts that a prompt of `tokens` raises; `filling` is asked for only then."""
        passed = sum(tokens >= share * window for share in self._shares)
        still = sum(tokens >= BELOW * share * window for share in self._shares)
        new = self._shares[self._passed : passed]
        self._passed = max(passed, min(self._passed, still))
        if not new:
            return ()
        most = tuple(sorted(filling(), key=_by_tokens))
        return tuple(
            Alert(share=share, tokens=tokens, window=window, filling=most) for share in new
        )

    async def tell(self, raised: Iterable[Alert]) -> None:
        """Call the caller's function, plain or `async`, with each alert. It may fail: a request
        that is ready is worth more than who wants to hear of it, so that is only logged."""
        if self._call is None:
            return
        for alert in raised:
            try:
                found = self._call(alert)
                if inspect.isawaitable(found):
                    await found
            except Exception:  # noqa: BLE001 (the caller's own code)
                _log.exception("on_alert failed with: %s", alert)


def _checked(shares: object) -> list[float]:
    """Shares in order, each once.

    Raises:
        InvalidBudgetError: they are none.
    """
    if isinstance(shares, str | bytes) or not isinstance(shares, Iterable):
        raise InvalidBudgetError(f"alert_at is {shares!r}: give shares of the window in a list.")
    found: set[float] = set()
    for share in cast("Iterable[object]", shares):
        if isinstance(share, bool) or not isinstance(share, int | float) or not 0 < share <= 1:
            raise InvalidBudgetError(
                f"alert_at has {share!r}: give shares of the window above 0 and up to 1."
            )
        found.add(share)
    return sorted(found)


def _by_tokens(part: tuple[str, int]) -> tuple[int, str]:
    return (-part[1], part[0])
