"""Errors of the gateway's own API: `{"detail": "..."}`, which says what to do next."""

import logging
from collections.abc import Mapping, Sequence
from typing import Any, Final

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from token_tracking.counting import CountingError
from token_tracking.errors import StoreError, TokenTrackingError
from token_tracking_server.gateway.errors import GatewayError

_LOG: Final = logging.getLogger(__name__)

_NO_ROUTE: Final = (
    "There is nothing at this address. GET /openapi.json describes what there is; requests to"
    " providers go to /v1/messages or /v1/chat/completions."
)


class Problem(BaseModel):
    """Why a request was not answered."""

    detail: str = Field(description="What is wrong, and what to do next.")


PROBLEMS: Final[dict[int | str, dict[str, Any]]] = {
    422: {"model": Problem, "description": "The request is not what this route takes."},
    "4XX": {"model": Problem, "description": "The request cannot be answered as it is."},
    "5XX": {"model": Problem, "description": "The gateway, or its upstream, cannot answer now."},
}
"""What every route may answer."""


def answer_problems(api: FastAPI) -> None:
    """Have errors answered as `Problem`."""
    api.add_exception_handler(RequestValidationError, _invalid)
    api.add_exception_handler(HTTPException, _refused)
    api.add_exception_handler(TokenTrackingError, _failed)
    api.add_exception_handler(Exception, _broken)


async def _invalid(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    return _problem(422, _in_words(error.errors()))


async def _refused(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    detail = _NO_ROUTE if error.status_code == 404 and error.detail == "Not Found" else error.detail
    return _problem(error.status_code, detail, error.headers)


async def _failed(_request: Request, error: Exception) -> JSONResponse:
    if isinstance(error, GatewayError):
        return _problem(error.status, str(error), error.headers)
    is_passing = isinstance(error, StoreError | CountingError)
    return _problem(503 if is_passing else 500, str(error))


async def _broken(_request: Request, error: Exception) -> JSONResponse:
    _LOG.error("A request failed.", exc_info=error)
    return _problem(500, "The gateway failed; its log says why. Please report it.")


def _problem(status: int, detail: str, headers: Mapping[str, str] | None = None) -> JSONResponse:
    return JSONResponse({"detail": detail}, status, headers)


def _in_words(errors: Sequence[Any]) -> str:
    """What is wrong, place by place, without what was sent: that may be anyone's text."""
    said = [f"{'.'.join(map(str, error['loc']))}: {error['msg']}" for error in errors[:5]]
    more = len(errors) - len(said)
    return "; ".join(said) + (f"; and {more} more" if more else "") + "."
