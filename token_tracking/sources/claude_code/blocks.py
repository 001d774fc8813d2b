"""Content blocks as content items: their ids, names and sizes, never their text."""

from collections.abc import Iterator
from typing import Final, cast

from token_tracking.sources.claude_code.chains import ROOT, Link
from token_tracking.sources.claude_code.lines import (
    Attachment,
    Block,
    Inner,
    Line,
    Message,
    decode_any,
    lenient,
)
from token_tracking.sources.claude_code.tools import split_tool_name, subject
from token_tracking.usage import ContentItem

_BLOCKS_A_LINE: Final = 1000
"""Positions are line * this + block, so that items of one message sort as they stood."""


BOUNDARIES: Final = frozenset({"compact_boundary", "microcompact_boundary"})
"""Subtypes of system lines at which the client removed something from the context."""


def size(text: str | None) -> int:
    """Bytes of a text in UTF-8."""
    if not text:
        return 0
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))


def answer_link(message: Message, key: str, link: Link) -> Link:
    """What follows a line of an answer hangs after: with what the answer showed up to here."""
    seen = link if link.message == key else ROOT
    text, thinking = seen.text_bytes, seen.thinking_bytes
    for block in _blocks(message.content):
        text += size(block.text)
        thinking += size(block.thinking) + size(block.data)
    return Link(key, seen.depth + 1 if seen is link else 0, text, thinking)


def called(message: Message, link: Link) -> Iterator[ContentItem]:
    """The tool calls of an answer: half an item each, whose result brings the other half."""
    for index, block in enumerate(_blocks(message.content)):
        if block.id is not None and block.name is not None:
            server, tool = split_tool_name(block.name)
            yield ContentItem(
                key=block.id,
                kind="tool" if block.type == "tool_use" else block.type or "tool",
                name=tool,
                server=block.server_name or server,
                uri=subject(block.name, block.input),
                input_bytes=len(bytes(block.input)),
                message=link.message,
                position=link.depth * _BLOCKS_A_LINE + index,
            )


def entered(line: Line, link: Link) -> Iterator[ContentItem]:
    """What a user line brought into the context: tool results, text, images."""
    kind = "summary" if line.isCompactSummary else "meta" if line.isMeta else "user"
    content = None if line.message is None else line.message.content
    for index, block in enumerate(_blocks(content)):
        if block.tool_use_id is not None:
            yield ContentItem(
                key=block.tool_use_id,
                kind="tool" if block.type == "tool_result" else block.type or "tool",
                bytes=_block_size(block),
                after=link.message,
                sessions=_opened(line, link),
            )
        else:
            yield ContentItem(
                key=block_key(line.uuid or f"{link.message}:{link.depth}", index),
                kind=kind if block.type == "text" else block.type or "unknown",
                bytes=_block_size(block),
                after=link.message,
                position=link.depth * _BLOCKS_A_LINE + index,
                sessions=_opened(line, link),
            )


def attached(line: Line, link: Link) -> Iterator[ContentItem]:
    """What Claude Code itself put into the context; its size is that of its JSON."""
    if line.uuid is None:
        return
    given = decode_any(line.attachment)
    attachment = lenient(Attachment, cast("dict[str, object]", given)) if isinstance(given, dict) else Attachment()
    yield ContentItem(
        key=line.uuid,
        kind="attachment",
        name=attachment.type,
        uri=attachment.filename or attachment.path or attachment.planFilePath,
        bytes=len(bytes(line.attachment)),
        after=link.message,
        position=link.depth * _BLOCKS_A_LINE,
        sessions=_opened(line, link),
    )


def compacted(line: Line, link: Link) -> Iterator[ContentItem]:
    """Where the client removed something from the context; `detail` says what, by ids."""
    if line.uuid is None:
        return
    is_micro = line.subtype == "microcompact_boundary"
    metadata = line.microcompactMetadata if is_micro else line.compactMetadata
    yield ContentItem(
        key=line.uuid,
        kind=(line.subtype or "").removesuffix("_boundary"),
        after=link.message,
        position=link.depth * _BLOCKS_A_LINE,
        detail=bytes(metadata).decode("utf-8", "replace"),
        sessions=_opened(line, link),
    )


def _blocks(content: str | list[Block] | None) -> list[Block]:
    return [Block(type="text", text=content)] if isinstance(content, str) else content or []


def _opened(line: Line, link: Link) -> tuple[str, ...]:
    """The session that an item opens: where no message stands before it, nothing else tells."""
    return (line.sessionId,) if link.message is None and line.sessionId is not None else ()


def block_key(line_id: str, index: int) -> str:
    """The identity of a block that has no id of its own: its line, and where it stands there."""
    return line_id if index == 0 else f"{line_id}.{index}"


def _block_size(block: Block | Inner) -> int:
    total = size(block.text)
    if block.source is not None:
        total += size(block.source.data)
    if isinstance(block, Block):
        total += size(block.thinking) + size(block.data)
        if isinstance(block.content, str):
            total += size(block.content)
        else:
            total += sum(map(_block_size, block.content or ()))
    return total
