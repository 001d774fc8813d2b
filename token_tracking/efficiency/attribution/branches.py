"""The conversations of a session: trees of messages, in an order in which each follows the one it
hangs on."""

from collections.abc import Iterator, Sequence
from operator import attrgetter

from token_tracking.efficiency.attribution.values import Message


class Branches:
    """The messages of a session by chain, and what hangs on what."""

    def __init__(self, messages: Sequence[Message]) -> None:
        self._messages = {message.key: message for message in messages}
        ordered = sorted(self._messages.values(), key=_by_time)
        self.parents: dict[str, str | None] = {}
        self.cycles: list[Message] = []
        may_cycle = self._find_parents(ordered)
        self.children: dict[str, list[Message]] = {}
        self.roots: dict[str, list[Message]] = {}
        for message in ordered:
            parent = self.parents[message.key]
            if parent is None:
                self.roots.setdefault(message.chain, []).append(message)
            else:
                self.children.setdefault(parent, []).append(message)
        if may_cycle:
            self.cycles = self._break_cycles(ordered)

    def after(self, key: str) -> Sequence[Message]:
        """The messages that hang on one, in order of time."""
        return self.children.get(key, ())

    def _find_parents(self, ordered: Sequence[Message]) -> bool:
        """What each message hangs on: its parent, if that is known and of the same chain; where
        its source names none, the message before it in its chain. Whether one hangs on a message
        that is not before it in time: without that, there is no cycle."""
        known, parents = self._messages, self.parents
        last: dict[str, str] = {}
        may_cycle = False
        for message in ordered:
            key, chain = message.key, message.chain
            parent = None if message.parent is None else known.get(message.parent)
            if parent is not None and parent.chain == chain and parent.key != key:
                may_cycle = may_cycle or parent.key not in parents
                parents[key] = parent.key
            else:
                parents[key] = None if message.is_linked else last.get(chain)
            last[chain] = key
        return may_cycle

    def _break_cycles(self, ordered: Sequence[Message]) -> list[Message]:
        """Messages that no root leads to hang on themselves: the earliest of each cycle becomes
        a root."""
        reached = set(self._below(root for roots in self.roots.values() for root in roots))
        broken: list[Message] = []
        if len(reached) == len(ordered):
            return broken
        for message in ordered:
            if message.key in reached:
                continue
            root = self._on_cycle(message)
            parent = self.parents[root.key]
            assert parent is not None
            self.children[parent].remove(root)
            self.parents[root.key] = None
            self.roots.setdefault(root.chain, []).append(root)
            reached.update(self._below([root]))
            broken.append(root)
        for roots in self.roots.values():
            roots.sort(key=_by_time)
        return broken

    def _below(self, roots: Iterator[Message] | Sequence[Message]) -> Iterator[str]:
        stack = [root.key for root in roots]
        while stack:
            key = stack.pop()
            yield key
            stack += [child.key for child in self.after(key)]

    def _on_cycle(self, message: Message) -> Message:
        """The earliest message of the cycle that `message` is on, or hangs on."""
        seen: dict[str, None] = {}
        key: str | None = message.key
        while key is not None and key not in seen:
            seen[key] = None
            key = self.parents[key]
        path = list(seen)
        cycle = path[path.index(key) :] if key is not None else path
        return min((self._messages[each] for each in cycle), key=_by_time)


_by_time = attrgetter("at", "key")
