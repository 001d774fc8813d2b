"""What entered between two requests of a chain, in the order in which it stands there."""

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Final

from msgspec import Struct

from token_tracking.efficiency.attribution.values import (
    MAIN,
    Conversation,
    Entry,
    Message,
    Removal,
)

Arrival = Message | Entry | Removal
"""A message stands for its answer."""

_MOST_BRANCHES: Final = 8
"""A message has one request after it, or two where a user went back. Beyond this, a file is
broken, and entries would be carried into each of its branches."""

MOST_SILENT: Final = 32
"""Messages in a row that were no requests, of which the entries are gathered."""


class Node(Struct, gc=False):
    """A message in its conversation: what it hangs on, and all that hang on the same, in order of
    time; it is the one at `branch`. `size` is that of its prompt. `silent` are the messages
    between it and the request before it, for which nothing was sent."""

    message: Message
    size: int
    parent: Message | None
    siblings: Sequence[Message]
    branch: int = 0
    silent: "tuple[Node, ...]" = ()

    def earlier(self) -> Sequence[Message]:
        """Messages before it that hang on the same."""
        return self.siblings[: min(self.branch, _MOST_BRANCHES)]


class Arrivals:
    """The entries and removals of a conversation, by the message they entered after."""

    def __init__(self, conversation: Conversation) -> None:
        self._results: dict[str, list[Entry]] = {}
        self._others: dict[str, list[Entry | Removal]] = {}
        self._openings: dict[str | None, list[Entry]] = {}
        self._opened: dict[str, dict[str, list[Entry]]] = {}
        for entry in conversation.entries:
            if entry.bytes is None and entry.call is not None:
                continue
            if entry.after is None:
                self._openings.setdefault(entry.chain, []).append(entry)
            elif entry.call is not None:
                self._results.setdefault(entry.after, []).append(entry)
            else:
                self._others.setdefault(entry.after, []).append(entry)
        for removal in conversation.removals:
            if removal.after is not None:
                self._others.setdefault(removal.after, []).append(removal)
        for entries in (*self._results.values(), *self._openings.values()):
            if len(entries) > 1:
                entries.sort(key=_entry_order)
        for arrivals in self._others.values():
            if len(arrivals) > 1:
                arrivals.sort(key=_order)

    def before(self, node: Node) -> list[Arrival]:
        """What entered before a request since the one before it: the answers, and what came after
        each."""
        found: list[Arrival] = []
        if not node.silent and node.parent is not None:
            self._after(node.parent, node, found)
            return found
        for each in (*node.silent, node):
            if each.parent is None:
                found += self._opening(each)
            else:
                self._after(each.parent, each, found)
        return found

    def _opening(self, node: Node) -> list[Entry]:
        """What opened the conversation of a root."""
        chain = node.message.chain
        opened = self._opened.get(chain)
        if opened is None:
            opened = self._opened[chain] = self._by_root(chain, node.siblings)
        return opened.get(node.message.key, [])

    def _by_root(self, chain: str, roots: Sequence[Message]) -> dict[str, list[Entry]]:
        """An entry opens the first conversation of its chain after it."""
        times = [root.at for root in roots]
        opened: dict[str, list[Entry]] = {}
        unknown = self._openings.get(None, []) if chain == MAIN else []
        for entry in (*self._openings.get(chain, ()), *unknown):
            index = 0 if entry.at is None else bisect_left(times, entry.at)
            if index < len(roots):
                opened.setdefault(roots[index].key, []).append(entry)
        if chain == MAIN:
            for before, root in pairwise(roots):
                # What was sent again stands in both.
                opened.setdefault(root.key, opened.get(before.key, []))
        return opened

    def _after(self, parent: Message, node: Node, found: list[Arrival]) -> None:
        """Add what came after a message."""
        if parent.usage.output_tokens:
            found.append(parent)
        if node.branch >= _MOST_BRANCHES:
            return
        found += self._results.get(parent.key, ())
        others = self._others.get(parent.key)
        if others is not None:
            found += others if len(node.siblings) == 1 else _of_branch(others, node)


def _of_branch(others: Iterable[Entry | Removal], node: Node) -> list[Entry | Removal]:
    """What a user wrote when going back: what came since the branch before, if anything did, and
    else what that one had, since it was sent again."""
    times = [message.at for message in node.siblings[:_MOST_BRANCHES]]
    branches: dict[int, list[Entry | Removal]] = {}
    always: list[Entry | Removal] = []
    for each in others:
        if isinstance(each, Removal) or each.at is None:
            always.append(each)
        else:
            branches.setdefault(bisect_left(times, each.at), []).append(each)
    known = max((branch for branch in branches if branch <= node.branch), default=None)
    return sorted(always + ([] if known is None else branches[known]), key=_order)


def _entry_order(entry: Entry) -> tuple[int, str]:
    return (entry.position, entry.key)


def _order(each: Entry | Removal) -> tuple[int, str]:
    return (each.position, each.key if isinstance(each, Entry) else "")
