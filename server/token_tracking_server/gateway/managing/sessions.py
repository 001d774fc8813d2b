"""Chat with a session: its history is kept here, and each request brings what is new."""

import logging
from collections.abc import Callable
from typing import Any, ClassVar, Final, cast

from msgspec.structs import replace

from token_tracking.errors import StoreError
from token_tracking.pricing import PriceBook
from token_tracking.window import Prepared
from token_tracking_server.gateway.errors import (
    BadRequestError,
    BodyTooLargeError,
    GatewayError,
)
from token_tracking_server.gateway.exchanges import Answer, Ask, Exchanges
from token_tracking_server.gateway.histories import (
    Histories,
    Session,
    SessionChangedError,
    SessionFullError,
    new_session_id,
)
from token_tracking_server.gateway.managing.assembling import Said
from token_tracking_server.gateway.managing.following import KeptChunks
from token_tracking_server.gateway.managing.requests import (
    CHAT_PATHS,
    ChatBody,
    read_plainly,
    with_body,
)
from token_tracking_server.gateway.managing.session_fields import (
    OWN_FIELDS,
    SessionFields,
    budget_of,
    checked_id,
)
from token_tracking_server.gateway.managing.strategies import NONE, ON, check_strategy
from token_tracking_server.gateway.managing.turns import Turns
from token_tracking_server.gateway.managing.windows import Windows
from token_tracking_server.gateway.metrics import Gauges

SESSION_HEADER: Final = b"x-token-tracking-session"

_LOG: Final = logging.getLogger(__name__)


class HistoryUnavailableError(GatewayError):
    """The file of the sessions cannot be used."""

    status: ClassVar[int] = 503
    anthropic_type: ClassVar[str] = "overloaded_error"


class SessionChat:
    """Sends chat requests with their session's history in front of what they bring.

    The history grows by what a request brought and by its answer, once that is whole. After an
    error, a refusal or a stream that broke it is as it was before: the same may be sent again.
    Requests of one session wait for each other.
    """

    def __init__(
        self,
        exchanges: Exchanges,
        histories: Histories,
        gauges: Gauges,
        *,
        default_strategy: str = "default",
        prices: PriceBook | None = None,
    ) -> None:
        self._exchanges = exchanges
        self._histories = histories
        self._gauges = gauges
        self._default = check_strategy(default_strategy)
        self._windows = Windows(gauges, prices=prices)
        self._turns = Turns()
        histories.when_gone(self._windows.forget)

    async def send(self, ask: Ask) -> Answer:
        """The answer to the whole conversation, which says the session in a header.

        Raises:
            GatewayError: the request cannot be sent as it is, or what `Exchanges.send` raises.
            UpstreamBrokeError: the connection broke before there was a response.
        """
        body = ChatBody.read(ask.form, ask.body)
        if body is None or ask.model is None:
            raise BadRequestError(
                "The body has to be a JSON object with a model and a list of messages: those that"
                " are new in the session."
            )
        own = SessionFields.of(body)
        session_id = own.session_id or checked_id(ask.call.session_id) or new_session_id()
        end_turn = await self._turns.take(session_id)
        try:
            session = await self._session(ask, own, session_id)
            return await self._answer(ask, body, session, end_turn)
        except StoreError as error:
            end_turn()
            raise HistoryUnavailableError(str(error)) from error
        except BaseException:
            end_turn()
            raise

    async def _session(self, ask: Ask, own: SessionFields, session_id: str) -> Session:
        """The session as this request has it: told anew, or as it was."""
        model, usual = ask.model or "", ask.upstream.window
        had = await self._histories.get(session_id) or Session(
            id=session_id,
            form=ask.form,
            model=model,
            upstream=ask.upstream.name,
            strategy=self._named(usual or ON),
        )
        if had.form != ask.form:
            raise BadRequestError(
                f"The session {session_id} is in {had.form}'s form: go on with it at"
                f" {CHAT_PATHS[had.form].removeprefix('/v1')}, or begin a new one."
            )
        try:
            self._histories.check_room(had)
        except SessionFullError as error:
            raise BodyTooLargeError(str(error)) from error
        told = own.strategy or (ask.window if ask.window != usual else None)
        return replace(
            had,
            model=model,
            upstream=ask.upstream.name,
            strategy=self._named(told) if told else had.strategy,
            budget=own.budget or had.budget,
        )

    def _named(self, window: str) -> str:
        return self._default if window == ON else check_strategy(window)

    async def _answer(
        self, ask: Ask, body: ChatBody, session: Session, end_turn: Callable[[], None]
    ) -> Answer:
        stored = await self._histories.messages(session.id) if session.created_at else []
        leading, new = _split(body)
        session = replace(
            session,
            system=_given(leading, session.system),
            tools=_given(body.tools, session.tools),
        )
        whole = _whole(body, session, [*stored, *new])
        call = replace(ask.call, session_id=session.id)
        plain = read_plainly(replace(ask, window=None, call=call))
        return await self._exchange(plain, whole, session, new, end_turn)

    async def _exchange(
        self,
        ask: Ask,
        whole: ChatBody,
        session: Session,
        new: list[Any],
        end_turn: Callable[[], None],
    ) -> Answer:
        window = None
        if session.strategy != NONE:
            budget = budget_of(session.budget)
            window = self._windows.of(session.id, whole, session.model, session.strategy, budget)
        managed = window and await window.prepare(whole, ask, self._exchanges.send)
        text = _written(whole, managed.prepared if managed else None)
        answer = await self._exchanges.send(with_body(ask, text))
        answer.headers.append((SESSION_HEADER, session.id.encode()))
        turn = _Turn(self._histories, self._gauges, session, new, answer)

        async def over(_answer: Answer) -> None:
            try:
                await turn.bill()
            finally:
                end_turn()

        answer.at_end(over)
        answer.chunks = KeptChunks(answer, ask.form, turn.keep)
        if window and managed:
            window.follow(answer, whole, managed)
        return answer


class _Turn:
    """A request of a session and its answer, on their way into the history."""

    def __init__(
        self,
        histories: Histories,
        gauges: Gauges,
        session: Session,
        new: list[Any],
        answer: Answer,
    ) -> None:
        self._histories = histories
        self._gauges = gauges
        self._session = session
        self._new = new
        self._answer = answer
        self._is_billed = False

    async def keep(self, message: Said | None) -> None:
        """Add it to the history, and what it was billed, where that is known by now."""
        messages = [*self._new, *([message] if message else [])]
        try:
            await self._histories.add(self._session, messages)
        except (StoreError, SessionChangedError, SessionFullError) as error:
            # The answer is on its way: whoever reads it goes on without this turn.
            self._gauges.error("history_not_kept")
            _LOG.warning("A turn is not in its session's history: %s", error)
        if self._answer.replies:
            await self.bill()

    async def bill(self) -> None:
        """Add what it was billed to the session's figures, once."""
        if self._is_billed or self._answer.status != 200:
            return
        self._is_billed = True
        try:
            for reply in self._answer.replies or [None]:
                await self._histories.bill(self._session.id, reply and reply.usage)
        except StoreError as error:
            _LOG.warning("What a session was billed is not in its figures: %s", error)


def _split(body: ChatBody) -> tuple[Any, list[Any]]:
    """The system prompt, and the other messages. OpenAI's stands in front of them."""
    if body.form == "anthropic":
        return body.system, body.messages
    count = 0
    while count < len(body.messages) and _is_leading(body.messages[count]):
        count += 1
    return body.messages[:count] or None, body.messages[count:]


def _is_leading(message: object) -> bool:
    if not isinstance(message, dict):
        return False
    return cast("dict[str, object]", message).get("role") in ("system", "developer")


def _whole(body: ChatBody, session: Session, messages: list[Any]) -> ChatBody:
    if body.form == "anthropic":
        return replace(body, messages=messages, system=session.system, tools=session.tools)
    return replace(body, messages=[*(session.system or []), *messages], tools=session.tools)


def _written(whole: ChatBody, prepared: Prepared | None) -> bytes:
    """The body that goes to the upstream: as it was prepared, else with the whole history."""
    source = prepared or whole
    sent: dict[str, Any] = {"messages": source.messages, "tools": source.tools}
    if whole.form == "anthropic":
        sent["system"] = source.system
        if prepared and "max_tokens" not in whole.fields:
            sent["max_tokens"] = prepared.max_tokens
    return whole.written(sent, without=OWN_FIELDS)


def _given(given: Any, had: Any) -> Any:
    return had if given is None else given
