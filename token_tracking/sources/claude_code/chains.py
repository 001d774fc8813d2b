"""Which message each line hangs after.

A line names its parent line by uuid; what the ledger keeps is the message before it. Lines of
subagents inside progress lines have no parent: their chain is the agent's, in file order.
"""

from typing import Final, NamedTuple

import msgspec

from token_tracking.sources.claude_code.lines import Line

_KEPT_HEADS: Final = 16
"""How many chain heads are remembered between two readings. A later line almost always hangs on
one of them; where it does not, the file is read again from its start."""


class Link(NamedTuple):
    """The last message before a line, how many lines with content lie between, and how many bytes
    of text and thinking that message showed on the way here: its blocks stand on a line each."""

    message: str | None
    depth: int
    text_bytes: int
    thinking_bytes: int

    def next(self) -> "Link":
        """The link of a line that hangs one further on."""
        return Link(self.message, self.depth + 1, self.text_bytes, self.thinking_bytes)


AGENT: Final = "agent:"
"""Begins the head of a subagent's chain inside progress lines."""

ROOT: Final = Link(None, 0, 0, 0)


class Chains:
    """The links of one file's lines, by uuid, and of each agent's last line."""

    def __init__(self, saved: str = "") -> None:
        self.now: int | None = None
        """The time of the last line that had one."""
        heads: list[tuple[str, Link]] = []
        if saved:
            self.now, heads = msgspec.json.decode(saved, type=_Saved)
        self._links = dict(heads)
        self._parents: set[str] = set()
        self._last: dict[str | bool, Link] = {}
        self.lost = False
        """Whether a line named a parent that was not seen."""

    def link(self, line: Line) -> Link:
        """What `line` hangs after; what names it as parent hangs there too, until `move`."""
        parent = line.parentUuid or line.logicalParentUuid
        if parent is None:
            link = ROOT
        else:
            link = self._links.get(parent)
            if link is None:
                self.lost = True
                link = self._last.get(line.agentId or line.isSidechain, ROOT)
            else:
                self._parents.add(parent)
        if line.uuid is not None:
            self._links[line.uuid] = link
            self._last[line.agentId or line.isSidechain] = link
        return link

    def move(self, line: Line, link: Link) -> None:
        """What names `line` as parent hangs after `link`."""
        if line.uuid is not None:
            self._links[line.uuid] = link
        self._last[line.agentId or line.isSidechain] = link

    def open_agent(self, head: str) -> None:
        """A chain whose lines name no parent: each hangs on the `head`, which moves with them."""
        self._links.setdefault(head, ROOT)

    def move_agent(self, head: str, line: Line) -> None:
        """The next line of this chain hangs on `line`."""
        if line.uuid is not None:
            self._parents.discard(head)
            self._parents.add(line.uuid)
            self._links.pop(head)
            self._links[head] = self._links[line.uuid]

    def save(self) -> str:
        """What the next reading needs, as JSON: the time, and the newest links that nothing hangs
        on yet. Agents' heads all stay: nothing tells a new agent from a forgotten one."""
        heads: list[tuple[str, Link]] = []
        lines = 0
        for uuid in reversed(self._links):
            if uuid.startswith(AGENT):
                heads.append((uuid, self._links[uuid]))
            elif uuid not in self._parents and lines < _KEPT_HEADS:
                heads.append((uuid, self._links[uuid]))
                lines += 1
        return msgspec.json.encode((self.now, heads[::-1])).decode()


_Saved = tuple[int | None, list[tuple[str, Link]]]
