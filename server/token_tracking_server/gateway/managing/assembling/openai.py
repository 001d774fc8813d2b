"""OpenAI's chat completions, whole or from their chunks. Of several choices the first counts."""

from typing import Any, Final, cast

from token_tracking_server.gateway.managing.assembling.events import DONE
from token_tracking_server.gateway.managing.assembling.values import Assembled, Said

_TAKEN_BACK: Final = ("content", "refusal", "tool_calls", "function_call")
"""What the API takes of an assistant's message. Others that providers add, such as the reasoning
of some, they refuse when it comes back."""


class OpenAIAssembler:
    """Puts the deltas of a stream together."""

    def __init__(self) -> None:
        self._texts: dict[str, str] = {}
        self._calls: dict[int, Said] = {}
        self._function: Said | None = None
        self._finish_reason: str | None = None
        self._has_ended = False

    def take(self, event: Said) -> None:
        """The next event."""
        if event is DONE:
            self._has_ended = True
        choices: object = event.get("choices")
        for choice in cast("list[Any]", choices) if isinstance(choices, list) else []:
            if isinstance(choice, dict) and cast("Said", choice).get("index", 0) == 0:
                self._choice(cast("Said", choice))

    def is_whole(self) -> bool:
        """Whether all of the message was told: `[DONE]` came after a reason to stop."""
        return self._has_ended and self._finish_reason is not None

    def assembled(self) -> Assembled | None:
        """The message, when it is whole. Some servers end without `[DONE]`."""
        if self._finish_reason is None:
            return None
        message: Said = dict(self._texts)
        if self._calls:
            message["tool_calls"] = [self._calls[index] for index in sorted(self._calls)]
        if self._function:
            message["function_call"] = self._function
        return kept(message, self._finish_reason)

    def _choice(self, choice: Said) -> None:
        delta, reason = choice.get("delta"), choice.get("finish_reason")
        if isinstance(reason, str):
            self._finish_reason = reason
        if not isinstance(delta, dict):
            return
        told = cast("Said", delta)
        for name in ("content", "refusal"):
            if isinstance(told.get(name), str):
                self._texts[name] = self._texts.get(name, "") + told[name]
        calls: object = told.get("tool_calls")
        for call in cast("list[Any]", calls) if isinstance(calls, list) else []:
            if isinstance(call, dict):
                self._call(cast("Said", call))
        if isinstance(told.get("function_call"), dict):
            self._function = _merged(self._function or {}, told["function_call"])

    def _call(self, call: Said) -> None:
        """Gemini's endpoint leaves `index` out, and sends each call whole."""
        given = call.get("index")
        index = given if isinstance(given, int) else len(self._calls)
        had = self._calls.setdefault(index, {})
        function: object = call.get("function")
        more = {name: value for name, value in call.items() if name not in {"index", "function"}}
        had.update({name: value for name, value in more.items() if value is not None})
        if isinstance(function, dict):
            had["function"] = _merged(had.get("function") or {}, cast("Said", function))


def openai_message(body: Said) -> Assembled | None:
    """The message of a whole response; `None` where it is none."""
    choices: object = body.get("choices")
    listed = cast("list[object]", choices) if isinstance(choices, list) else []
    first = listed[0] if listed else None
    if not isinstance(first, dict):
        return None
    choice = cast("Said", first)
    message, reason = choice.get("message"), choice.get("finish_reason")
    if not isinstance(message, dict):
        return None
    return kept(cast("Said", message), reason if isinstance(reason, str) else None)


def kept(message: Said, finish_reason: str | None) -> Assembled:
    """What a conversation goes on from."""
    said = {name: message[name] for name in _TAKEN_BACK if message.get(name)}
    audio: object = message.get("audio")
    if isinstance(audio, dict) and "id" in audio:
        said["audio"] = {"id": cast("Said", audio)["id"]}
    if not said:
        return Assembled(None, finish_reason)
    return Assembled({"role": "assistant", "content": None, **said}, finish_reason)


def _merged(had: Said, more: Said) -> Said:
    """A function with more of its arguments; its name comes once."""
    named = {name: value for name, value in more.items() if name != "arguments" and value}
    arguments = str(had.get("arguments") or "") + str(more.get("arguments") or "")
    return {**had, **named, "arguments": arguments}
