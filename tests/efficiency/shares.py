"""Random shares of a period, and sums of messages, for tests of its figures."""

from typing import Final

from hypothesis import strategies as st
from msgspec.structs import replace

from token_tracking.shares import ShareLabel, ShareSums

LABELS: Final = (
    ShareLabel("base"),
    ShareLabel("base", agent="Explore"),
    ShareLabel("user"),
    ShareLabel("answer", "claude-opus-4-6"),
    ShareLabel("attachment", "skill_listing"),
    ShareLabel("meta", uri="skill:deploy"),
    ShareLabel("tool", "Read", uri="/home/sam/shop/a.py"),
    ShareLabel("tool", "Edit", uri="/home/sam/shop/a.py"),
    ShareLabel("tool", "Read", uri="/home/sam/shop/a.py", agent="Explore"),
    ShareLabel("tool", "Skill", uri="skill:deploy"),
    ShareLabel("tool", "Bash"),
    ShareLabel("tool", "list_issues", "github"),
    ShareLabel("tool", "read_file", "github", "repo://shop/a.py"),
    ShareLabel("tool", "load_content", "library", "content://guides/sql content://guides/git"),
    ShareLabel("unlisted"),
)

_counts = st.integers(0, 10**12)

share_sums = st.builds(
    ShareSums,
    loads=_counts,
    tokens=_counts,
    carried=_counts,
    prompt_tokens=_counts,
    cost_pico=_counts,
    no_cache_pico=_counts,
    first_pico=_counts,
).map(lambda sums: replace(sums, first_pico=min(sums.first_pico, sums.cost_pico)))

shares = st.lists(
    st.tuples(st.sampled_from([None, "/home/sam/shop", "/q"]), st.sampled_from(LABELS), share_sums),
    max_size=20,
)
