"""Which results are still in use: whether what stands in them, and nowhere else, is written again
by the model, in calls or in answers."""

import re
from collections.abc import Iterable
from typing import Final

from token_tracking.window.blocks import Block
from token_tracking.window.calls import call_subject

_Place = tuple[int, int]

_MOST_PLACES: Final = 8
"""Results of calls about one path that are kept in use by it."""

_WORD: Final = re.compile(r"[\w./~-]{4,}")
"""Paths, names and numbers, and plain words among them."""

LONGEST: Final = 120
"""Characters of a string that is looked at: longer ones are data, not names."""

_MOST: Final = 1 << 15
"""Characters looked at from either end of a text: whatever is larger is used for its ends."""


def distinctive(text: str) -> set[str]:
    """The strings of a text that may tell it from others: paths, names of more than one word
    (snake_case, camelCase, file.py), ids, and numbers of four digits or more."""
    if len(text) > 2 * _MOST:
        text = f"{text[:_MOST]}\n{text[-_MOST:]}"
    words = {word.strip(".-/") for word in set(_WORD.findall(text))}
    return {word for word in words if 4 <= len(word) <= LONGEST and not _is_plain(word)}


def _is_plain(word: str) -> bool:
    """Whether it is a word of a language, with a capital or not."""
    return word.isalpha() and (word[1:].islower() or word.isupper())


class Uses:
    """When each result was last used, by message numbers. It grows with the conversation.

    A use is an answer with a string that stands in one result and nowhere else (after that it
    stands in the answer as well), or a call about the same path as the call that brought the
    result: who edits a file goes on using what was read of it.
    """

    def __init__(self) -> None:
        self._holder: dict[str, _Place | None] = {}
        self._asked: dict[str, str] = {}
        self._about: dict[str, list[_Place]] = {}
        self._last: dict[_Place, int] = {}

    def last(self, block: Block) -> int:
        """The last message that used a block: its own where none did."""
        return self._last.get((block.message, block.index), block.message)

    def grow(self, blocks: Iterable[Block]) -> None:
        """Note blocks that were not seen yet, in their order."""
        for block in blocks:
            strings = distinctive(block.text) if block.text else set[str]()
            if block.kind == "tool_result":
                self._hold(block, strings)
            else:
                self._use(block, strings)

    def _use(self, block: Block, strings: set[str]) -> None:
        for string in strings:
            place = self._holder.get(string)
            if place is not None and place[0] < block.message:
                self._last[place] = block.message
            self._holder[string] = None
        path = _path(block)
        if path is not None and block.tool_id is not None:
            self._last.update(dict.fromkeys(self._about.get(path, ()), block.message))
            self._asked[block.tool_id] = path

    def _hold(self, block: Block, strings: set[str]) -> None:
        place = (block.message, block.index)
        for string in strings:
            self._holder[string] = None if string in self._holder else place
        path = self._asked.pop(block.tool_id or "", None)
        if path is not None:
            self._about.setdefault(path, []).append(place)
            del self._about[path][:-_MOST_PLACES]


def _path(block: Block) -> str | None:
    """The path or address that a call is about."""
    subject = call_subject(block) if block.kind == "tool_use" else None
    return subject if subject and "/" in subject and " " not in subject else None
