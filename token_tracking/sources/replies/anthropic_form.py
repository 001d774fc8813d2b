"""Responses of Anthropic's Messages API: whole, streamed, and the results of a batch."""

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import MsgspecError, Struct

from token_tracking.errors import InvalidUsageError
from token_tracking.extra_usage import extra_json
from token_tracking.sources.replies.json_values import decoded, mapping, objects, size, text
from token_tracking.sources.replies.problems import INVALID_USAGE
from token_tracking.sources.replies.values import Reply
from token_tracking.usage import Usage


class AnthropicMessage:
    """What was told of one message so far."""

    def __init__(self) -> None:
        self._usage: dict[str, Any] = {}
        self._named: dict[str, str | None] = dict.fromkeys(("message_id", "model", "stop_reason"))
        self._error_type: str | None = None
        self._text_bytes = 0
        self._thinking_bytes = 0

    def take_message(self, message: Mapping[str, Any]) -> None:
        """A message, or the beginning of one."""
        self._name("message_id", message.get("id"))
        self._name("model", message.get("model"))
        self._name("stop_reason", message.get("stop_reason"))
        self.take_usage(message.get("usage"))
        for block in objects(message.get("content")):
            self.take_block(block)

    def take_block(self, block: Mapping[str, Any]) -> None:
        """The size of a block, or of what a stream adds to one."""
        self._text_bytes += size(block.get("text"))
        self._thinking_bytes += size(block.get("thinking"))
        if block.get("type") == "redacted_thinking":
            self._thinking_bytes += size(block.get("data"))

    def take_sizes(self, text_bytes: int, thinking_bytes: int) -> None:
        """What a stream added, measured already."""
        self._text_bytes += text_bytes
        self._thinking_bytes += thinking_bytes

    def take_usage(self, usage: object) -> None:
        """Counts so far: what is named replaces what was."""
        given = mapping(usage)
        self._usage.update((name, each) for name, each in given.items() if each is not None)

    def take_end(self, delta: Mapping[str, Any], usage: object) -> None:
        """The end of a streamed message."""
        self._name("stop_reason", delta.get("stop_reason"))
        self.take_usage(usage)

    def take_error(self, error: object) -> None:
        """What went wrong, in the API's word."""
        self._error_type = text(mapping(error).get("type")) or "error"

    def _name(self, field: str, value: object) -> None:
        self._named[field] = text(value) or self._named[field]

    def reply(self, service_tier: str | None = None) -> Reply | None:
        """What is known; `None` where nothing is. A batch has a tier of its own."""
        if not (self._usage or self._error_type or any(self._named.values())):
            return None
        usage, problem = self._counts()
        return Reply(
            form="anthropic",
            usage=usage,
            is_complete=self._named["stop_reason"] is not None and self._error_type is None,
            service_tier=service_tier or text(self._usage.get("service_tier")),
            speed=text(self._usage.get("speed")),
            inference_geo=text(self._usage.get("inference_geo")),
            extra=None if usage is None else extra_json(self._usage),
            text_bytes=self._text_bytes,
            thinking_bytes=self._thinking_bytes,
            error_type=self._error_type,
            problem=problem,
            **self._named,
        )

    def _counts(self) -> tuple[Usage | None, str | None]:
        if not self._usage:
            return None, None
        try:
            usage = Usage.from_anthropic(self._usage)
            usage.check_size()
        except InvalidUsageError:
            return None, INVALID_USAGE
        return usage, None


def whole_replies(body: object) -> list[Reply]:
    """What a message's JSON tells."""
    given, message = mapping(body), AnthropicMessage()
    if given.get("type") == "error":
        message.take_error(given.get("error"))
    else:
        message.take_message(given)
    reply = message.reply()
    return [] if reply is None else [reply]


def batch_replies(line: object) -> list[Reply]:
    """What a line of a batch's results tells."""
    result = mapping(mapping(line).get("result"))
    message = AnthropicMessage()
    message.take_message(mapping(result.get("message")))
    reply = message.reply(service_tier="batch")
    return [] if reply is None else [reply]


class _Delta(Struct, gc=False):
    text: str | None = None
    thinking: str | None = None


class _BlockDelta(Struct, gc=False):
    """The event that a stream consists of, nearly: all others are decoded whole."""

    type: str
    delta: _Delta


_decode_delta = msgspec.json.Decoder(_BlockDelta).decode


class AnthropicEvents:
    """The events of one streamed message."""

    def __init__(self) -> None:
        self.is_over = False
        self._message = AnthropicMessage()

    def take(self, data: bytes) -> None:
        """Take the data of one event."""
        # A delta names its kind at the front; one that does not is decoded whole, below.
        if b"content_block_delta" in data[:64] and self._take_delta(data):
            return
        self._take_event(mapping(decoded(data)))

    def _take_delta(self, data: bytes) -> bool:
        try:
            event = _decode_delta(data)
        except (MsgspecError, UnicodeDecodeError, RecursionError):
            return False
        if event.type != "content_block_delta":
            return False
        self._message.take_sizes(size(event.delta.text), size(event.delta.thinking))
        return True

    def _take_event(self, event: Mapping[str, Any]) -> None:
        message = self._message
        match event.get("type"):
            case "message_start":
                message.take_message(mapping(event.get("message")))
            case "content_block_start":
                message.take_block(mapping(event.get("content_block")))
            case "content_block_delta":
                message.take_block(mapping(event.get("delta")))
            case "message_delta":
                message.take_end(mapping(event.get("delta")), event.get("usage"))
            case "message_stop":
                self.is_over = True
            case "error":
                message.take_error(event.get("error"))
            case _:
                pass

    def replies(self, *, is_complete: bool) -> list[Reply]:
        """What the stream told: a stop reason says by itself that the message is whole."""
        reply = self._message.reply()
        return [] if reply is None else [reply]
