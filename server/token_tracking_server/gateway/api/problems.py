"""Errors of the gateway's own API: `{"detail": "..."}`, which says what to do next."""

import logging
from collections.abc import Mapping, Sequence
from typing import Any, Final

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.routing import Match

from token_tracking.counting import CountingError
from token_tracking.errors import StoreError, TokenTrackingError
from token_tracking_server.gateway.errors import (
    BadRequestError,
    BodyTooLargeError,
    GatewayError,
    MethodNotAllowedError,
    NotFoundError,
)
from token_tracking_server.gateway.metrics import Gauges

_LOG: Final = logging.getLogger(__name__)

_NO_ROUTE: Final = (
    "There is nothing at this address. GET /openapi.json describes what there is; requests to"
    " providers go to /v1/messages or /v1/chat/completions."
)

_UNREAD: Final = "The body cannot be read: send JSON in UTF-8, not nested too deep."

_ADVICE: Final = {
    (404, "Not Found"): _NO_ROUTE,
    (400, "There was an error parsing the body"): _UNREAD,
}
"""What is said in place of words that do not say what to do."""

_METHODS: Final = ("GET", "POST", "PUT", "DELETE")

_KINDS: Final = {
    400: BadRequestError.__name__,
    404: NotFoundError.__name__,
    405: MethodNotAllowedError.__name__,
    413: BodyTooLargeError.__name__,
    422: "InvalidRequestError",
}
"""The words that the metrics have for statuses."""


class Problem(BaseModel):
    """Why a request was not answered."""

    detail: str = Field(description="What is wrong, and what to do next.")


PROBLEMS: Final[dict[int | str, dict[str, Any]]] = {
    422: {"model": Problem, "description": "The request is not what this route takes."},
    "4XX": {"model": Problem, "description": "The request cannot be answered as it is."},
    "5XX": {"model": Problem, "description": "The gateway, or its upstream, cannot answer now."},
}
"""What every route may answer."""


def answer_problems(api: FastAPI, gauges: Gauges) -> None:
    """Have errors answered as `Problem`, and counted."""
    answers = _Answers(gauges)
    api.add_exception_handler(RequestValidationError, answers.invalid)
    api.add_exception_handler(HTTPException, answers.refused)
    api.add_exception_handler(TokenTrackingError, answers.failed)
    api.add_exception_handler(Exception, answers.broken)


class _Answers:
    """What FastAPI asks where something was raised."""

    def __init__(self, gauges: Gauges) -> None:
        self._gauges = gauges

    async def invalid(self, _request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, RequestValidationError)
        self._gauges.error("InvalidRequestError")
        return _problem(422, _in_words(error.errors()))

    async def refused(self, request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, HTTPException)
        status = error.status_code
        self._gauges.error(_KINDS.get(status, f"Http{status}Error"))
        if status == 405:
            return _not_allowed(request)
        return _problem(status, _ADVICE.get((status, error.detail), error.detail), error.headers)

    async def failed(self, _request: Request, error: Exception) -> JSONResponse:
        if isinstance(error, GatewayError):
            self._gauges.own_error(error)
            return _problem(error.status, str(error), error.headers)
        self._gauges.error(type(error).__name__)
        is_passing = isinstance(error, StoreError | CountingError)
        return _problem(503 if is_passing else 500, str(error))

    async def broken(self, _request: Request, error: Exception) -> JSONResponse:
        self._gauges.error(GatewayError.__name__)
        _LOG.error("A request failed.", exc_info=error)
        return _problem(500, "The gateway failed; its log says why. Please report it.")


def _not_allowed(request: Request) -> JSONResponse:
    """Starlette names the methods of one route, and an address may have several."""
    methods = [method for method in _METHODS if _takes(request, method)]
    detail = (
        f"{request.method} is not what this address takes: use {' or '.join(methods)}. GET"
        " /openapi.json describes what there is."
    )
    return _problem(405, detail, {"allow": ", ".join(methods)})


def _takes(request: Request, method: str) -> bool:
    scope = {**request.scope, "method": method}
    return any(route.matches(scope)[0] is Match.FULL for route in request.app.routes)


def _problem(status: int, detail: str, headers: Mapping[str, str] | None = None) -> JSONResponse:
    return JSONResponse({"detail": detail}, status, headers)


def _in_words(errors: Sequence[Any]) -> str:
    """What is wrong, place by place, without what was sent: that may be anyone's text."""
    said = [f"{'.'.join(map(str, error['loc']))}: {error['msg']}" for error in errors[:5]]
    more = len(errors) - len(said)
    return "; ".join(said) + (f"; and {more} more" if more else "") + "."
