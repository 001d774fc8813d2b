"""What the blocks of a conversation are: the same block has the same key wherever it stands, and
with it its tokens and the strings that tell it from others."""

from collections.abc import Iterable, Iterator
from typing import Any, cast

import msgspec

from benchmarks.window_sessions import Conversation
from token_tracking.window.blocks import PlainMessage
from token_tracking.window.uses import distinctive

CHARACTERS_A_TOKEN = 3.5
"""For texts that stand in no transcript: placeholders and summaries."""

Key = bytes


class Contents:
    """The blocks of one conversation, and of what a replay adds to it."""

    def __init__(self, conversation: Conversation) -> None:
        self._tokens: dict[Key, int] = {}
        self._strings: dict[Key, set[str]] = {}
        self._keys: dict[int, tuple[object, Key]] = {}
        self._own: dict[Key, Key] = {}
        for request in conversation.requests:
            for message, tokens in zip(request.add, request.add_tokens, strict=True):
                for block, count in zip(blocks_of(message), tokens, strict=True):
                    self._tokens[self.key(block)] = count

    def key(self, block: Any) -> Key:
        """What stands in a block, but for breakpoints."""
        known = self._keys.get(id(block))
        if known is not None and known[0] is block:
            return known[1]
        key = _key(block)
        key = self._own.setdefault(key, key)
        if not is_marked(block):  # those are made anew for each request
            self._keys[id(block)] = (block, key)  # kept, so that no other object gets its id
        return key

    def keys(self, messages: Iterable[PlainMessage]) -> list[Key]:
        """The keys of all blocks of messages, in order."""
        key = self.key
        return [key(block) for message in messages for block in blocks_of(message)]

    def is_original(self, key: Key) -> bool:
        """Whether the block stands in the transcript (or was fetched again)."""
        return key in self._tokens

    def tokens(self, key: Key) -> int:
        """The tokens of a block: as billed, or by its characters where it stands in no
        transcript."""
        found = self._tokens.get(key)
        return max(1, round(len(key) / CHARACTERS_A_TOKEN)) if found is None else found

    def add(self, message: PlainMessage, tokens: Iterable[int]) -> None:
        """Take in a message that the replay makes, with the tokens of its blocks."""
        for block, count in zip(blocks_of(message), tokens, strict=True):
            self._tokens[self.key(block)] = count

    def strings(self, block: Any) -> set[str]:
        """The distinctive strings of a block."""
        key = self.key(block)
        found = self._strings.get(key)
        if found is None:
            found = self._strings[key] = distinctive("\n".join(texts_of(block)))
        return found


def blocks_of(message: PlainMessage) -> list[Any]:
    """The content blocks of a message; a string is one."""
    content = message["content"]
    return [content] if isinstance(content, str) else content


def is_marked(block: object) -> bool:
    """Whether a block has a cache breakpoint."""
    return isinstance(block, dict) and "cache_control" in block


def texts_of(block: Any) -> Iterator[str]:
    """What stands in a block. The name of a called tool is left out: tool definitions hold it."""
    if isinstance(block, str):
        yield block
        return
    fields = cast("dict[str, object]", block)
    yield from _texts(fields.get("input") if "name" in fields else fields)


def _key(block: Any) -> Key:
    if isinstance(block, str):
        block = {"type": "text", "text": block}
    plain = {name: value for name, value in block.items() if name != "cache_control"}
    return msgspec.json.encode(plain, order="sorted")


def _texts(value: object, name: str = "") -> Iterator[str]:
    """Every string in a block, but for ids, signatures and data."""
    if isinstance(value, str):
        if name not in ("id", "tool_use_id", "signature", "data", "type", "media_type"):
            yield value
    elif isinstance(value, dict):
        for inner, each in cast("dict[str, object]", value).items():
            yield from _texts(each, inner)
    elif isinstance(value, list):
        for each in cast("list[object]", value):
            yield from _texts(each, name)
