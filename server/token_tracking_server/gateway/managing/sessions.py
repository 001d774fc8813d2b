"""Chat with a session: its history is kept here, and each request brings what is new."""

from collections.abc import Callable
from typing import Any, ClassVar, Final, cast

from msgspec.structs import replace

from token_tracking.errors import StoreError
from token_tracking.pricing import PriceBook
from token_tracking.window import DoesNotFitError, InvalidBudgetError, Prepared
from token_tracking.window.budget import room_of
from token_tracking_server.gateway.errors import (
    BadRequestError,
    BodyTooLargeError,
    GatewayError,
)
from token_tracking_server.gateway.exchanges import Answer, Ask, Exchanges
from token_tracking_server.gateway.histories import (
    Histories,
    Session,
    SessionFullError,
    new_session_id,
)
from token_tracking_server.gateway.managing.following import KeptChunks
from token_tracking_server.gateway.managing.marks import unmarked, with_room
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
from token_tracking_server.gateway.managing.session_turn import SessionTurn
from token_tracking_server.gateway.managing.strategies import NONE, ON, check_strategy
from token_tracking_server.gateway.managing.turns import Turns
from token_tracking_server.gateway.managing.window import Managed, ManagedWindow
from token_tracking_server.gateway.managing.windows import Windows
from token_tracking_server.gateway.metrics import Gauges

SESSION_HEADER: Final = b"x-token-tracking-session"


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
        whole = _whole(body, session, stored, new)
        call = replace(ask.call, session_id=session.id)
        plain = read_plainly(replace(ask, window=None, call=call))
        turn = SessionTurn(self._exchanges, self._histories, self._gauges, session, new)
        try:
            return await self._exchange(plain, whole, turn, end_turn)
        except BaseException:
            await turn.bill()  # summaries were written for it
            raise

    async def _exchange(
        self, ask: Ask, whole: ChatBody, turn: SessionTurn, end_turn: Callable[[], None]
    ) -> Answer:
        window = self._window(whole, turn.session)
        managed = window and await self._prepared(window, whole, ask, turn)
        text = _written(whole, managed.prepared if managed else None)
        answer = await turn.send(with_body(ask, text))
        answer.headers.append((SESSION_HEADER, turn.session.id.encode()))

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

    def _window(self, whole: ChatBody, session: Session) -> ManagedWindow | None:
        """The window of a session; `None` where it has none, or its model no room for one.

        Raises:
            BadRequestError: the model has no room for the budget that the session was given.
        """
        if session.strategy == NONE:
            return None
        budget = budget_of(session.budget)
        try:
            if budget is not None:
                room_of(budget, session.model)
        except InvalidBudgetError as error:
            raise BadRequestError(f"budget: {error}") from error
        return self._windows.of(session.id, whole, session.model, session.strategy, budget)

    async def _prepared(
        self, window: ManagedWindow, whole: ChatBody, ask: Ask, turn: SessionTurn
    ) -> Managed | None:
        """What the window makes of a request; `None` where it is to go as it is.

        Raises:
            BadRequestError: it cannot be kept within the budget that the session was given.
        """
        must_fit = turn.session.budget is not None
        try:
            return await window.prepare(whole, ask, turn.send, must_fit=must_fit)
        except DoesNotFitError as error:
            raise BadRequestError(
                f"The request does not fit the budget of the session {turn.session.id}. {error}"
            ) from error


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


def _whole(body: ChatBody, session: Session, stored: list[Any], new: list[Any]) -> ChatBody:
    """The body of the whole conversation. Of the breakpoints that its callers set, those of this
    request remain, and of the system prompt and the tools where there is room for them."""
    leading = body.system if body.form == "anthropic" else _split(body)[0]
    others = "cache_control" in body.fields  # the API's own caching takes one of them
    parts = [(session.tools, body.tools is not None), (session.system, leading is not None)]
    tools, system, new = with_room([*parts, (new, True)], others)
    messages = [*unmarked(stored), *new]
    if body.form == "anthropic":
        return replace(body, messages=messages, system=system, tools=tools)
    return replace(body, messages=[*(system or []), *messages], tools=tools)


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
