"""What entered between two requests of a chain, in the order in which it stands there."""

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Final, NamedTuple

from token_tracking.efficiency.attribution.values import Conversation, Entry, Message, Removal

Arrival = Message | Entry | Removal
"""A message stands for its answer."""

_MOST_BRANCHES: Final = 8
"""A message has one request after it, or two where a user went back. Beyond this, a file is
broken, and entries would be carried into each of its branches."""

MAIN: Final = ""
"""The main chain (`loads.chain_of`)."""

_MOST_SILENT: Final = 32
"""Messages in a row that were no requests, of which the entries are gathered."""


class Node(NamedTuple):
    """A message in its conversation: what it hangs on, and all that hang on the same, in order of
    time; it is the one at `branch`."""

    message: Message
    parent: "Node | None"
    siblings: Sequence[Message]
    branch: int

    @property
    def is_request(self) -> bool:
        """Whether anything was sent for it."""
        return self.message.usage.prompt_tokens > 0

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
            entries.sort(key=_entry_order)
        for arrivals in self._others.values():
            arrivals.sort(key=_order)

    def before(self, node: Node) -> list[Arrival]:
        """What entered before a request since the one before it: the answers, and what came after
        each."""
        path = [node]
        while (parent := path[-1].parent) is not None and not parent.is_request:
            if len(path) == _MOST_SILENT:
                break
            path.append(parent)
        found: list[Arrival] = []
        for each in reversed(path):
            found += self._opening(each) if each.parent is None else self._after(each.parent, each)
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

    def _after(self, parent: Node, node: Node) -> Iterable[Arrival]:
        answer = [parent.message] if parent.message.usage.output_tokens else []
        if node.branch >= _MOST_BRANCHES:
            return answer
        results = self._results.get(parent.message.key, ())
        others = self._others.get(parent.message.key, ())
        if len(node.siblings) > 1:
            others = _of_branch(others, node)
        return [*answer, *results, *others]


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
