"""One message of the caller's, with the edits: what is sent in its place."""

from collections.abc import Iterator
from typing import Any, Final, cast

from msgspec import Struct

from token_tracking.window.blocks import Block, PlainMessage
from token_tracking.window.conversation import Conversation
from token_tracking.window.edits import Edits, Extra

MESSAGE_TOKENS: Final = 3
"""What a message costs beside its blocks, as OpenAI's cookbook counts its own form; what Anthropic
adds is not published. Billed usage corrects it."""


class SentMessage(Struct, frozen=True):
    """A message as it is sent, its tokens and how many blocks it has. `source` is the number of
    the caller's message, or that of the calls which an added message answers."""

    message: PlainMessage
    tokens: int
    blocks: int
    source: int


def sent_in_place(conversation: Conversation, edits: Edits, number: int) -> Iterator[SentMessage]:
    """What is sent for message `number` of the caller's: usually one message, none where it was
    dropped, more where calls of it were answered for the caller."""
    message, blocks = conversation.messages[number], conversation.blocks_of(number)
    is_kept = number not in edits.dropped and not _is_only_thought(edits, number, blocks)
    if is_kept and number in edits.changed:
        yield _edited(conversation, edits, number, blocks)
    elif is_kept:
        yield SentMessage(message, _tokens(blocks), len(blocks), number)
    extra = edits.results.get(number)
    if extra is not None and is_kept and not _is_joined(conversation, number):
        yield from _added(conversation, extra, number)


def has_breakpoint(message: PlainMessage) -> bool:
    """Whether the caller caches up to somewhere in a message."""
    content = message.get("content")
    return isinstance(content, list) and any(map(lifetimes, cast("list[object]", content)))


def lifetimes(block: object) -> list[str]:
    """Those of the breakpoints that a block has, in the parts of its content and itself."""
    if not isinstance(block, dict):
        return []
    fields = cast("dict[str, Any]", block)
    parts: object = fields.get("content")
    inner = cast("list[object]", parts) if isinstance(parts, list) else []
    found = [ttl for part in inner for ttl in lifetimes(part)]
    control: object = fields.get("cache_control")
    if not control:
        return found
    # What is no object is for the API to refuse.
    ttl: object = cast("dict[str, Any]", control).get("ttl") if isinstance(control, dict) else None
    return [*found, ttl if isinstance(ttl, str) else "5m"]


def _edited(
    conversation: Conversation, edits: Edits, number: int, blocks: list[Block]
) -> SentMessage:
    form, message = conversation.form, conversation.messages[number]
    tokens, count = _tokens(blocks), len(blocks)
    if number in edits.unthought:
        blocks = [block for block in blocks if block.kind != "thinking"]
        tokens, count = _tokens(blocks), len(blocks)
    raws = [block.raw for block in blocks]
    for place, block in enumerate(blocks):
        replaced = edits.replaced.get((number, block.index))
        if replaced is not None:
            raws[place] = replaced.raw
            tokens += replaced.tokens - block.tokens
    message = form.with_blocks(message, raws)
    before, after = edits.before.get(number), edits.after.get(number)
    for text in (before, after):
        if text is not None:
            tokens += text.tokens
            count += 1
    if before or after:
        texts = ([each.text] if each else [] for each in (before, after))
        message = form.with_texts(message, *texts)
    extra = edits.results.get(number - 1)
    if extra is not None and _is_joined(conversation, number - 1):
        (message,) = form.joined_results(message, extra.messages)
        tokens, count = tokens + extra.tokens, len(form.blocks(message, number))
    return SentMessage(message, tokens, count, number)


def _is_only_thought(edits: Edits, number: int, blocks: list[Block]) -> bool:
    """Whether nothing is left of a message whose thinking is left out."""
    return number in edits.unthought and all(block.kind == "thinking" for block in blocks)


def _added(conversation: Conversation, extra: Extra, number: int) -> Iterator[SentMessage]:
    form = conversation.form
    messages = form.joined_results(None, extra.messages)
    for message in messages:
        tokens = extra.tokens // len(messages) + MESSAGE_TOKENS
        yield SentMessage(message, tokens, len(form.blocks(message, number)), number)


def _is_joined(conversation: Conversation, calls: int) -> bool:
    """Whether results that were added belong into the message behind the calls."""
    following = calls + 1
    return (
        conversation.form.name == "anthropic"
        and following < len(conversation.messages)
        and any(block.kind == "tool_result" for block in conversation.blocks_of(following))
    )


def _tokens(blocks: list[Block]) -> int:
    return MESSAGE_TOKENS + sum(block.tokens for block in blocks)
