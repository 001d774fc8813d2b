"""Anthropic's messages, whole or from their events."""

from typing import Any, Final, cast

from token_tracking_server.gateway.managing.assembling.events import read_object
from token_tracking_server.gateway.managing.assembling.values import Assembled, Said

_REFUSAL: Final = "refusal"
_APPENDED: Final = {
    "text_delta": "text",
    "thinking_delta": "thinking",
    "signature_delta": "signature",
}
"""Deltas that add to a text of their block."""


class AnthropicAssembler:
    """Puts the blocks of a stream together."""

    def __init__(self) -> None:
        self._blocks: dict[int, Said] = {}
        self._inputs: dict[int, str] = {}
        self._stop_reason: str | None = None
        self._has_ended = False

    def take(self, event: Said) -> None:
        """The next event."""
        index, kind = event.get("index"), event.get("type")
        block, delta = _object(event.get("content_block")), _object(event.get("delta"))
        if kind == "content_block_start" and isinstance(index, int):
            self._blocks[index] = dict(block)
        elif kind == "content_block_delta" and isinstance(index, int):
            self._add(index, delta)
        elif kind == "message_delta":
            self._stop_reason = _text(delta.get("stop_reason")) or self._stop_reason
        elif kind == "message_stop":
            self._has_ended = True

    def is_whole(self) -> bool:
        """Whether all of the message was told."""
        return self._has_ended

    def assembled(self) -> Assembled | None:
        """The message, when it is whole."""
        if not self._has_ended:
            return None
        content = [self._finished(index) for index in sorted(self._blocks)]
        return kept([block for block in content if block is not None], self._stop_reason)

    def _add(self, index: int, delta: Said) -> None:
        block, kind = self._blocks.get(index), delta.get("type")
        if block is None:
            return
        if kind == "input_json_delta":
            more = delta.get("partial_json")
            self._inputs[index] = self._inputs.get(index, "") + _text(more)
        elif kind == "citations_delta":
            block["citations"] = [*(block.get("citations") or []), delta.get("citation")]
        elif kind in _APPENDED:
            name = _APPENDED[str(kind)]
            block[name] = _text(block.get(name)) + _text(delta.get(name))
        elif kind == "compaction_delta":
            block.update({name: value for name, value in delta.items() if name != "type"})

    def _finished(self, index: int) -> Said | None:
        """A block with its arguments; `None` for a call that was cut short within them."""
        block, text = self._blocks[index], self._inputs.get(index)
        if not text:
            return block
        arguments = read_object(text)
        return None if arguments is None else {**block, "input": arguments}


def anthropic_message(body: Said) -> Assembled | None:
    """The message of a whole response; `None` where it is none."""
    content, reason = body.get("content"), body.get("stop_reason")
    if body.get("type") != "message" or not isinstance(content, list):
        return None
    blocks = [cast("Said", each) for each in cast("list[Any]", content) if isinstance(each, dict)]
    return kept(blocks, reason if isinstance(reason, str) else None)


def kept(content: list[Said], stop_reason: str | None) -> Assembled:
    """What a conversation goes on from. A refused turn is to be taken out of it, says Anthropic's
    documentation of refusals; blank texts are not taken back."""
    said = [block for block in content if not _is_blank(block)]
    message: Said | None = {"role": "assistant", "content": said} if said else None
    return Assembled(message, stop_reason, stop_reason == _REFUSAL)


def _is_blank(block: Said) -> bool:
    return block.get("type") == "text" and not _text(block.get("text")).strip()


def _object(value: object) -> Said:
    return cast("Said", value) if isinstance(value, dict) else {}


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
