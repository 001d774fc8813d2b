"""Passes a request on and its answer back, in raw ASGI: nothing is buffered, decoded or added but
one header."""

import asyncio
import logging
from typing import Final, Protocol

from token_tracking import __version__
from token_tracking_server.gateway.errors import (
    GatewayError,
    Shape,
    UpstreamBrokeError,
    error_response,
)
from token_tracking_server.gateway.exchanges import Answer, Ask
from token_tracking_server.gateway.metrics import Gauges
from token_tracking_server.gateway.passing.asking import ask_of, form_of
from token_tracking_server.gateway.passing.caller import Caller
from token_tracking_server.gateway.passing.request import (
    CallerGoneError,
    Receive,
    Scope,
    Send,
    read_request,
)
from token_tracking_server.gateway.upstreams.choosing import Upstreams

OWN_HEADER: Final = (b"x-token-tracking", __version__.encode())
"""On every answer that was passed on: whoever tracks by itself sees that it is recorded here."""

_LOG: Final = logging.getLogger(__name__)


async def respond(send: Send, error: GatewayError, shape: Shape) -> None:
    """Answer with an error of the gateway's own."""
    response = error_response(error, shape)
    headers = [*response.headers, OWN_HEADER]
    await send({"type": "http.response.start", "status": response.status, "headers": headers})
    await send({"type": "http.response.body", "body": response.body})


class Sender(Protocol):
    """`Exchanges`, or what stands before it."""

    async def send(self, ask: Ask) -> Answer:
        """As `Exchanges.send`."""
        ...


class Passing:
    """What is asked under `/v1/`, or under an upstream's name and `/v1/`."""

    def __init__(
        self,
        exchanges: Sender,
        upstreams: Upstreams,
        gauges: Gauges,
        *,
        most_bytes: int,
        request_seconds: float,
    ) -> None:
        self._exchanges = exchanges
        self._upstreams = upstreams
        self._gauges = gauges
        self._most_bytes = most_bytes
        self._request_seconds = request_seconds

    async def __call__(
        self, scope: Scope, receive: Receive, send: Send, *, path: str, name: str | None = None
    ) -> None:
        """One request for `path` (`/v1/...`, percent-encoded) of the upstream `name`."""
        try:
            request = await read_request(
                scope,
                receive,
                path=path,
                most_bytes=self._most_bytes,
                seconds=self._request_seconds,
            )
            ask = ask_of(request, self._upstreams, name=name)
        except CallerGoneError:
            return
        except GatewayError as error:
            self._gauges.own_error(error)
            await respond(send, error, form_of(path, dict(scope["headers"])))
            return
        await self._exchange(ask, receive, send)

    async def _exchange(self, ask: Ask, receive: Receive, send: Send) -> None:
        caller = Caller(receive, send)
        try:
            await _pass_back(await self._exchanges.send(ask), caller)
        except UpstreamBrokeError as error:
            caller.drop(is_reset=error.is_reset)
        except asyncio.CancelledError:
            if not caller.is_gone:
                caller.drop()
                raise
            caller.forget_cancelling()
        except Exception as error:  # noqa: BLE001 -- the outermost edge: an answer is owed
            await self._excuse(error, caller, send, ask.form)
        finally:
            caller.leave()

    async def _excuse(self, error: Exception, caller: Caller, send: Send, shape: Shape) -> None:
        """Our own error where nothing was answered yet; else the answer breaks off."""
        if not isinstance(error, GatewayError):
            _LOG.error("A request failed inside the gateway.", exc_info=error)
            error = GatewayError("The gateway failed: its log says more.")
        self._gauges.own_error(error)
        if caller.has_begun:
            caller.drop()
            return
        caller.leave()
        await respond(send, error, shape)


async def _pass_back(answer: Answer, caller: Caller) -> None:
    async with answer:
        await caller.begin(answer.status, [*answer.headers, OWN_HEADER])
        async for chunk in answer.chunks:
            # The last chunk and the end in one piece are one write fewer.
            await caller.give(chunk, is_last=answer.is_complete)
            if answer.is_complete:
                return
        await caller.give(b"", is_last=True)
