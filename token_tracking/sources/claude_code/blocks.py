"""Content blocks as content items: their ids, names and sizes, never their text."""

import re
from collections.abc import Iterator
from typing import Final, cast

from msgspec.json import encode

from token_tracking.sources.claude_code.chains import Link
from token_tracking.sources.claude_code.lines import (
    Attachment,
    Block,
    Inner,
    Line,
    Message,
    ToolUseResult,
    decode_any,
    lenient,
    without_nul,
)
from token_tracking.sources.claude_code.times import milliseconds
from token_tracking.sources.claude_code.tools import (
    path_or_uri,
    server_names,
    split_tool_name,
    subject,
    word,
)
from token_tracking.usage import FAILED, ContentItem

_BLOCKS_A_LINE: Final = 1000
"""Positions are line * this + block, so that items of one message sort as they stood."""


_WORD: Final = re.compile(r"[\w.:-]{1,80}")
"""An id, or a word such as `auto`."""

_BOUNDARY_FACTS: Final = (
    "trigger",
    "preTokens",
    "postTokens",
    "tokensSaved",
    "compactedToolIds",
    "clearedAttachmentUUIDs",
    "preservedSegment",
    "preservedMessages",
)
"""What is kept of a boundary's metadata: numbers and ids. The rest may be text."""

BOUNDARIES: Final = frozenset({"compact_boundary", "microcompact_boundary"})
"""Subtypes of system lines at which the client removed something from the context."""


def size(text: str) -> int:
    """Bytes of a text in UTF-8."""
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))


def answered(message: Message, key: str, link: Link) -> tuple[Link, list[ContentItem]]:
    """One line of an answer: what follows it hangs after, and its tool calls.

    A tool call is half an item: its result brings the other half.
    """
    if link.message == key:
        _, depth, text, thinking = link
        depth += 1
    else:
        depth = text = thinking = 0
    calls: list[ContentItem] = []
    for index, block in enumerate(_blocks(message.content)):
        if block.text:
            text += size(block.text)
        elif block.thinking:
            thinking += size(block.thinking)
        elif block.data:
            thinking += size(block.data)
        elif block.id and block.name:
            server, tool = split_tool_name(block.name)
            calls.append(
                ContentItem(
                    key=without_nul(block.id),
                    kind="tool" if block.type == "tool_use" else word(block.type) or "tool",
                    name=word(tool),
                    server=word(block.server_name or server),
                    uri=subject(block.name, block.input),
                    input_bytes=len(bytes(block.input)),
                    message=key,
                    position=depth * _BLOCKS_A_LINE + index,
                )
            )
    return Link(key, depth, text, thinking), calls


def entered(line: Line, link: Link) -> Iterator[ContentItem]:
    """What a user line brought into the context: tool results, text, images."""
    kind = "summary" if line.isCompactSummary else "meta" if line.isMeta else "user"
    content = None if line.message is None else line.message.content
    for index, block in enumerate(_blocks(content)):
        if block.tool_use_id is not None:
            yield ContentItem(
                key=without_nul(block.tool_use_id),
                kind="tool" if block.type == "tool_result" else word(block.type) or "tool",
                bytes=_block_size(block),
                after=link.message,
                detail=FAILED if block.is_error else _result_detail(line),
                sessions=_opened(line, link),
            )
        else:
            yield ContentItem(
                key=block_key(line.uuid or f"{line.sessionId}:{link.message}:{link.depth}", index),
                kind=kind if block.type == "text" else word(block.type) or "unknown",
                bytes=_block_size(block),
                after=link.message,
                position=link.depth * _BLOCKS_A_LINE + index,
                detail=_entry_detail(line),
                sessions=_standing(line),
            )


def attached(line: Line, link: Link) -> Iterator[ContentItem]:
    """What Claude Code itself put into the context; its size is that of its JSON."""
    if line.uuid is None:
        return
    given = decode_any(line.attachment)
    fields = cast("dict[str, object]", given) if isinstance(given, dict) else {}
    attachment = lenient(Attachment, fields)
    yield ContentItem(
        key=block_key(line.uuid, 0),
        kind="attachment",
        name=word(attachment.type),
        uri=path_or_uri(attachment.filename or attachment.path or attachment.planFilePath),
        bytes=len(bytes(line.attachment)),
        after=link.message,
        position=link.depth * _BLOCKS_A_LINE,
        detail=_entry_detail(line, server_names(attachment.type, attachment.addedNames)),
        sessions=_standing(line),
    )


def compacted(line: Line, link: Link) -> Iterator[ContentItem]:
    """Where the client removed something from the context; `detail` says what, by ids."""
    if line.uuid is None:
        return
    is_micro = line.subtype == "microcompact_boundary"
    given = decode_any(line.microcompactMetadata if is_micro else line.compactMetadata)
    metadata = cast("dict[str, object]", given) if isinstance(given, dict) else {}
    kept = {name: _fact(metadata[name]) for name in _BOUNDARY_FACTS if name in metadata}
    # The message before it may be missing, and is older in any case.
    kept |= {"at": milliseconds(line.timestamp), "agent": line.agentId and _fact(line.agentId)}
    kept = {name: value for name, value in kept.items() if value is not None}
    yield ContentItem(
        key=block_key(line.uuid, 0),
        kind=(line.subtype or "").removesuffix("_boundary"),
        after=link.message,
        position=link.depth * _BLOCKS_A_LINE,
        detail=encode(kept, order="sorted").decode(),
        sessions=_standing(line),
    )


def _result_detail(line: Line) -> str | None:
    """Of a call that started a subagent: the id of that one."""
    told = line.toolUseResult
    if not isinstance(told, ToolUseResult) or not told.agentId:
        return None
    agent = _fact(told.agentId)
    return None if agent is None else encode({"agent": agent}).decode()


def _entry_detail(line: Line, servers: list[str] | None = None) -> str:
    """When a text or attachment entered, and into whose chain: a user goes back and writes another
    one after the same message, and what opens a chain hangs on none. `call` is the tool call that
    it came with, `servers` are those that it tells of."""
    kept = {
        "at": milliseconds(line.timestamp),
        "agent": line.agentId and _fact(line.agentId),
        "sidechain": line.isSidechain or None,
        "call": line.sourceToolUseID and _fact(line.sourceToolUseID),
        "servers": servers or None,
    }
    kept = {name: value for name, value in kept.items() if value is not None}
    return encode(kept, order="sorted").decode()


def _standing(line: Line) -> tuple[str, ...]:
    """The session that an item stands in. A fork goes on from its parent's message: nothing else
    tells whose it is."""
    return () if line.sessionId is None else (line.sessionId,)


def _fact(value: object) -> object:
    """Numbers, ids and words, and lists and maps of them; `None` for what may be text."""
    if isinstance(value, dict):
        return {
            name: _fact(each)
            for name, each in cast("dict[str, object]", value).items()
            if _WORD.fullmatch(name)
        }
    if isinstance(value, list):
        return [_fact(each) for each in cast("list[object]", value)]
    if isinstance(value, str):
        return value if _WORD.fullmatch(value) else None
    return value


def _blocks(content: str | list[Block] | None) -> list[Block]:
    return [Block(type="text", text=content)] if isinstance(content, str) else content or []


def _opened(line: Line, link: Link) -> tuple[str, ...]:
    """The session that a result opens: where no message stands before it, nothing else tells."""
    return _standing(line) if link.message is None else ()


def block_key(line_id: str, index: int) -> str:
    """The identity of a block that has no id of its own: its line, and where it stands there."""
    key = without_nul(line_id)
    return key if index == 0 else f"{key}.{index}"


def _block_size(block: Block | Inner) -> int:
    total = size(block.text) if block.text else 0
    if block.source is not None and block.source.data:
        total += size(block.source.data)
    if isinstance(block, Block):
        content = block.content
        if isinstance(content, str):
            total += size(content)
        elif content:
            total += sum(map(_block_size, content))
    return total
