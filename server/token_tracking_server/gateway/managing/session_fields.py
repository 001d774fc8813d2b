"""What a managed chat's body says to the gateway. All else is for the upstream."""

from typing import Any, Final, Self, cast

import msgspec
from msgspec import Struct

from token_tracking.window import Budget
from token_tracking_server.gateway.errors import BadRequestError
from token_tracking_server.gateway.histories import SESSION_ID, is_session_id
from token_tracking_server.gateway.managing.requests import ChatBody
from token_tracking_server.gateway.managing.strategies import check_strategy

OWN_FIELDS: Final = ("session_id", "strategy", "budget")


class SessionFields(Struct, frozen=True, kw_only=True):
    """The gateway's own fields of a body, checked; `None` where they are not there."""

    session_id: str | None
    strategy: str | None
    budget: dict[str, Any] | None

    @classmethod
    def of(cls, body: ChatBody) -> Self:
        """Those of a body.

        Raises:
            BadRequestError: one is not what it has to be.
        """
        strategy = body.value("strategy")
        return cls(
            session_id=checked_id(body.value("session_id")),
            strategy=None if strategy is None else check_strategy(str(strategy)),
            budget=_checked_budget(body.value("budget")),
        )


def checked_id(given: object) -> str | None:
    """The id of a session; `None` where none is given.

    Raises:
        BadRequestError: it can be none.
    """
    if given is None:
        return None
    if not isinstance(given, str) or not is_session_id(given):
        raise BadRequestError(
            f"session_id has to match {SESSION_ID}: leave it out, and the answer's header"
            " x-token-tracking-session has a new one."
        )
    return given


def budget_of(given: dict[str, Any] | None) -> Budget | None:
    """A budget that was checked."""
    return None if given is None else Budget(**given)


def _checked_budget(given: object) -> dict[str, Any] | None:
    if given is None:
        return None
    names = Budget.__struct_fields__
    fields = cast("dict[str, Any]", given) if isinstance(given, dict) else None
    if fields is None or not fields.keys() <= set(names):
        raise BadRequestError(f"budget has to be an object with some of {', '.join(names)}.")
    try:
        msgspec.convert(fields, Budget)
    except msgspec.ValidationError as error:
        raise BadRequestError(f"budget: {error}") from None
    return fields
