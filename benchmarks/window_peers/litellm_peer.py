# pyright: basic, reportMissingImports=false
# (LiteLLM stands in the peers' own environment only)
"""LiteLLM's `trim_messages`, on Chat Completions dicts with the system prompt in front."""

import logging
import time
from collections.abc import Sequence

import litellm
from litellm.utils import trim_messages

from . import MAX_TOKENS
from .history import Edited, History, Message
from .openai_form import ORIGIN, OpenAIForm

PACKAGES = ("litellm",)
TOKEN = " a"  # one token of every tokenizer that LiteLLM has for Claude or OpenAI


class _Swallowed(logging.Handler):
    """The last error that LiteLLM logged: it gives the messages back instead of raising it."""

    last: str | None = None

    def emit(self, record: logging.LogRecord) -> None:
        self.last = record.getMessage()


class Trim:
    """One session through `trim_messages`: three quarters of the model's window, or a limit.

    For a model that LiteLLM does not know, its default is to do nothing.
    """

    def __init__(self, model: str, system_tokens: int, max_tokens: int | None) -> None:
        self._model, self._max_tokens = model, max_tokens
        self._system = {"role": "system", "content": TOKEN * system_tokens}
        self._form = OpenAIForm()
        self._history = History(self._form.convert)
        self._errors = _Swallowed(logging.ERROR)
        logging.getLogger("LiteLLM").handlers = [self._errors]
        window = litellm.model_cost.get(model, {}).get("max_input_tokens")
        limit = f"max_tokens={max_tokens}" if max_tokens else f"0.75 of a window of {window}"
        self.settings = f"trim_messages(model={model!r}): {limit}, system prompt counted"

    def prepare(self, keep: int, added: Sequence[Message], usage: dict[str, int] | None) -> Edited:
        """Trim the whole history anew, as LiteLLM does; it knows no usage."""
        self._history.advance(keep, added)
        given = [self._system, *self._history.parts]
        started = time.perf_counter()
        trimmed = self._trimmed(given)
        milliseconds = (time.perf_counter() - started) * 1_000
        note = f"nothing trimmed: {self._errors.last}" if trimmed is given else None
        pieces = [self._form.piece(part) for part in trimmed if ORIGIN in part]
        return Edited(self._history.rejoined(pieces), milliseconds, note=note)

    def _trimmed(self, given: list[Message]) -> list[Message]:
        return trim_messages(given, model=self._model, max_tokens=self._max_tokens)


class Nothing(Trim):
    """Gives back what it got: only the conversion is left."""

    def _trimmed(self, given: list[Message]) -> list[Message]:
        return list(given)


def opened(name: str, model: str, system_tokens: int) -> Trim:
    """The peer of this name, for one session."""
    if name == "litellm_nothing":
        return Nothing(model, system_tokens, None)
    return Trim(model, system_tokens, MAX_TOKENS if name == "litellm_trim_100k" else None)
