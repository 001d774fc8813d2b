"""What stands before the messages of a request: the system prompt and the tools."""

from typing import Any, cast

import msgspec

from token_tracking.window.sizes import Sizer


class Surroundings:
    """Their tokens, counted when they change. `overhead` is what was billed beyond all that was
    counted, messages included."""

    def __init__(self, sizer: Sizer) -> None:
        self.system = 0
        self.tools = 0
        self.overhead = 0
        self.has_changed = False
        """Since the last request: nothing of the prompt's front is cached then."""
        self._sizer = sizer
        self._texts: tuple[str, str] | None = None

    @property
    def tokens(self) -> int:
        """All of it."""
        return self.system + self.tools + self.overhead

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
