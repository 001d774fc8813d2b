"""Random attributions of sessions, for laws: any that a store must keep."""

from typing import Final

from hypothesis import strategies as st
from msgspec.structs import replace

from token_tracking.shares import (
    FACT_FIELDS,
    QUARTER_MS,
    SHARE_FIELDS,
    Facts,
    Finding,
    ItemRecord,
    SessionShares,
    ShareLabel,
    ShareSums,
)

SESSIONS: Final = ("s1", "s2", "s3")
MIDNIGHT: Final = 1_772_409_600_000
"""2026-03-02, UTC."""
HOURS: Final = (-30, -24, -23, -2, 0, 1, 13, 24, 40)
"""Around midnight, on both sides of noon, and a day apart."""

LABELS: Final = (
    ShareLabel("base"),
    ShareLabel("answer", "claude-opus-4-6"),
    ShareLabel("tool", "Read", None, "/a.py"),
    ShareLabel("tool", "Read", None, "/b.py", "Explore"),
    ShareLabel("tool", "list_issues", "github"),
    ShareLabel("tool", "Read"),
    ShareLabel("tool", "load_content", "library", "content://guides/tests.md"),
    ShareLabel("meta", None, None, "skill:review"),
)
_counts = st.integers(0, 5) | st.integers(10**6, 10**12)
quarters = st.sampled_from([(MIDNIGHT + hour * 3_600_000) // QUARTER_MS for hour in HOURS])
_sums = st.builds(ShareSums, **dict.fromkeys(SHARE_FIELDS, _counts))
_facts = st.builds(Facts, **dict.fromkeys(FACT_FIELDS, st.integers(0, 3)))
_maybe = st.none() | _counts
_items = st.lists(
    st.builds(
        ItemRecord,
        id=st.sampled_from(["base", "toolu_1", "toolu_2", "msg_s1", "msg_s2"]),
        label=st.sampled_from(LABELS),
        entered_at=st.none() | quarters.map(lambda quarter: quarter * QUARTER_MS + 7),
        entered_with=st.sampled_from([None, "msg_s1"]),
        tokens=_maybe,
        requests=st.integers(0, 9),
        prompt_tokens=_counts,
        cost_pico=_maybe,
        no_cache_pico=_maybe,
        first_pico=_maybe,
        is_measured=st.booleans(),
    ),
    max_size=5,
    unique_by=lambda item: item.id,
)
_findings = st.lists(
    st.builds(
        Finding,
        kind=st.sampled_from(["lapse", "reread"]),
        subject=st.sampled_from(["/a.py", "github"]),
        at=quarters.map(lambda quarter: quarter * QUARTER_MS),
        pico=st.integers(1, 99),
        tokens=_counts,
        count=st.integers(1, 3),
        is_measured=st.booleans(),
        item=st.sampled_from([None, "toolu_1"]),
    ),
    max_size=3,
)


def _own(shares: SessionShares) -> SessionShares:
    """A session's own message carried its items first."""
    first = f"msg_{shares.session_id}"
    items = [
        replace(item, entered_with=None if item.entered_with is None else first)
        for item in shares.items
    ]
    return replace(shares, items=tuple(items))


session_shares = st.builds(
    SessionShares,
    session_id=st.sampled_from(SESSIONS),
    prompt_tokens=_counts,
    prompt_pico=_maybe,
    items=_items.map(tuple),
    sums=st.dictionaries(st.tuples(quarters, st.sampled_from(LABELS)), _sums, max_size=6),
    facts=st.dictionaries(quarters, _facts, max_size=3),
    findings=_findings.map(tuple),
    details=st.dictionaries(st.sampled_from(["shrunk", "cycles"]), st.integers(0, 3)),
    problem=st.sampled_from([None, None, "a cycle"]),
).map(_own)
"""One session of `tests.events.sessions`."""
