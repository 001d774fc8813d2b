"""What an assistant needs to find savings, in one text."""

from collections.abc import Sequence

from token_tracking.efficiency.snapshot import Advice, GroupRow, Snapshot
from token_tracking_server.answers.advice import advice_answer
from token_tracking_server.answers.groups import groups_table
from token_tracking_server.answers.markdown import LIMIT, paragraphs
from token_tracking_server.answers.snapshot import snapshot_answer


def savings_answer(
    snapshot: Snapshot,
    advice: Sequence[Advice],
    dearest: Sequence[GroupRow],
    *,
    stale: str | None = None,
) -> str:
    """The advice first, then the dearest items, then the period as a whole; less of it where it
    would be too long."""
    parts = (
        advice_answer(advice, snapshot.period, size=4_500),
        groups_table(dearest, "Dearest in the prompts", size=1_500) if dearest else None,
        snapshot_answer(snapshot, stale=stale),
    )
    whole = paragraphs(*parts)
    return whole if len(whole) <= LIMIT else paragraphs(stale, *parts[:2])
