"""Conversations whose tokens are known: one for each word."""

import json
from collections.abc import Sequence
from typing import Any, cast

from token_tracking.counting import TokenCount, TokenCounter
from token_tracking.window.budget import Budget
from token_tracking.window.forms import form_of
from token_tracking.window.laws import validate
from token_tracking.window.policies.policy import Policy
from token_tracking.window.prepared import Prepared
from token_tracking.window.window import ContextWindow

Message = dict[str, Any]

MODEL = "claude-sonnet-4-5"


class WordCounter:
    """A token for each word."""

    def count(self, text: str) -> TokenCount:
        return TokenCount(tokens=len(text.split()), method="words", exact=True, error_p95=0.0)


def word_counter() -> TokenCounter:
    counter = TokenCounter()
    counter.plug_in(WordCounter())
    return counter


def words(count: int, name: str = "word") -> str:
    return " ".join(f"{name}{number}" for number in range(count))


def user(text: str) -> Message:
    return {"role": "user", "content": text}


def assistant(text: str) -> Message:
    return {"role": "assistant", "content": text}


def tool_round(number: int, size: int) -> list[Message]:
    """A call and its result of `size` words."""
    call = {"type": "tool_use", "id": f"t{number}", "name": "look", "input": {"n": number}}
    result = {"type": "tool_result", "tool_use_id": f"t{number}", "content": words(size, "found")}
    return [{"role": "assistant", "content": [call]}, {"role": "user", "content": [result]}]


def chat(turns: int, size: int = 100) -> list[Message]:
    """That many turns of two messages with `size` words each, without the last answer; a message
    has three tokens of its own."""
    messages = [
        message
        for number in range(turns)
        for message in (
            user(words(size, f"q{number}_")),
            assistant(words(size, f"a{number}_")),
        )
    ]
    return messages[:-1]


def window_of(
    policy: Policy | Sequence[Policy] | None,
    *,
    context: int | None = None,
    history: int | None = None,
    **options: Any,
) -> ContextWindow:
    budget = Budget(max_context_tokens=context, max_history_tokens=history)
    given: dict[str, Any] = {"counter": word_counter(), "budget": budget, **options}
    return ContextWindow(MODEL, policy=policy, **given)


async def prepare(window: ContextWindow, messages: list[Message]) -> Prepared:
    """What is prepared, and valid."""
    prepared = await window.prepare("be brief", messages)
    assert validate(prepared.messages, original=messages) is None
    return prepared


async def prepare_all(window: ContextWindow, messages: list[Message]) -> list[Prepared]:
    """What is prepared at each request of a conversation, and valid."""
    return [await prepare(window, each) for each in requests_of(messages)]


def texts(prepared: Prepared) -> list[str]:
    """All texts that are sent, with their messages' roles."""
    found: list[str] = []
    for message in prepared.messages:
        content = message["content"]
        parts = [{"text": content}] if isinstance(content, str) else content
        found += [part["text"] for part in parts if "text" in part]
    return found


def said(prepared: Prepared, text: str) -> bool:
    """Whether a text stands anywhere in what is sent."""
    return text in str(prepared.messages)


def requests_of(messages: list[Message]) -> list[list[Message]]:
    """The conversation as it was at each of its requests."""
    return [
        messages[: number + 1]
        for number, message in enumerate(messages)
        if message["role"] in ("user", "tool")
        and (number + 1 == len(messages) or messages[number + 1]["role"] == "assistant")
    ]


def form_name(messages: list[Message]) -> str:
    """The form of a whole conversation: its first request alone may not tell."""
    return form_of(messages).name


def agent(rounds: int, size: int = 200) -> list[Message]:
    """A task, and that many calls with results of `size` words."""
    return [user("the task"), *(each for n in range(rounds) for each in tool_round(n, size))]


class Clock:
    """Seconds since 1970 that pass only when a test says so."""

    def __init__(self, now: float = 1_790_000_000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


def json_of(messages: list[Message]) -> list[str]:
    """Each message as JSON, without breakpoints, a string as the block that it stands for: what
    a cached prefix depends on."""
    return [json.dumps([each["role"], _unmarked(each["content"])]) for each in messages]


def listed(content: Any) -> list[Message]:
    """The blocks of a content; none of a string."""
    return cast("list[Message]", content) if isinstance(content, list) else []


def _unmarked(content: Any) -> Any:
    blocks = [{"type": "text", "text": content}] if isinstance(content, str) else content
    return [
        {name: value for name, value in block.items() if name != "cache_control"}
        for block in blocks
    ]
