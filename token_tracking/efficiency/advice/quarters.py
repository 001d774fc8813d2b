"""Findings of one kind by quarter of an hour: each stands where its money was spent."""

from collections import defaultdict
from collections.abc import Iterator

from msgspec import Struct

from token_tracking.efficiency.advice.kinds import FLOOR_PICO, SIGNED
from token_tracking.shares import QUARTER_MS, Finding


class _Sum(Struct, gc=False):
    at: int
    pico: int = 0
    tokens: int = 0
    count: int = 0
    item: str | None = None
    most: int = 0


class ByQuarter:
    """The findings of one kind in a session, one for each subject and quarter of an hour, so that
    the money of a period is what was spent in it. The money of a subject over all quarters is that
    of the whole; `count` is that of its events, each in the quarter in which it was, so that it is
    0 where only what came of an earlier one was paid."""

    def __init__(self, kind: str, *, is_measured: bool = False) -> None:
        self._kind = kind
        self._is_measured = is_measured
        self._sums: defaultdict[str, dict[int, _Sum]] = defaultdict(dict)

    def add(
        self,
        subject: str,
        at: int,
        pico: int,
        tokens: int = 0,
        count: int = 0,
        item: str | None = None,
    ) -> None:
        """Money (pico-USD) that was spent at a moment. Of several items the dearest is named."""
        quarters, quarter = self._sums[subject], at // QUARTER_MS
        known = quarters.get(quarter)
        if known is None:
            known = quarters[quarter] = _Sum(at)
        known.at = min(known.at, at)
        known.pico += pico
        known.tokens += tokens
        known.count += count
        if item is not None and (known.item is None or (-pico, item) < (-known.most, known.item)):
            known.item, known.most = item, pico

    def findings(self) -> Iterator[Finding]:
        """Those of the subjects that are worth more than `FLOOR_PICO` in the session, or, of
        `SIGNED` kinds, anything."""
        for subject, quarters in self._sums.items():
            if self._is_kept(quarters):
                for each in quarters.values():
                    if each.pico or each.count or each.tokens:
                        yield self._finding(subject, each)

    def _is_kept(self, quarters: dict[int, _Sum]) -> bool:
        if self._kind in SIGNED:
            return any(each.pico for each in quarters.values())
        return sum(each.pico for each in quarters.values()) > FLOOR_PICO

    def _finding(self, subject: str, found: _Sum) -> Finding:
        return Finding(
            kind=self._kind,
            subject=subject,
            at=found.at,
            pico=found.pico,
            tokens=found.tokens,
            count=found.count,
            is_measured=self._is_measured,
            item=found.item,
        )
