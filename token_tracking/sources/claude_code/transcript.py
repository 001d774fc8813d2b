"""From the lines of one file to sightings, content items and spans."""

from collections.abc import Iterable
from typing import Final

import msgspec
from msgspec.structs import replace

from token_tracking.errors import InvalidUsageError
from token_tracking.merge import join, join_item
from token_tracking.reading import ClientTotal
from token_tracking.sources.claude_code import blocks
from token_tracking.sources.claude_code.billed import Billed, read_usage
from token_tracking.sources.claude_code.chains import AGENT, Chains, Link
from token_tracking.sources.claude_code.client_totals import read_client_totals
from token_tracking.sources.claude_code.lines import Line, Message, decode_line, without_nul
from token_tracking.sources.claude_code.spans import Spans
from token_tracking.sources.claude_code.times import milliseconds
from token_tracking.usage import ContentItem, Place, UsageEvent, message_key

SOURCE: Final = "claude_code"


class Transcript:
    """Reads lines in file order; what they bring stands in its attributes.

    `session_id` is that of lines that name none. `chains` continues an earlier reading.
    """

    def __init__(self, session_id: str, chains: Chains) -> None:
        self.session_id = session_id
        self.chains = chains
        self.lines = 0
        self.malformed_lines = 0
        self.unusable_lines = 0
        self.events: dict[str, UsageEvent] = {}
        self.items: dict[str, ContentItem] = {}
        self.spans = Spans()
        self.client_totals: list[ClientTotal] = []
        self._said: dict[str, tuple[int, tuple[object, ...]]] = {}
        self._visible: dict[str, tuple[int, int]] = {}

    def read(self, text: bytes | memoryview) -> bool:
        """Take one line; whether it is a JSON object."""
        line = decode_line(text)
        if line is None:
            return False
        self.lines += 1
        line.sessionId = without_nul(line.sessionId or self.session_id)
        at = milliseconds(line.timestamp)
        if at is not None:
            self.chains.now = at
            self.spans.see(line.sessionId, at, line.cwd, line.uuid is not None)
        if line.data is not None and line.data.type == "agent_progress":
            self._take_progress(line)
        self._take(line)
        return True

    def skip(self) -> None:
        """Count a line that is no JSON object."""
        self.lines += 1
        self.malformed_lines += 1

    def _take_progress(self, line: Line) -> None:
        nested = _subagent_line(line)
        if nested is not None and nested.parentUuid is not None:
            self.chains.open_agent(nested.parentUuid)
            self._take(nested)
            self.chains.move_agent(nested.parentUuid, nested)

    def _take(self, line: Line) -> None:
        kind = line.type
        link = self.chains.link(line)
        if kind == "assistant":
            self._answer(line, line.message or Message(), link)
        elif kind == "user":
            self._enter(line, link, blocks.entered(line, link))
        elif kind == "attachment":
            self._enter(line, link, blocks.attached(line, link))
        elif kind == "system" and line.subtype in blocks.BOUNDARIES:
            self._enter(line, link, blocks.compacted(line, link))
        elif kind == "cost-state":
            self.client_totals += read_client_totals(line)

    def _answer(self, line: Line, message: Message, link: Link) -> None:
        at = milliseconds(line.timestamp) or self.chains.now
        if at is None:
            self.unusable_lines += 1
            return
        self.spans.see(line.sessionId or "", at, line.cwd, line.uuid is not None)
        key = message_key(without_nul(message.id or ""), line.sessionId, line.requestId, at)
        seen, calls = blocks.answered(message, key, link)
        parent = None if link.message == key else link.message
        if not self._repeats(key, line, message, at, parent) and not self._sight(
            key, line, message, at, parent
        ):
            self._said.pop(key, None)
            self.unusable_lines += 1
            return
        visible = self._visible.get(key)
        self._visible[key] = seen[2:] if visible is None else _larger_sizes(visible, seen[2:])
        self.chains.move(line, seen)
        for item in calls:
            self._keep(item)

    def _repeats(self, key: str, line: Line, message: Message, at: int, parent: str | None) -> bool:
        """Whether a line says nothing that an earlier one of its message did not say.

        Most lines of a message of several blocks do, and this is cheaper than to join them.
        """
        said = (
            bytes(message.usage),
            message.stop_reason,
            message.model,
            line.sessionId,
            line.cwd,
            line.gitBranch,
            line.version,
            line.entrypoint,
            line.agentId,
            line.isSidechain,
            line.attributionAgent,
            line.attributionSkill,
            line.attributionPlugin,
            line.attributionMcpServer,
            line.attributionMcpTool,
        )
        known = self._said.get(key)
        if known is not None and known[1] == said and (at > known[0] or parent is None):
            return key in self.events and at >= known[0]
        self._said[key] = (at, said)
        return False

    def _sight(self, key: str, line: Line, message: Message, at: int, parent: str | None) -> bool:
        """Take the sighting of a message; whether it has a valid usage."""
        billed = read_usage(message.usage)
        if billed is None:
            return False
        try:
            event = _sighting(key, line, message, billed, at, parent)
        except InvalidUsageError:
            return False
        known = self.events.get(key)
        self.events[key] = event if known is None else join(known, event)
        return True

    def _enter(self, line: Line, link: Link, items: Iterable[ContentItem]) -> None:
        for item in items:
            self._keep(item)
        self.chains.move(line, link.next())

    def _keep(self, item: ContentItem) -> None:
        known = self.items.get(item.key)
        self.items[item.key] = item if known is None else join_item(known, item)

    def sightings(self) -> list[UsageEvent]:
        """The messages that were seen, each once."""
        return [
            replace(event, text_bytes=text, thinking_bytes=thinking) if text or thinking else event
            for event, (text, thinking) in (
                (event, self._visible[key]) for key, event in self.events.items()
            )
        ]


def _larger_sizes(a: tuple[int, int], b: tuple[int, int]) -> tuple[int, int]:
    return (max(b[0], a[0]), max(b[1], a[1]))


def _subagent_line(line: Line) -> Line | None:
    """The line that a progress line of a subagent carries, as one that stands by itself."""
    data = line.data
    if data is None or data.message is None:
        return None
    nested = data.message
    return Line(
        type=nested.type,
        uuid=nested.uuid or f"{line.uuid}.0",
        parentUuid=f"{AGENT}{data.agentId}",
        sessionId=line.sessionId,
        timestamp=nested.timestamp or line.timestamp,
        cwd=line.cwd,
        gitBranch=line.gitBranch,
        version=line.version,
        entrypoint=line.entrypoint,
        agentId=data.agentId,
        isSidechain=True,
        requestId=nested.requestId,
        message=nested.message,
    )


def _sighting(
    key: str, line: Line, message: Message, billed: Billed, at: int, parent: str | None
) -> UsageEvent:
    place = Place(
        session_id=line.sessionId or "",
        timestamp=at,
        cwd=_text(line.cwd),
        git_branch=_text(line.gitBranch),
        parent=parent,
    )
    return UsageEvent(
        key=key,
        usage=billed.usage,
        timestamp=at,
        source=SOURCE,
        model=_text(message.model),
        terms_final=bool(message.stop_reason),
        stop_reason=_text(message.stop_reason),
        service_tier=_text(billed.service_tier),
        speed=_text(billed.speed),
        inference_geo=_text(billed.inference_geo),
        version=_text(line.version),
        entrypoint=_text(line.entrypoint),
        agent_id=_text(line.agentId),
        is_sidechain=line.isSidechain,
        attribution=_attribution(line),
        extra=billed.extra,
        places=(place,),
    )


def _text(value: str | None) -> str | None:
    """Without NUL; an empty text says nothing."""
    return without_nul(value) if value else None


def _attribution(line: Line) -> str | None:
    """What Claude Code says the message was for, as JSON; markers of context, not calls."""
    if not (
        line.attributionAgent
        or line.attributionSkill
        or line.attributionPlugin
        or line.attributionMcpServer
        or line.attributionMcpTool
    ):
        return None
    given = {
        "agent": line.attributionAgent,
        "mcp_server": line.attributionMcpServer,
        "mcp_tool": line.attributionMcpTool,
        "plugin": line.attributionPlugin,
        "skill": line.attributionSkill,
    }
    known = {name: _text(value) for name, value in given.items() if value}
    return msgspec.json.encode(known, order="deterministic").decode()
