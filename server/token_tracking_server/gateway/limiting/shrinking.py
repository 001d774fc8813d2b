"""Makes a request smaller that its provider, or a rate limit, would never take."""

from typing import Final

from token_tracking.pricing import limits
from token_tracking.sources.replies import plain_path
from token_tracking.window import Budget, InvalidBudgetError
from token_tracking_server.gateway.exchanges import Ask, Send
from token_tracking_server.gateway.limiting.estimating import Estimate
from token_tracking_server.gateway.managing.requests import CHAT_PATHS, ChatBody, with_body
from token_tracking_server.gateway.managing.window import asked_output, changes
from token_tracking_server.gateway.managing.windows import Windows, conversation_of
from token_tracking_server.gateway.metrics import Gauges

MOST_BYTES: Final = 32 * 1024 * 1024
"""Of a request at Anthropic: docs.claude.com/en/api/errors (`request_too_large`)."""

SPARE: Final = 0.97
"""Of the tokens that a provider named: our count of the rest is an estimate."""

SMALLER: Final = 0.7
"""Of a prompt that is too large nobody says by how much."""

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
        if plain_path(ask.path) != CHAT_PATHS[ask.form]:
            return None
        return ChatBody.read(ask.form, ask.body)


def guessed_goal(ask: Ask, estimate: Estimate, shrunk_to: int | None) -> int:
    """How small a prompt should become of which its provider says only that it is too large: the
    model's window, where it is known and smaller, else a share of what it has."""
    prompt = estimate.prompt if shrunk_to is None else min(estimate.prompt, shrunk_to)
    share = min(SMALLER, MOST_BYTES / max(1, len(ask.body)))
    known = limits(ask.model) if ask.model else None
    window = known and known.context_window
    room = 0 if window is None else int((window - estimate.counted_output) * SPARE)
    return room if shrunk_to is None and share * prompt < room < prompt else int(share * prompt)
