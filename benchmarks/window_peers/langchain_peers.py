# pyright: basic, reportMissingImports=false
# (LangChain stands in the peers' own environment only)
"""LangChain's `trim_messages` and its middleware that clears tool results or summarises.

The system prompt is not among the messages of a LangChain agent, and what its middleware counts by
characters leaves it out; only `langchain_trim_documented` has it in front, as a SystemMessage.
"""

import time
from collections.abc import Sequence
from typing import Any

from langchain.agents.middleware import ContextEditingMiddleware, ModelRequest
from langchain_core.messages import AIMessage, BaseMessage, SystemMessage, trim_messages

from . import MAX_TOKENS
from .history import Edited, History, Message
from .langchain_form import LangChainForm
from .langchain_summary import Summarised, silent_model

PACKAGES = ("langchain", "langchain-core", "langchain-anthropic")
CHARACTERS_A_TOKEN = 4  # of count_tokens_approximately


class LangChainPeer:
    """One session. By itself it changes nothing: only the conversion is left."""

    settings = "nothing"

    def __init__(self, model: str, system_tokens: int) -> None:
        self._form = LangChainForm()
        self._history = History(self._form.convert)

    def prepare(self, keep: int, added: Sequence[Message], usage: dict[str, int] | None) -> Edited:
        """What LangChain would send for the next request."""
        self._history.advance(keep, added)
        if usage:
            self._tell(usage)
        parts = self._history.parts
        started = time.perf_counter()
        edited = self._edited(parts)
        milliseconds = (time.perf_counter() - started) * 1_000
        pieces = [self._form.piece(part) for part in edited]
        return Edited(self._history.rejoined(pieces), milliseconds, *self._beside())

    def _edited(self, parts: list[BaseMessage]) -> list[BaseMessage]:
        return parts

    def _beside(self) -> tuple[dict[str, int] | None, str | None]:
        return None, None

    def _tell(self, usage: dict[str, int]) -> None:
        answers = (part for part in reversed(self._history.parts) if isinstance(part, AIMessage))
        total = usage["input_tokens"] + usage["output_tokens"]
        if answer := next(answers, None):
            answer.usage_metadata = {**usage, "total_tokens": total}


class Trim(LangChainPeer):
    """`trim_messages` with a limit, and all else by its defaults."""

    settings = f"trim_messages(max_tokens={MAX_TOKENS}, token_counter='approximate')"

    def _edited(self, parts: list[BaseMessage]) -> list[BaseMessage]:
        return trim_messages(parts, max_tokens=MAX_TOKENS, token_counter="approximate")


class DocumentedTrim(LangChainPeer):
    """`trim_messages` as its documentation calls it."""

    settings = f"{Trim.settings[:-1]}, start_on='human', include_system=True)"

    def __init__(self, model: str, system_tokens: int) -> None:
        super().__init__(model, system_tokens)
        self._system = SystemMessage("a " * (system_tokens * CHARACTERS_A_TOKEN // 2))

    def _edited(self, parts: list[BaseMessage]) -> list[BaseMessage]:
        trimmed = trim_messages(
            [self._system, *parts],
            max_tokens=MAX_TOKENS,
            token_counter="approximate",
            start_on="human",
            include_system=True,
        )
        return [part for part in trimmed if not isinstance(part, SystemMessage)]


class Clear(LangChainPeer):
    """`ContextEditingMiddleware` with its default, one ClearToolUsesEdit.

    It edits a copy for each request, and an agent's state keeps the whole history.
    """

    settings = "ContextEditingMiddleware(): ClearToolUsesEdit(trigger=100_000, keep=3)"

    def __init__(self, model: str, system_tokens: int) -> None:
        super().__init__(model, system_tokens)
        self._middleware = ContextEditingMiddleware()
        self._model = silent_model(model)

    def _edited(self, parts: list[BaseMessage]) -> list[BaseMessage]:
        sent: list[BaseMessage] = []

        def send(request: Any) -> AIMessage:
            sent.extend(request.messages)
            return AIMessage("")

        request: Any = ModelRequest(model=self._model, messages=list(parts))
        self._middleware.wrap_model_call(request, send)
        return sent


class Summary(LangChainPeer):
    """`SummarizationMiddleware`, whose summary replaces what it sums up in the agent's state."""

    def __init__(self, model: str, system_tokens: int, **sizes: tuple[str, float]) -> None:
        super().__init__(model, system_tokens)
        self._summarised = Summarised(model, **sizes)
        shown = ", ".join(f"{name}={size}" for name, size in sizes.items())
        self.settings = f"SummarizationMiddleware({shown})"

    def _edited(self, parts: list[BaseMessage]) -> list[BaseMessage]:
        return self._summarised.edited(parts)

    def _beside(self) -> tuple[dict[str, int] | None, str | None]:
        return self._summarised.extra, self._summarised.note


def opened(name: str, model: str, system_tokens: int) -> LangChainPeer:
    """The peer of this name, for one session.

    The summaries' sizes are the first and the last example of LangChain's page on its middleware,
    for without a trigger there is never a summary; 20 messages are kept by default, too.
    """
    if name == "langchain_summary":
        sizes = {"trigger": ("tokens", 4_000), "keep": ("messages", 20)}
        return Summary(model, system_tokens, **sizes)
    if name == "langchain_summary_fraction":
        sizes = {"trigger": ("fraction", 0.8), "keep": ("fraction", 0.3)}
        return Summary(model, system_tokens, **sizes)
    peers = {
        "langchain_trim": Trim,
        "langchain_trim_documented": DocumentedTrim,
        "langchain_clear": Clear,
        "langchain_nothing": LangChainPeer,
    }
    return peers[name](model, system_tokens)
