"""Alerts when a prompt grows past shares of its window."""

from collections.abc import Callable, Iterable, Sequence
from typing import Final

from token_tracking.window.errors import InvalidBudgetError
from token_tracking.window.prepared import Alert

SHARES: Final = (0.75, 0.9)


class Alerts:
    """Tells once of each share that is passed on the way up; again after the prompt fell below."""

    def __init__(
        self, shares: Sequence[float] = SHARES, call: Callable[[Alert], object] | None = None
    ) -> None:
        for share in shares:
            if type(share) not in (int, float) or not 0 < share <= 1:
                raise InvalidBudgetError(
                    f"alert_at has {share!r}: give shares of the window above 0 and up to 1."
                )
        self._shares = sorted(set(shares))
        self._passed = 0
        self._call = call

    def check(
        self, tokens: int, window: int, filling: Callable[[], Iterable[tuple[str, int]]]
    ) -> tuple[Alert, ...]:
        """The alerts that a prompt of `tokens` raises; `filling` is asked for only then."""
        passed = sum(tokens >= share * window for share in self._shares)
        new = self._shares[self._passed : passed]
        self._passed = passed
        if not new:
            return ()
        most = tuple(sorted(filling(), key=_by_tokens))
        raised = tuple(
            Alert(share=share, tokens=tokens, window=window, filling=most) for share in new
        )
        if self._call is not None:
            for alert in raised:
                self._call(alert)
        return raised


def _by_tokens(part: tuple[str, int]) -> tuple[int, str]:
    return (-part[1], part[0])
