"""What can be asked of a ledger about findings. Ranges are in milliseconds since 1970 UTC,
half-open, `None` where they are open."""

from typing import Any, Final

from token_tracking.shares import QUARTER_MS, Finding
from token_tracking.store.period_reads import PeriodReads
from token_tracking.store.share_records import FindingSums
from token_tracking.store.spans import DAY_QUARTERS
from token_tracking.store.sums import ALL_PROJECTS

_DAY_MS: Final = DAY_QUARTERS * QUARTER_MS
_NO_DAY: Final = 10**10
"""Later than any time in 63 bits of milliseconds that a ledger has."""

_SUMS: Final = FindingSums.__struct_fields__
_FEW: Final = 1_000
"""So many findings of a range are added up at once."""


class FindingReads(PeriodReads):
    """The questions about findings. They answer as of the last `settle`."""

    few_findings = _FEW
    """Up to so many findings of a range are added up; of more, sums are kept."""

    async def findings(
        self, start: int | None = None, end: int | None = None, project: str | None = None
    ) -> list[FindingSums]:
        """The findings of a period by kind and subject, the dearest first."""
        low = -_NO_DAY if start is None else -(-start // _DAY_MS)
        high = _NO_DAY if end is None else end // _DAY_MS
        where = {
            "start": low * _DAY_MS if start is None else start,
            "end": high * _DAY_MS if end is None else end,
        }
        days = {
            "low": low,
            "high": high,
            "is_all": int(start is None and end is None),
            "is_open": int(start is None),
        }
        async with self._reading():
            row = await self._project_row(project)
            if low < high and await self._are_many(row, where):
                found = self._sql.many_findings(self._db, row=row, **where, **days)
            elif row == ALL_PROJECTS:
                found = self._sql.few_findings(self._db, **where)
            else:
                found = self._sql.project_findings(self._db, row=row, **where)
            return [
                FindingSums(
                    **dict(zip(FindingSums.__struct_fields__, _with_flag(row), strict=True))
                )
                async for row in found
            ]

    async def _are_many(self, row: int, where: dict[str, int]) -> bool:
        if row == ALL_PROJECTS:
            count: int = await self._sql.count_findings(self._db, limit=self.few_findings, **where)
        else:
            count = await self._sql.count_project_findings(self._db, row=row)
        return count >= self.few_findings

    async def session_findings(self, session_id: str) -> list[Finding]:
        """The findings of one session."""
        async with self._reading():
            key: int | None = await self._sql.session_id_row(self._db, session_id=session_id)
            if key is None:
                return []
            rows = self._sql.findings_of_session(self._db, id=key)
            return [
                Finding(**dict(zip(Finding.__struct_fields__, _with_flag(row), strict=True)))
                async for row in rows
            ]


def _with_flag(row: tuple[Any, ...]) -> tuple[Any, ...]:
    """The seventh is true or false."""
    return (*row[:6], bool(row[6]), *row[7:])
