# pyright: basic, reportMissingImports=false
# (LangChain stands in the peers' own environment only)
"""Anthropic's messages as LangChain's, as langchain-anthropic makes them, and back."""

from typing import Any

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, ToolMessage

from .history import Message, Piece, is_tool_result, kind_of, runs


class LangChainForm:
    """Converts messages, and remembers the tool results that its ToolMessages stand for.

    A message's id says where it comes from: the number of the original, and its place among all.
    """

    def __init__(self) -> None:
        self._results: dict[str, Message] = {}
        self._tools: dict[str, str] = {}

    def convert(self, number: int, place: int, message: Message) -> list[BaseMessage]:
        """The messages of LangChain that stand for one of Anthropic's.

        Raises ValueError if its role is neither the user's nor the assistant's.
        """
        content = message["content"]
        if message["role"] == "assistant":
            return [self._answer(f"{number}.{place}", content)]
        if message["role"] != "user":
            raise ValueError(f"message {number} has the role {message['role']!r}")
        groups = runs(content) if isinstance(content, list) else [content]
        return [self._of_user(f"{number}.{place + n}", group) for n, group in enumerate(groups)]

    def piece(self, part: BaseMessage) -> Piece:
        """What a message that came back holds."""
        number, dot, _ = (part.id or "").partition(".")
        if not dot:
            return Piece(None, part.content)
        if not isinstance(part, ToolMessage):
            return Piece(int(number), part.content)
        result = self._results[part.id or ""]
        if part.content == _content(result):
            return Piece(int(number), [result])
        return Piece(int(number), [{**result, "content": part.content}])

    def _answer(self, identity: str, content: Any) -> AIMessage:
        blocks = [] if isinstance(content, str) else content
        calls = [_call(block) for block in blocks if kind_of(block) == "tool_use"]
        self._tools.update((call["id"], call["name"]) for call in calls)
        provider = {"model_provider": "anthropic"}
        return AIMessage(content, id=identity, tool_calls=calls, response_metadata=provider)

    def _of_user(self, identity: str, content: Any) -> BaseMessage:
        if not content or not is_tool_result(content[0]):
            return HumanMessage(content, id=identity)
        self._results[identity] = result = content[0]
        called = str(result.get("tool_use_id"))
        return ToolMessage(
            _content(result),
            id=identity,
            tool_call_id=called,
            name=self._tools.get(called),
            status="error" if result.get("is_error") else "success",
        )


def _call(block: Message) -> Any:
    arguments = block["input"] if isinstance(block["input"], dict) else {}
    return {"type": "tool_call", "id": block["id"], "name": block["name"], "args": arguments}


def _content(result: Message) -> str | list[Any]:
    return result.get("content") or ""
