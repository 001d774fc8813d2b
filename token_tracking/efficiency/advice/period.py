"""From the findings of a period to a short list of advice."""

from collections.abc import Collection, Iterable, Sequence
from typing import Final, Protocol

from msgspec import Struct

from token_tracking.efficiency.advice.kinds import (
    CALLED,
    FIVE_MINUTE_CACHE,
    LATE_COMPACTION,
    MODEL_SWITCH,
    NOT_NAMED_AGAIN,
    ONE_HOUR_CACHE,
    REREAD,
    SIGNED,
    UNUSED_LOAD,
    UNUSED_SERVER,
)
from token_tracking.efficiency.advice.subjects import SKILL_TOOL, tool_prefix
from token_tracking.efficiency.advice.words import WORDS, Together
from token_tracking.efficiency.snapshot import Advice
from token_tracking.pricing import usd
from token_tracking.shares import Finding

SHOWN_PICO: Final = 5 * 10**10
"""Five cents (pico-USD): what is worth as much over a period is shown."""

_SHARE: Final = 1_000
"""In a cheap period, what is worth so small a part of its prompts is shown as well."""

_LIFETIMES: Final = frozenset({ONE_HOUR_CACHE, FIVE_MINUTE_CACHE})
_TOGETHER: Final = frozenset({REREAD, NOT_NAMED_AGAIN, MODEL_SWITCH, LATE_COMPACTION})
"""Kinds whose subjects are one piece of advice."""


class FindingRow(Protocol):
    """The findings of one kind and subject over a period: `pico` (pico-USD), prompt `tokens` and
    `count` are sums; `session_id` is the session with the most money, or with the dearest quarter
    of an hour."""

    @property
    def kind(self) -> str: ...
    @property
    def subject(self) -> str: ...
    @property
    def pico(self) -> int: ...
    @property
    def tokens(self) -> int: ...
    @property
    def count(self) -> int: ...
    @property
    def sessions(self) -> int: ...
    @property
    def session_id(self) -> str | None: ...


class FindingSums(Struct, frozen=True, kw_only=True):
    """A `FindingRow` of findings at hand."""

    kind: str
    subject: str
    pico: int
    tokens: int
    count: int
    sessions: int
    session_id: str | None


def summed(session_id: str, findings: Iterable[Finding]) -> list[FindingSums]:
    """The findings of one session, by kind and subject."""
    rows = [
        FindingSums(
            kind=each.kind,
            subject=each.subject,
            pico=each.pico,
            tokens=each.tokens,
            count=each.count,
            sessions=1,
            session_id=session_id,
        )
        for each in findings
    ]
    return [_sum(group, sessions=1) for group in _alike(rows)]


def advise(
    rows: Iterable[FindingRow],
    *,
    called: Collection[str] = (),
    prompt_pico: int | None = None,
    limit: int = 10,
) -> list[Advice]:
    """What to do, the most money at stake first, at most `limit` pieces of advice: none about less
    than five cents or a thousandth of `prompt_pico`, what the prompts of the period cost
    (pico-USD), whichever is less; than five cents where that is `None`. All of it is estimated: it
    is about what would have been.

    Files that were read again are one piece, and so are changes of model: it names the dearest,
    and its `sessions` are a lower bound, the most that one of them has. `called` are the MCP
    servers and the tools (`Skill`) that were called in the period, beside those that findings
    tell of: what was used in some session of it is not called unused. Several rows of one kind and
    subject, each of other sessions, are added up.

    Amounts overlap from one kind to the next, so that their sum is no figure (`kinds`).
    """
    least = SHOWN_PICO if prompt_pico is None else min(SHOWN_PICO, prompt_pico // _SHARE)
    rows = list(rows)
    also = (row.subject for row in rows if row.kind == CALLED)
    prefixes = {tool_prefix(name) for name in (*called, *also)}
    sums = [_sum(alike, sum(row.sessions for row in alike)) for alike in _alike(rows)]
    costly = (row for row in sums if row.pico > 0 and row.kind in WORDS)
    groups = _groups([row for row in costly if not _is_used(row, prefixes)])
    advice = [_advice(group) for group in groups if _pico(group) >= least]
    advice.sort(key=lambda each: (-each.at_stake_usd, each.kind, each.subject))
    return advice[:limit]


def _alike(rows: Iterable[FindingRow]) -> list[list[FindingRow]]:
    """The rows of each kind and subject."""
    groups: dict[tuple[str, str], list[FindingRow]] = {}
    for row in rows:
        groups.setdefault((row.kind, row.subject), []).append(row)
    return list(groups.values())


def _sum(alike: Sequence[FindingRow], sessions: int) -> FindingSums:
    dearest = max(alike, key=lambda row: row.pico)
    return FindingSums(
        kind=dearest.kind,
        subject=dearest.subject,
        pico=_pico(alike),
        tokens=sum(row.tokens for row in alike),
        count=sum(row.count for row in alike),
        sessions=sessions,
        session_id=dearest.session_id,
    )


def _is_used(row: FindingRow, called: set[str]) -> bool:
    if row.kind == UNUSED_SERVER:
        return tool_prefix(row.subject) in called
    return row.kind == UNUSED_LOAD and SKILL_TOOL in called


def _groups(rows: Sequence[FindingRow]) -> list[list[FindingRow]]:
    """The rows of each piece of advice, the dearest first: the files that were read again are one,
    and so are the models. Of the sizes to compact at the best one alone, and of the lifetimes."""
    groups: dict[tuple[str, str], list[FindingRow]] = {}
    for row in sorted(rows, key=lambda row: (-row.pico, row.subject)):
        kind = "lifetime" if row.kind in _LIFETIMES else row.kind
        group = groups.setdefault((kind, row.subject if kind not in _TOGETHER else ""), [])
        if not group or row.kind not in SIGNED:
            group.append(row)
    return list(groups.values())


def _pico(rows: Sequence[FindingRow]) -> int:
    return sum(row.pico for row in rows)


def _advice(rows: Sequence[FindingRow]) -> Advice:
    first = rows[0]
    together = Together(
        subjects=[row.subject for row in rows],
        tokens=sum(row.tokens for row in rows),
        count=sum(row.count for row in rows),
        sessions=max(row.sessions for row in rows),
    )
    title, evidence, action = WORDS[first.kind](together)
    return Advice(
        kind=first.kind,
        subject=first.subject,
        title=title,
        evidence=evidence,
        action=action,
        at_stake_usd=usd(_pico(rows)),
        tokens=together.tokens,
        count=together.count,
        sessions=together.sessions,
        session_id=first.session_id,
        basis="estimated",
    )
