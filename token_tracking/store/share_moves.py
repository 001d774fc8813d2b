"""Sessions that turn out to be another project's take what they were attributed there."""

from collections.abc import Mapping
from typing import Any

import aiosqlite


async def move_shares(
    connection: aiosqlite.Connection, queries: Any, moves: Mapping[int, tuple[int, int]]
) -> None:
    """Move the sums of sessions from one project's row to another's."""
    # Most saves move nothing.
    from token_tracking.store.share_changes import (  # noqa: PLC0415 (start-up)
        ShareChanges,
        stored_findings,
        stored_quarters,
    )

    shares, facts = await stored_quarters(connection, queries, sorted(moves))
    findings = await stored_findings(connection, queries, sorted(moves))
    changes = ShareChanges()
    for session, (before, after) in moves.items():
        for (quarter, label), sums in shares.get(session, {}).items():
            changes.take_share(before, quarter, label, sums)
            changes.add_share(after, quarter, label, sums)
        for quarter, row in facts.get(session, {}).items():
            changes.add_facts(before, quarter, row, -1)
            changes.add_facts(after, quarter, row)
        for key, row in findings.get(session, {}).items():
            changes.add_findings(before, key, row, -1)
            changes.add_findings(after, key, row)
    await changes.write(connection, queries)
