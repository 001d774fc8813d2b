"""Conversations that the server holds: a request continues one and sends only what is new."""

from typing import Any

from tests.upstream.errors import Refusal
from tests.upstream.values import Json, objects


class Threads:
    """The held requests and their answers, by the id of the answer."""

    def __init__(self) -> None:
        self._held: dict[str, Json] = {}

    def whole(self, request: Json) -> Json:
        """The request with all of its messages. Raises `Refusal` (404)."""
        thread: Json = request.get("thread") or {}
        asked = {name: value for name, value in request.items() if name != "thread"}
        if thread.get("type") != "continue":
            return asked
        held = self._held.get(thread["previous_message_id"])
        if held is None:
            raise Refusal(404, "thread not found")
        messages = [*objects(held["messages"]), *objects(asked.get("messages"))]
        return {**held, **asked, "messages": messages}

    def hold(self, asked: Json, whole: Json, message: dict[str, Any]) -> None:
        """Hold a conversation, where that was asked for."""
        if not asked.get("thread"):
            return
        reply = {"role": "assistant", "content": message["content"]}
        one_turn = ("stream", "max_tokens")
        kept = {name: value for name, value in whole.items() if name not in one_turn}
        self._held[message["id"]] = {**kept, "messages": [*objects(whole["messages"]), reply]}
