"""Sizes of a compaction: what findings about one rest on, and their evidence names."""

from typing import Final

SUMMARY_TOKENS: Final = 5_600
"""What the call that compacts writes: summaries of 15,330 and 16,666 bytes stand in real sessions,
about 5,100 and 5,600 tokens. The larger, so that savings are rather too small."""

KEPT_TOKENS: Final = 45_500
"""What a prompt holds beside its base after one: the summary, and the files and messages that the
client keeps. In the same two sessions 21,100 and 45,500 tokens; the larger again."""
