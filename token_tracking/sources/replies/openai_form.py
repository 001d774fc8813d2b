"""Responses of OpenAI's APIs and of those who speak their form: chat completions, the older
completions, the Responses API; whole, streamed, and the output of a batch."""

from collections.abc import Mapping
from typing import Any, Final

import msgspec
from msgspec import MsgspecError, Struct

from token_tracking.errors import InvalidUsageError
from token_tracking.sources.replies.json_values import decoded, mapping, objects, size, text
from token_tracking.sources.replies.openai_usage import usage_from_openai
from token_tracking.sources.replies.problems import INVALID_USAGE
from token_tracking.sources.replies.values import Reply
from token_tracking.usage import Usage

_STANDARD_TIERS: Final = {"auto": None, "on_demand": "standard"}
"""`auto` is what was asked for, not what was billed; `on_demand` is Groq's word for standard."""

_ENDS: Final = frozenset({"completed", "incomplete", "failed", "cancelled"})
"""The states of a response (Responses API) that does not go on."""


class OpenAIMessage:
    """What was told of one completion or response so far."""

    def __init__(self) -> None:
        self._message_id: str | None = None
        self._model: str | None = None
        self._stop_reason: str | None = None
        self._service_tier: str | None = None
        self._usage: Mapping[str, Any] = {}
        self._error_type: str | None = None
        self._is_complete = False
        self._text_bytes = 0
        self._thinking_bytes = 0

    def take_chat(self, given: Mapping[str, Any]) -> None:
        """A chat completion, or a chunk of one."""
        self._take_names(given)
        for choice in objects(given.get("choices")):
            self._stop_reason = text(choice.get("finish_reason")) or self._stop_reason
            said = mapping(choice.get("message")) or mapping(choice.get("delta")) or choice
            self._text_bytes += size(said.get("content")) + size(said.get("text"))
            self._text_bytes += size(said.get("refusal"))
            self._thinking_bytes += size(said.get("reasoning_content") or said.get("reasoning"))
        usage = mapping(given.get("usage")) or mapping(mapping(given.get("x_groq")).get("usage"))
        if usage:
            self._usage = usage
            # Gemini's counts come with every chunk: they are the last ones only at the end.
            self._is_complete = self._stop_reason is not None
        self.take_error(given.get("error"))

    def take_response(self, given: Mapping[str, Any]) -> None:
        """A response of the Responses API, as it is at the moment."""
        self._take_names(given)
        status = text(given.get("status"))
        if status in _ENDS:
            reason = text(mapping(given.get("incomplete_details")).get("reason"))
            self._stop_reason = reason or status
        self._usage = mapping(given.get("usage")) or self._usage
        self._is_complete = bool(self._usage) and self._stop_reason is not None
        self.take_error(given.get("error"))

    def take_output(self, output: object) -> None:
        """The sizes of a whole response's output."""
        for item in objects(output):
            for part in (*objects(item.get("content")), *objects(item.get("summary"))):
                shown = size(part.get("text")) + size(part.get("refusal"))
                is_text = item.get("type") == "message"
                self.take_sizes(shown if is_text else 0, 0 if is_text else shown)

    def take_sizes(self, text_bytes: int, thinking_bytes: int) -> None:
        """What a stream added, measured already."""
        self._text_bytes += text_bytes
        self._thinking_bytes += thinking_bytes

    def take_error(self, error: object) -> None:
        """What went wrong, in the API's word; nothing where it says nothing."""
        given = mapping(error)
        if given:
            named = text(given.get("type")) or text(given.get("code"))
            self._error_type = named or "error"

    def take_done(self) -> None:
        """The stream said that this was all."""
        self._is_complete = self._error_type is None

    def take_end(self) -> None:
        """The stream ended without saying so, as some servers' do."""
        self._is_complete = self._is_complete or self._stop_reason is not None

    def _take_names(self, given: Mapping[str, Any]) -> None:
        self._message_id = text(given.get("id")) or self._message_id
        self._model = text(given.get("model")) or self._model
        tier = text(given.get("service_tier"))
        if tier is not None:
            self._service_tier = _STANDARD_TIERS.get(tier, tier)

    def reply(self, *, service_tier: str | None = None, request_id: str | None = None) -> Reply:
        """What is known. A batch has a tier and request ids of its own."""
        usage, problem = self._counts()
        return Reply(
            form="openai",
            message_id=self._message_id,
            model=self._model,
            usage=usage,
            is_complete=self._is_complete and self._error_type is None,
            stop_reason=self._stop_reason,
            service_tier=service_tier or self._service_tier,
            text_bytes=self._text_bytes,
            thinking_bytes=self._thinking_bytes,
            error_type=self._error_type,
            request_id=request_id,
            problem=problem,
        )

    def _counts(self) -> tuple[Usage | None, str | None]:
        if not self._usage:
            return None, None
        try:
            return usage_from_openai(self._usage), None
        except InvalidUsageError:
            return None, INVALID_USAGE


def _known(reply: Reply) -> list[Reply]:
    told = reply.message_id or reply.usage or reply.error_type or reply.problem
    return [reply] if told else []


def _read_whole(message: OpenAIMessage, given: Mapping[str, Any]) -> None:
    if given.get("deleted") is True:
        return
    if given.get("object") == "response":
        message.take_response(given)
        message.take_output(given.get("output"))
    elif given.get("object") != "list":
        message.take_chat(given)
        message.take_done()


def whole_replies(body: object) -> list[Reply]:
    """What a completion's or response's JSON tells."""
    message = OpenAIMessage()
    _read_whole(message, mapping(body))
    return _known(message.reply())


def batch_replies(line: object) -> list[Reply]:
    """What a line of a batch's output tells; nothing of what is no such line."""
    given = mapping(line)
    response = mapping(given.get("response"))
    message = OpenAIMessage()
    _read_whole(message, mapping(response.get("body")))
    # The batch may be fetched again: what tells its requests apart must be its own.
    request = text(response.get("request_id")) or text(given.get("id"))
    reply = message.reply(service_tier="batch", request_id=request)
    return [reply] if reply.message_id else []


class _Delta(Struct, gc=False):
    content: str | None = None
    refusal: str | None = None
    reasoning_content: str | None = None
    reasoning: str | None = None


class _Choice(Struct, gc=False):
    delta: _Delta
    finish_reason: None = None


class _Chunk(Struct, gc=False):
    """A chunk that brings nothing but text: all others are decoded whole."""

    choices: list[_Choice]
    usage: None = None
    error: None = None
    x_groq: None = None


class _TextDelta(Struct, gc=False):
    type: str
    delta: str


_decode_chunk = msgspec.json.Decoder(_Chunk).decode
_decode_text = msgspec.json.Decoder(_TextDelta).decode

_TEXT: Final = frozenset({"response.output_text.delta", "response.refusal.delta"})
_THINKING: Final = frozenset(
    {"response.reasoning_text.delta", "response.reasoning_summary_text.delta"}
)
_MEASURED: Final = _TEXT | _THINKING


class OpenAIEvents:
    """The events of one streamed completion or response."""

    def __init__(self) -> None:
        self.is_over = False
        self._message = OpenAIMessage()
        self._is_named = False

    def take(self, data: bytes) -> None:
        """Take the data of one event."""
        if data.startswith(b"[DONE]"):
            self._message.take_done()
            self.is_over = True
        elif b'"response.' in data[:64]:
            self._take_response_event(data)
        elif not (self._is_named and self._take_chunk(data)):
            self._take_whole(mapping(decoded(data)))

    def _take_chunk(self, data: bytes) -> bool:
        try:
            chunk = _decode_chunk(data)
        except (MsgspecError, UnicodeDecodeError, RecursionError):
            return False
        shown = thought = 0
        for choice in chunk.choices:
            shown += size(choice.delta.content) + size(choice.delta.refusal)
            thought += size(choice.delta.reasoning_content or choice.delta.reasoning)
        self._message.take_sizes(shown, thought)
        return True

    def _take_response_event(self, data: bytes) -> None:
        try:
            event = _decode_text(data)
        except (MsgspecError, UnicodeDecodeError, RecursionError):
            self._take_whole(mapping(decoded(data)))
            return
        if event.type in _MEASURED:
            length = size(event.delta)
            is_text = event.type in _TEXT
            self._message.take_sizes(length if is_text else 0, 0 if is_text else length)

    def _take_whole(self, event: Mapping[str, Any]) -> None:
        kind = event.get("type")
        if kind == "error":
            self._message.take_error(mapping(event.get("error")) or {"type": event.get("code")})
        elif isinstance(kind, str) and kind.startswith("response."):
            self._take_state(kind, event)
        elif event:
            self._message.take_chat(event)
            self._is_named = self._is_named or "model" in event

    def _take_state(self, kind: str, event: Mapping[str, Any]) -> None:
        response = mapping(event.get("response"))
        if response:
            self._message.take_response(response)
            self.is_over = kind.removeprefix("response.") in _ENDS
        elif kind in _MEASURED:
            length = size(event.get("delta"))
            self._message.take_sizes(*((length, 0) if kind in _TEXT else (0, length)))

    def replies(self, *, is_complete: bool) -> list[Reply]:
        """What the stream told, to its end or where it broke off."""
        if is_complete:
            self._message.take_end()
        return _known(self._message.reply())
