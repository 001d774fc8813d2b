"""Baselines of the user's own: a function that says what a request would have used otherwise."""

from collections.abc import Callable, Sequence

from msgspec import Struct

from token_tracking.efficiency.context import Billed
from token_tracking.efficiency.no_jit import with_prompt
from token_tracking.efficiency.session import Prices, RequestBaseline, compare
from token_tracking.errors import InvalidUsageError, UnknownBaselineError
from token_tracking.loads import SessionLoad, chain_of
from token_tracking.usage import Usage


class RequestView(Struct, frozen=True, kw_only=True):
    """What a custom baseline sees of a request: its usage, its model, its time (milliseconds since
    1970 UTC; `None` where it was not told), and the just-in-time content that its prompt held."""

    message_id: str | None
    at: int | None
    model: str | None
    usage: Usage
    loads: tuple[SessionLoad, ...] = ()


Custom = Callable[[RequestView], Usage | int]
"""What a request would have used otherwise: a `Usage`, or its prompt's tokens."""


def custom_usage(function: Custom | None, request: RequestView) -> Usage:
    """What `function` says of a request. Of a number of prompt tokens, the difference stands at the
    front of the prompt, and is billed as that was.

    Raises:
        UnknownBaselineError: no function was given.
        InvalidUsageError: it failed, or returned neither a usage nor a count of tokens.
    """
    if function is None:
        raise UnknownBaselineError(
            "The baseline custom is a function of yours: pass it as custom=, taking a request and"
            " returning a Usage or the prompt's tokens."
        )
    name = request.message_id or "the message"
    try:
        told: object = function(request)
    except Exception as error:
        raise InvalidUsageError(f"Your baseline failed for {name}: {error!r}.") from error
    if type(told) is int and told >= 0:
        told = with_prompt(request.usage, told)
    if not isinstance(told, Usage):
        raise InvalidUsageError(
            f"Your baseline returned {told!r} for {name}: return a Usage, or a whole number of"
            " prompt tokens from 0."
        )
    try:
        told.check_size()
    except InvalidUsageError as error:
        raise InvalidUsageError(f"Your baseline for {name}: {error}") from error
    return told


def custom_requests(
    function: Custom | None,
    sent: Sequence[Billed],
    loads: Sequence[SessionLoad],
    prices: Prices,
) -> list[RequestBaseline]:
    """Each request beside what `function` says. Raises as `custom_usage` does."""
    return [compare(each, custom_usage(function, _view(each, loads)), prices) for each in sent]


def _view(request: Billed, loads: Sequence[SessionLoad]) -> RequestView:
    chain = chain_of(request.agent_id, is_sidechain=request.is_sidechain)
    at = request.timestamp
    return RequestView(
        message_id=request.message_id,
        at=at,
        model=request.model,
        usage=request.usage,
        loads=tuple(
            load
            for load in loads
            if load.chain == chain
            and load.entered_at <= at
            and (load.left_at is None or at < load.left_at)
        ),
    )
