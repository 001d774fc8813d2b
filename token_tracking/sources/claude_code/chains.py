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


ROOT: Final = Link(None, 0, 0, 0)


class Chains:
    """The links of one file's lines, by uuid, and of each agent's last line."""

    def __init__(self, heads: str = "[]") -> None:
        saved = msgspec.json.decode(heads, type=list[tuple[str, Link]])
        self._links = dict(saved)
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

    def heads(self) -> str:
        """The newest links that nothing hangs on yet, as JSON."""
        heads: list[tuple[str, Link]] = []
        for uuid in reversed(self._links):
            if uuid not in self._parents:
                heads.append((uuid, self._links[uuid]))
                if len(heads) == _KEPT_HEADS:
                    break
        return msgspec.json.encode(heads[::-1]).decode()
