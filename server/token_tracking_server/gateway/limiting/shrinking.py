"""Makes a request smaller that its provider, or a rate limit, would never take."""

from typing import Final

from token_tracking.window import Budget, InvalidBudgetError
from token_tracking_server.gateway.exchanges import Ask, Send
from token_tracking_server.gateway.managing.requests import CHAT_PATHS, ChatBody, with_body
from token_tracking_server.gateway.managing.window import asked_output, changes
from token_tracking_server.gateway.managing.windows import Windows, conversation_of
from token_tracking_server.gateway.metrics import Gauges

_STRATEGY: Final = "default"


class Shrinking:
    """Conversations that were shrunk stay so: the same cuts are made in their next requests."""

    def __init__(self, gauges: Gauges) -> None:
        self._windows = Windows(gauges)

    async def to(self, ask: Ask, prompt_tokens: int, send: Send) -> Ask | None:
        """The request with a prompt of at most so many tokens (as the window counts them); `None`
        where nothing that may be left out makes it fit, or it holds no conversation."""
        body = self._body(ask)
        if body is None or ask.model is None or prompt_tokens <= 0:
            return None
        try:
            budget = Budget(max_context_tokens=prompt_tokens, max_output_tokens=asked_output(body))
        except InvalidBudgetError:
            return None
        conversation = conversation_of(body, ask.call.session_id)
        window = self._windows.of(conversation, body, ask.model, _STRATEGY, budget)
        managed = None if window is None else await window.prepare(body, ask, send)
        changed = changes(body, managed.prepared) if managed else {}
        return with_body(ask, body.written(changed)) if changed else None

    def _body(self, ask: Ask) -> ChatBody | None:
        if ask.path != CHAT_PATHS[ask.form]:
            return None
        return ChatBody.read(ask.form, ask.body)
