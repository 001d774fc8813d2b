# pyright: basic, reportMissingImports=false
# (LangChain stands in the peers' own environment only)
"""An agent's state under LangChain's SummarizationMiddleware, with a model that says filler."""

from typing import Any

from langchain.agents.middleware import SummarizationMiddleware
from langchain_anthropic import ChatAnthropic
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.messages.utils import count_tokens_approximately
from langchain_core.outputs import ChatGeneration, ChatResult
from pydantic import PrivateAttr

WINDOW = 200_000  # tokens, for models of which langchain-anthropic has no profile
CHARACTERS_A_TOKEN = 3.3  # for Claude, by the middleware's own estimate
SECTIONS = ("SESSION INTENT", "SUMMARY", "ARTIFACTS", "NEXT STEPS")  # that its prompt asks for
WORDS_A_SECTION = 150  # an assumption: the prompt names no length
SUMMARY = "\n\n".join(f"## {section}\n\n{'word ' * WORDS_A_SECTION}" for section in SECTIONS)


class SilentModel(ChatAnthropic):
    """Claude as LangChain knows it, which asks nobody and answers with a summary of filler."""

    _asked: list[list[BaseMessage]] = PrivateAttr(default_factory=list)

    def _generate(self, messages: list[BaseMessage], *_: Any, **__: Any) -> ChatResult:
        self._asked.append(messages)
        return ChatResult(generations=[ChatGeneration(message=AIMessage(SUMMARY))])

    def take_asked(self) -> list[list[BaseMessage]]:
        """The prompts since the last time that this was called."""
        asked, self._asked = self._asked, []
        return asked


def silent_model(model: str) -> SilentModel:
    """The model by its name, with its profile or else a window of 200,000 tokens."""
    made = SilentModel(model_name=model, api_key="unused")  # it is never sent
    if not (made.profile or {}).get("max_input_tokens"):
        made.profile = {"max_input_tokens": WINDOW}
    return made


class Summarised:
    """The state of one session: a summary of the parts up to a cut, and the parts behind it.

    `extra` holds the tokens of the last request's summary, by LangChain's own estimate for Claude.
    """

    def __init__(self, model: str, trigger: Any, keep: Any) -> None:
        self._model = silent_model(model)
        self._middleware = SummarizationMiddleware(self._model, trigger=trigger, keep=keep)
        self._summaries: list[tuple[int, BaseMessage]] = []
        self.extra: dict[str, int] | None = None
        self.note: str | None = None

    def edited(self, parts: list[BaseMessage]) -> list[BaseMessage]:
        """The state for the next request.

        Where the history went back, a summary holds for as long as all that it sums up is there.
        """
        while self._summaries and self._summaries[-1][0] > len(parts):
            self._summaries.pop()
        cut = self._summaries[-1][0] if self._summaries else 0
        state = [*(summary for _, summary in self._summaries[-1:]), *parts[cut:]]
        update = self._middleware.before_model({"messages": state}, None)  # type: ignore[arg-type]
        self._note_request(update is not None)
        if update is None:
            return state
        _, summary, *kept = update["messages"]
        self._summaries.append((len(parts) - len(kept), summary))
        return [summary, *kept]

    def _note_request(self, summarised: bool) -> None:
        asked = self._model.take_asked()
        self.extra = _tokens(asked) if asked else None
        lost = summarised and not asked
        self.note = "cut off without a summary: nothing fitted the summariser" if lost else None


def _tokens(prompts: list[list[BaseMessage]]) -> dict[str, int]:
    answers = [[AIMessage(SUMMARY)] for _ in prompts]
    return {"prompt_tokens": _estimate(prompts), "output_tokens": _estimate(answers)}


def _estimate(conversations: list[list[Any]]) -> int:
    return sum(
        count_tokens_approximately(messages, chars_per_token=CHARACTERS_A_TOKEN)
        for messages in conversations
    )
