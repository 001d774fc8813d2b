"""The one way to an upstream, for what is passed on and for what the gateway asks by itself."""

import asyncio
import time
from collections.abc import Sequence
from functools import partial

from msgspec.structs import replace

from token_tracking.sources.replies import (
    REQUEST_ID,
    Reading,
    Record,
    UsageHider,
    reader_for,
    refuses_usage,
)
from token_tracking_server.gateway.errors import GatewayError, UpstreamBrokeError
from token_tracking_server.gateway.exchanges.body import Body
from token_tracking_server.gateway.exchanges.headers import end_to_end
from token_tracking_server.gateway.exchanges.usage_option import UsageOption, hider_for
from token_tracking_server.gateway.exchanges.values import Answer, Ask, Send, Step
from token_tracking_server.gateway.metrics import Gauges
from token_tracking_server.gateway.statuses import STATUSES
from token_tracking_server.gateway.upstreams.client import ReadResponse, Response, UpstreamClient


class Exchanges:
    """Calls upstreams, through steps, and records what they answer. `record` must neither fail nor
    wait."""

    def __init__(self, client: UpstreamClient, record: Record, gauges: Gauges) -> None:
        self._client = client
        self._record = record
        self._gauges = gauges
        self._option = UsageOption()
        self._through: Send = self._call

    def use(self, steps: Sequence[Step]) -> None:
        """Have each call go through these, the first of which is the outermost."""
        self._through = self._call
        for step in reversed(steps):
            self._through = partial(step.around, send=self._through)

    async def send(self, ask: Ask) -> Answer:
        """The answer as soon as its headers are there. Whoever takes it closes it (`aclose`, or
        `async with`), also after its end.

        Raises:
            GatewayError: the gateway answers by itself: a limit is reached, the upstream cannot be
                reached (502), or does not answer in time (504).
            UpstreamBrokeError: the connection broke before there was a response.
        """
        return await self._through(ask)

    async def _call(self, ask: Ask) -> Answer:
        began = time.perf_counter()
        asking = self._option.asking(ask)
        try:
            response = await self._client.call(asking or ask)
            if asking is not None and self._option.may_refuse(response):
                response = await self._without_option(ask, response)
                asking = None
            _require_status(response)
        except (GatewayError, UpstreamBrokeError, asyncio.CancelledError) as error:
            self._failed(ask, error, began)
            raise
        return self._answer(ask, response, hider_for(response) if asking else None, began)

    async def _without_option(self, ask: Ask, response: Response) -> Response | ReadResponse:
        """What the caller would have been answered: without the option if that was refused."""
        refusal = await response.read()
        if not refuses_usage(response.status, refusal):
            return ReadResponse(response, refusal)
        answered = await self._client.call(ask)
        self._option.went_without(ask, answered.status)
        return answered

    def _answer(
        self,
        ask: Ask,
        response: Response | ReadResponse,
        hider: UsageHider | None,
        began: float,
    ) -> Answer:
        headers = end_to_end(response.headers)
        if hider is not None or response.status == 304:
            # Of 304 it tells the size of a body that does not come, which uvicorn would wait for.
            headers = [header for header in headers if header[0] != b"content-length"]
        reading = self._reading(ask, response)
        body = Body(response, reading, hider)
        answer = Answer(response.status, headers, body, reading.replies)

        def over(is_complete: bool, first_at: float | None) -> None:
            answer.is_complete = is_complete
            if body.broke is not None:
                self._gauges.error(type(body.broke).__name__)
            first = None if first_at is None else first_at - began
            self._gauges.upstream_call(
                ask.upstream.name, ask.model, response.status, time.perf_counter() - began, first
            )

        body.over = over
        return answer

    def _reading(self, ask: Ask, response: Response | ReadResponse) -> Reading:
        headers = dict(response.headers)

        def told(name: str) -> str:
            return headers.get(name.encode(), b"").decode("latin-1")

        reader = reader_for(
            ask.form,
            path=ask.path,
            status=response.status,
            content_type=told("content-type"),
            content_encoding=told("content-encoding"),
        )
        call = ask.call
        if reader is not None:
            call = replace(call, request_id=told(REQUEST_ID[ask.form]) or None)
        return Reading(reader, call, self._record)

    def _failed(self, ask: Ask, error: BaseException, began: float) -> None:
        if not isinstance(error, asyncio.CancelledError):  # the caller went away
            self._gauges.error(type(error).__name__)
        self._gauges.upstream_call(ask.upstream.name, ask.model, None, time.perf_counter() - began)


def _require_status(response: Response | ReadResponse) -> None:
    """Raises `UpstreamBrokeError` where it has a status that HTTP has not."""
    if response.status not in STATUSES:
        response.close()
        raise UpstreamBrokeError(f"The upstream answered with status {response.status}.")
