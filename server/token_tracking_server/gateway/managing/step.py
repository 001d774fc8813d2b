"""The window manager around requests that are passed on, for those that opted in."""

from token_tracking.pricing import PriceBook
from token_tracking.sources.replies import plain_path
from token_tracking_server.gateway.exchanges import Answer, Ask, Send
from token_tracking_server.gateway.managing.requests import CHAT_PATHS, ChatBody, with_body
from token_tracking_server.gateway.managing.strategies import NONE, ON, check_strategy
from token_tracking_server.gateway.managing.window import changes
from token_tracking_server.gateway.managing.windows import Windows, conversation_of
from token_tracking_server.gateway.metrics import Gauges


class WindowStep:
    """Keeps conversations that are passed on within their model's window.

    What the caller sent is changed in its messages, system prompt and tools alone, and only where
    the strategy edits them or places cache breakpoints. A request that the window manager cannot
    help goes as it came: the API answers what it would have answered.
    """

    def __init__(
        self,
        gauges: Gauges,
        *,
        default_strategy: str = "default",
        prices: PriceBook | None = None,
    ) -> None:
        self._gauges = gauges
        self._default = check_strategy(default_strategy)
        self._windows = Windows(gauges, prices=prices)

    async def around(self, ask: Ask, send: Send) -> Answer:
        """The answer to the request, or to a smaller one.

        Raises:
            BadRequestError: it names a strategy that there is none of.
        """
        if ask.window is None or ask.method != "POST":
            return await send(ask)
        if plain_path(ask.path) != CHAT_PATHS[ask.form]:
            return await send(ask)
        strategy = check_strategy(self._default if ask.window == ON else ask.window)
        if strategy == NONE:
            return await send(ask)
        body = ChatBody.read(ask.form, ask.body)
        if body is None or ask.model is None:
            self._gauges.left_alone("unreadable")
            return await send(ask)
        return await self._managed(ask, send, body, strategy, ask.model)

    async def _managed(
        self, ask: Ask, send: Send, body: ChatBody, strategy: str, model: str
    ) -> Answer:
        conversation = conversation_of(body, ask.call.session_id)
        window = self._windows.of(conversation, body, model, strategy)
        managed = None if window is None else await window.prepare(body, ask, send)
        if window is None or managed is None:
            return await send(ask)
        changed = changes(body, managed.prepared)
        answer = await send(with_body(ask, body.written(changed)) if changed else ask)
        window.follow(answer, body, managed)
        return answer
