"""What stands before the messages of a request: the system prompt and the tools."""

from typing import Any, cast

import msgspec

from token_tracking.window.sizes import Sizer


class Surroundings:
    """Their tokens, counted when they change, and what was billed beyond all that was counted,
    messages included. That is taken to be a system prompt or tools that are not shown to us, and
    stays whatever is taken out. Where less was billed than was counted, the estimate was too
    high, and of that as much goes as is taken out."""

    def __init__(self, sizer: Sizer) -> None:
        self.system = 0
        self.tools = 0
        self.has_changed = False
        """Since the last request: nothing of the prompt's front is cached then."""
        self.still_sent = 0
        """Tokens of the messages that were sent before, as they would be sent now."""
        self._billed_for = 0
        self._beyond = 0
        self._sizer = sizer
        self._texts: tuple[str, str] | None = None

    @property
    def overhead(self) -> int:
        """What is expected to be billed beyond what is counted; negative where that is too much."""
        return self._beyond_of(self.measured)

    @property
    def counted(self) -> int:
        """Of the system prompt and the tools."""
        return self.system + self.tools

    @property
    def tokens(self) -> int:
        """All of it."""
        return self.system + self.tools + self.overhead

    @property
    def unmeasured(self) -> int:
        """Tokens that were sent when the last bill came and are not any more."""
        return self._billed_for - self.measured

    @property
    def measured(self) -> int:
        """Counted tokens that stood in the last bill and are still sent."""
        return min(self._billed_for, self.system + self.tools + self.still_sent)

    def tokens_with(self, messages: int) -> int:
        """All of it with the first messages, which have that many tokens: of what was billed
        beyond, they have their share."""
        counted = self.system + self.tools + messages
        return counted + self._beyond_of(min(counted, self.measured))

    def anchor(self, billed: int, messages: int) -> None:
        """Note what was billed for a prompt whose messages were counted as so many tokens."""
        self.still_sent = messages
        self._billed_for = self.system + self.tools + messages
        self._beyond = billed - self._billed_for

    def _beyond_of(self, counted: int) -> int:
        if self._beyond >= 0 or not self._billed_for:
            return self._beyond
        return round(self._beyond * counted / self._billed_for)

    def take_in(self, system: object, tools: object) -> None:
        """Bring it up to date."""
        texts = (_text(system), _text(tools))
        self.has_changed = self._texts is not None and texts != self._texts
        if texts != self._texts:
            self._texts = texts
            self.system, self.tools = self._sizer.texts(texts)


def _text(value: object) -> str:
    """What of it is counted: texts as they are, anything else as JSON."""
    if not value:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, list | tuple):
        return "\n".join(map(_part, cast("list[object]", value)))
    return _part(value)


def _part(value: object) -> str:
    if isinstance(value, dict):
        fields = cast("dict[str, Any]", value)
        if fields.get("type") == "text" and isinstance(fields.get("text"), str):
            return fields["text"]
        given: object = {name: each for name, each in fields.items() if name != "cache_control"}
    else:
        given = value
    return msgspec.json.encode(given, enc_hook=_plain).decode()


def _plain(value: object) -> object:
    dump = getattr(value, "model_dump", None)
    return dump(mode="json", exclude_unset=True) if dump is not None else str(value)
