"""The read-only API behind the page, as JSON."""

from collections.abc import Awaitable, Callable
from typing import Any, Final, get_args

import msgspec
from msgspec.structs import asdict
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from token_tracking.efficiency.snapshot import GroupBy
from token_tracking.errors import (
    InvalidPeriodError,
    StoreError,
    TokenTrackingError,
    UnknownMetricError,
    UnknownSessionError,
)
from token_tracking.shares import METRICS
from token_tracking_server.dashboard.figures import GROUP_FIELDS, Figures
from token_tracking_server.limit_words import title

DEFAULT_PERIOD: Final = "all_time"
MOST: Final = 1_000
"""Rows of one answer."""
LONGEST_ID: Final = 1_000
"""Characters of a session's id. No client makes longer ones."""

SHOWN_ALERTS: Final = 5

_GROUPS: Final[tuple[str, ...]] = get_args(GroupBy)
_OF_ITEMS: Final = tuple(name for name in _GROUPS if name not in {"item", "project"})
# Money is exact in the ledger; the page shows it, and JSON numbers are what a page can read.
_ENCODER: Final = msgspec.json.Encoder(decimal_format="number")


class BadQuestionError(TokenTrackingError):
    """A parameter of a question is not one of those that are possible."""


def encoded(value: Any) -> bytes:
    """A value as JSON, money as numbers (USD)."""
    return _ENCODER.encode(value)


def api_routes(figures: Figures) -> list[Route]:
    """What can be asked for, each with GET alone."""
    questions = _Questions(figures)
    return [
        Route(f"/api/{path}", _answering(question), methods=["GET"])
        for path, question in (
            ("state", questions.state),
            ("snapshot", questions.snapshot),
            ("trend", questions.trend),
            ("groups", questions.groups),
            ("items", questions.items),
            ("advice", questions.advice),
            ("limits", questions.limits),
            ("sessions", questions.sessions),
            ("sessions/{session_id:path}", questions.timeline),
        )
    ]


class _Questions:
    """Parameters of an address, put to the figures."""

    def __init__(self, figures: Figures) -> None:
        self._figures = figures

    async def state(self, request: Request) -> Any:
        return await self._figures.state()

    async def snapshot(self, request: Request) -> Any:
        return await self._figures.snapshot(_period(request), _project(request))

    async def trend(self, request: Request) -> Any:
        return await self._figures.trend(_period(request), _project(request))

    async def groups(self, request: Request) -> Any:
        return await self._figures.groups(
            _one_of(request, "by", _GROUPS, "tool"),
            _period(request),
            _project(request),
            _one_of(request, "metric", METRICS, "cost"),
            _number(request, "limit", 100, MOST),
        )

    async def items(self, request: Request) -> Any:
        return await self._figures.items(
            _one_of(request, "by", _OF_ITEMS, "tool"),
            _group(request),
            _period(request),
            _project(request),
            _number(request, "limit", 100, MOST),
        )

    async def advice(self, request: Request) -> Any:
        return await self._figures.advice(_period(request), _project(request))

    async def limits(self, request: Request) -> Any:
        limits = await self._figures.limits()
        alerts = [{"text": str(each), **asdict(each)} for each in limits.alerts[:SHOWN_ALERTS]]
        quotas = [{"title": title(each), **asdict(each)} for each in limits.quotas]
        return {"quotas": quotas, "alerts": alerts}

    async def sessions(self, request: Request) -> Any:
        return await self._figures.sessions(
            _project(request),
            _number(request, "offset", 0, least=0),
            _number(request, "limit", 50, MOST),
        )

    async def timeline(self, request: Request) -> Any:
        session: str = request.path_params["session_id"]
        if not 0 < len(session) <= LONGEST_ID:
            raise UnknownSessionError(f"No session has an id of {len(session):,} characters.")
        return await self._figures.timeline(session)


def _answering(
    question: Callable[[Request], Awaitable[Any]],
) -> Callable[[Request], Awaitable[Response]]:
    async def answer(request: Request) -> Response:
        try:
            return _json(await question(request))
        except TokenTrackingError as error:
            return _json({"error": str(error)}, _status(error))

    return answer


def _json(value: Any, status: int = 200) -> Response:
    return Response(encoded(value), status, media_type="application/json")


def _status(error: TokenTrackingError) -> int:
    if isinstance(error, UnknownSessionError):
        return 404
    if isinstance(error, InvalidPeriodError | UnknownMetricError | BadQuestionError):
        return 400
    return 503 if isinstance(error, StoreError) else 500


def _period(request: Request) -> str:
    return request.query_params.get("period") or DEFAULT_PERIOD


def _project(request: Request) -> str | None:
    return request.query_params.get("project") or None


def _one_of(request: Request, name: str, possible: tuple[str, ...], usual: str) -> Any:
    given = request.query_params.get(name) or usual
    if given not in possible:
        raise BadQuestionError(f"There is no {name} {given[:50]!r}: use {', '.join(possible)}.")
    return given


def _group(request: Request) -> dict[str, str]:
    asked = request.query_params
    found = {name: asked[name] for name in GROUP_FIELDS if name in asked}
    if not found:
        raise BadQuestionError(f"Say of which group: one or more of {', '.join(GROUP_FIELDS)}.")
    return found


def _number(
    request: Request, name: str, usual: int, most: int | None = None, *, least: int = 1
) -> int:
    given = request.query_params.get(name)
    if given is None:
        return usual
    if not given.isdecimal() or not given.isascii() or len(given) > 12:
        raise BadQuestionError(f"{name}={given[:50]}: write a number such as {usual}.")
    if int(given) < least:
        raise BadQuestionError(f"{name}={int(given)}: write {least} or more.")
    return int(given) if most is None else min(int(given), most)
