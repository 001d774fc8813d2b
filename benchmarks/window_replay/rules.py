"""What is usually done, as short rules: a sliding window, and clearing on every request."""

from collections.abc import Callable, Iterable
from typing import Any

from benchmarks.window_replay.contents import CHARACTERS_A_TOKEN, blocks_of
from token_tracking.window.blocks import PlainMessage

LIMIT_TOKENS = 100_000
"""LangChain's and Anthropic's default trigger."""

KEPT_RESULTS = 3
"""Tool results that stay, as by default in LangChain and Anthropic's context editing."""

PLACEHOLDER = "[cleared]"


def sliding_window(base_tokens: int) -> Callable[[list[PlainMessage]], list[PlainMessage]]:
    """The newest messages of which system prompt and all have up to 100,000 tokens."""

    def edit(messages: list[PlainMessage]) -> list[PlainMessage]:
        left, first = LIMIT_TOKENS - base_tokens, len(messages)
        while first > 0:
            left -= _estimated(messages[first - 1])
            if left < 0:
                break
            first -= 1
        return messages[first:] or messages[-1:]

    return edit


def clear_every_request(messages: list[PlainMessage]) -> list[PlainMessage]:
    """All tool results but the last three become a placeholder."""
    results = [id(block) for message in messages for block in _results(message)]
    old = set(results[:-KEPT_RESULTS])
    return [_cleared(message, old) for message in messages]


def _cleared(message: PlainMessage, old: set[int]) -> PlainMessage:
    if not any(id(block) in old for block in _results(message)):
        return message
    content = [
        {**block, "content": PLACEHOLDER} if id(block) in old else block
        for block in blocks_of(message)
    ]
    return {**message, "content": content}


def _results(message: PlainMessage) -> Iterable[Any]:
    for block in blocks_of(message):
        if not isinstance(block, str) and block["type"] == "tool_result":
            yield block


def _estimated(message: PlainMessage) -> int:
    return round(sum(len(str(block)) for block in blocks_of(message)) / CHARACTERS_A_TOKEN)
