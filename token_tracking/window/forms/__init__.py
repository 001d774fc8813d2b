"""The forms in which APIs take a conversation: Anthropic's Messages, OpenAI's Chat Completions."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final, Protocol, cast

from token_tracking.window.blocks import Block, PlainMessage
from token_tracking.window.forms.anthropic import AnthropicForm
from token_tracking.window.forms.openai import OpenAIForm


class Form(Protocol):
    """How one API writes messages. All methods are pure: messages are never changed in place."""

    name: str
    """`anthropic` or `openai`."""

    def blocks(self, message: PlainMessage, number: int) -> list[Block]:
        """The blocks of a message, `tokens` not yet counted. Unknown ones are of kind `other`."""
        ...

    def starts_turn(self, message: PlainMessage) -> bool:
        """Whether a user speaks here: it is no message that only carries tool results."""
        ...

    def with_blocks(self, message: PlainMessage, raws: Sequence[Any]) -> PlainMessage:
        """The message with other blocks in the places of its own, as many as it had."""
        ...

    def cleared_result(self, block: Block, text: str) -> Any:
        """A raw block that stands in a tool result's place: the same id and error flag, and its
        `cache_control` where it has one, with `text` as its content."""
        ...

    def cleared_input(self, block: Block, note: str) -> Any:
        """A raw block that stands in a tool call's place: the same id and name, with arguments
        that only hold `note`."""
        ...

    def user_text(self, text: str) -> PlainMessage:
        """A message of the user with this text."""
        ...

    def error_results(self, calls: Sequence[Block], texts: Sequence[str]) -> list[PlainMessage]:
        """The message (Anthropic) or messages (OpenAI) that answer calls with one error each."""
        ...

    def joined_results(
        self, message: PlainMessage | None, results: Sequence[PlainMessage]
    ) -> list[PlainMessage]:
        """Results as they stand behind their calls: in the message that carries the other results
        (Anthropic; in one of their own where `message` is None), or in front of it (OpenAI)."""
        ...

    def with_texts(
        self, message: PlainMessage, before: Sequence[str], after: Sequence[str]
    ) -> PlainMessage:
        """A user's message with texts in front of and behind what it says."""
        ...

    def with_breakpoint(self, message: PlainMessage, index: int, ttl: str) -> PlainMessage:
        """The message with a cache breakpoint (`ttl` is `5m` or `1h`) at a block; the message
        itself where the form has none."""
        ...


FORMS: Final[dict[str, Form]] = {"anthropic": AnthropicForm(), "openai": OpenAIForm()}
"""The forms by name."""

_OPENAI_MODELS: Final = re.compile(
    r"(^|[/.:])(openai|gpt|chatgpt|codex|davinci|babbage|o[1-9]|gemini|gemma|llama|meta-llama|mistral|"
    r"ministral|magistral|mixtral|codestral|devstral|pixtral|qwen|qwq|deepseek|grok|kimi|glm|phi|"
    r"command|granite|nemotron|yi)(?![a-z])",
)
"""Names of models that are served in OpenAI's form, behind a provider's name or in front."""

_OPENAI_PARTS: Final = frozenset({"image_url", "input_audio", "file", "refusal"})


def form_of(messages: Sequence[object]) -> Form:
    """The form that messages are written in; Anthropic's where none of them tells."""
    return told_form(messages) or FORMS["anthropic"]


def form_for_model(model: str) -> Form:
    """The form in which a model is asked, by its name: OpenAI's for those that are known to be
    served in it, Anthropic's for Claude and where the name does not tell."""
    name = model.lower()
    is_claude = "claude" in name or "anthropic" in name
    return FORMS["openai" if not is_claude and _OPENAI_MODELS.search(name) else "anthropic"]


def told_form(messages: Sequence[object]) -> Form | None:
    """The form that messages are written in, by the first that tells. A system message tells only
    in front: Anthropic takes them later on."""
    for number, message in enumerate(messages):
        name = _form_name(message, number)
        if name is not None:
            return FORMS[name]
    return None


def _form_name(message: object, number: int) -> str | None:
    role = _field(message, "role")
    if role in ("tool", "function", "developer") or (role == "system" and number == 0):
        return "openai"
    if _field(message, "tool_calls") or _field(message, "function_call"):
        return "openai"
    content = _field(message, "content")
    if not isinstance(content, list | tuple):
        return None
    for part in cast(Sequence[object], content):
        kind = _field(part, "type")
        if isinstance(kind, str) and kind != "text":
            return "openai" if kind in _OPENAI_PARTS else "anthropic"
    return None


def _field(holder: object, name: str) -> object:
    if isinstance(holder, Mapping):
        return cast(Mapping[str, object], holder).get(name)
    return getattr(holder, name, None)
