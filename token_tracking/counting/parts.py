"""Where a text can be cut without changing how many tokens it has.

Both encodings first cut a text into pieces by a pattern, from left to right, and no piece looks
back. So a text may be cut between two characters that no piece can hold side by side, where the
pattern's look-ahead (behind white space) cannot tell the difference either:

- before a space that follows anything but white space: pieces hold a space only as their first
  character or among other white space;
- behind a line feed, before anything but white space and "/": behind a line feed only line breaks
  and "/" stay in a piece;
- before a Chinese or Japanese mark that follows a letter: letters are joined only by letters,
  combining marks, and an apostrophe.

The tests hold this against tiktoken on arbitrary texts.
"""

import re
from collections.abc import Iterator
from typing import Final

PART: Final = 1 << 14
"""Characters that a part has at least: 16 thousand, so that cores share even one page."""

LONGEST: Final = 1 << 18
"""Where no place is found for so long, a part is cut anywhere. The longest that tiktoken 0.14
takes without overflowing its stack: about a million spaces, and a million letters take 0.5 s."""

_SAFE: Final = re.compile(
    r"(?<=\S)(?= )|(?<=\n)(?=[^\s/])"
    "|(?<=[A-Za-z\u3041-\u3096\u30a1-\u30fa\u4e00-\u9fa5\uac00-\ud7a3])"
    "(?=[\u3001\u3002\uff01\uff0c\uff1a\uff1b\uff1f])"
)


def parts(text: str, size: int = PART, longest: int = LONGEST) -> Iterator[tuple[int, int, bool]]:
    """Where the parts of a text begin and end, and whether each ends at a safe place."""
    begin, length = 0, len(text)
    while length - begin > size:
        found = _SAFE.search(text, begin + size, begin + longest)
        end = found.start() if found else min(begin + longest, length)
        yield begin, end, found is not None or end == length
        begin = end
    if begin < length:
        yield begin, length, True
