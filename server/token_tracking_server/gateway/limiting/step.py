"""Limits around requests, for those that opted in."""

import asyncio
import time
from collections.abc import Callable
from typing import Final

from token_tracking.errors import StoreError
from token_tracking.limits import (
    LimitError,
    NeverFitsError,
    Quotas,
    RateKey,
    RateLimiter,
    Reservation,
    Spender,
    Spending,
    countable,
)
from token_tracking.limits.rate import Learned
from token_tracking.pricing import PriceBook
from token_tracking.sources.replies import form_of_path, plain_path
from token_tracking.usage import Usage
from token_tracking_server.gateway.errors import (
    GatewayError,
    UpstreamBrokeError,
    UpstreamTimeoutError,
)
from token_tracking_server.gateway.exchanges import Answer, Ask, Send
from token_tracking_server.gateway.limiting.attempt import Attempt, Pending
from token_tracking_server.gateway.limiting.bills import expected_cost
from token_tracking_server.gateway.limiting.estimating import Estimate, Estimates
from token_tracking_server.gateway.limiting.peeking import peek
from token_tracking_server.gateway.limiting.refusals import refused
from token_tracking_server.gateway.limiting.shrinking import (
    SMALLER,
    SPARE,
    Shrinking,
    guessed_goal,
)
from token_tracking_server.gateway.metrics import Gauges

PATHS: Final = frozenset(
    {
        "/v1/messages",
        "/v1/chat/completions",
        "/v1/responses",
        "/v1/responses/compact",
        "/v1/complete",
        "/v1/completions",
        "/v1/embeddings",
    }
)
"""What is limited. Batches are not: they have limits of their own, and are billed a day later."""

MOST_ATTEMPTS: Final = 6

_MAY_TEACH: Final = frozenset({400, 413, 422, 429})
_FIRST_PAUSE: Final = 0.5
"""Seconds, where a provider does not say when to come again; doubled each time."""

_MOST_GUESSES: Final = 4
"""How often a goal is lowered that nobody named, until something is left out for it."""

_INPUTS: Final = ("input tokens", "tokens")


class LimitStep:
    """Keeps requests within their rate limits and quotas.

    Room is held before a request is sent, and what was billed is booked when its answer is over. A
    request that the provider refuses for its rate is sent again when that has passed; one that it
    refuses for its size is made smaller. The caller sees one answer, of the provider's where one
    came in the time that the configuration allows (`wait_seconds`).
    """

    def __init__(
        self,
        *,
        quotas: Quotas,
        limiter: RateLimiter,
        prices: PriceBook,
        gauges: Gauges,
        wait_seconds: float,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.quotas: Final = quotas
        self.limiter: Final = limiter
        self.prices: Final = prices
        self.gauges: Final = gauges
        self.estimates: Final = Estimates()
        self.pending: Final = Pending()
        self.shrinking: Final = Shrinking(gauges)
        self.wait_seconds: Final = wait_seconds
        self._clock = clock

    async def around(self, ask: Ask, send: Send) -> Answer:
        """The answer to the request, perhaps after a while, or to a smaller one.

        Raises:
            GatewayError: a limit refuses it.
        """
        if ask.method == "GET" and form_of_path(ask.path) == "openai":
            # Here a response that is written in the background tells what it used.
            answer = await send(ask)
            answer.at_end(self.pending.settle)
            return answer
        if not ask.wants_limits or ask.method != "POST" or plain_path(ask.path) not in PATHS:
            return await send(ask)
        try:
            return await _Limited(self, ask, send).answer()
        except (LimitError, StoreError) as error:
            raise refused(error, self._clock()) from error


class _Limited:
    """One request on its way through its limits."""

    def __init__(self, step: LimitStep, ask: Ask, send: Send) -> None:
        self._step = step
        self._ask = ask
        self._send = send
        self._key = RateKey(ask.upstream.name, ask.model or "", ask.call.key or "")
        self._deadline = time.monotonic() + step.wait_seconds
        self._waited = 0.0
        self._pause = _FIRST_PAUSE
        self._shrunk_to: int | None = None

    async def answer(self) -> Answer:
        for number in range(MOST_ATTEMPTS):
            attempt = await self._reserved()
            answer, learned = await self._sent(attempt)
            if answer.status >= 400:
                await attempt.refund()
                is_last = number + 1 == MOST_ATTEMPTS
                if not is_last and await self._may_try_again(learned, attempt.estimate):
                    await answer.aclose()
                    continue
            else:
                answer.at_end(attempt.settle)
            return self._marked(answer)
        raise AssertionError("the last attempt returns")

    async def _reserved(self) -> Attempt:
        """Room in the rate limit first: a quota is not held while a request waits."""
        while True:
            estimate = await self._step.estimates.of(self._ask)
            try:
                reservation = await self._room(estimate)
            except NeverFitsError as error:
                if not await self._shrink(_prompt_limit(error, estimate)):
                    raise
                continue
            try:
                spending = await self._held(estimate)
            except BaseException:
                await reservation.refund()
                raise
            step = self._step
            return Attempt(
                self._ask,
                estimate,
                reservation,
                spending,
                step.prices,
                step.estimates,
                step.pending,
            )

    async def _room(self, estimate: Estimate) -> Reservation:
        # As the provider counts beforehand. Of most, a long answer that was asked for and not
        # written does not count: it is not waited for either.
        usage = Usage(input_tokens=estimate.prompt)
        amount = countable(usage, self._ask.upstream.name, self._ask.model, estimate.counted_output)
        reservation = await self._step.limiter.reserve(
            self._key, amount, timeout=max(0.0, self._left())
        )
        self._step.gauges.limiter_wait(reservation.waited)
        self._waited += reservation.waited
        return reservation

    async def _held(self, estimate: Estimate) -> Spending:
        call = self._ask.call
        spender = Spender(user=call.user, agent=call.agent, project=call.project, key=call.key)
        usd = expected_cost(self._step.prices, self._ask, estimate.usage, estimate.terms)
        return await self._step.quotas.reserve(spender, tokens=estimate.tokens, usd=usd)

    async def _sent(self, attempt: Attempt) -> tuple[Answer, Learned]:
        try:
            answer = await self._send(self._ask)
        except (UpstreamTimeoutError, asyncio.CancelledError):
            # It may have been answered, and billed, after nobody listened.
            await attempt.unknown()
            raise
        except (GatewayError, UpstreamBrokeError):
            await attempt.refund()
            raise
        try:
            return answer, await self._learned(answer)
        except BaseException:
            await attempt.refund()
            await answer.aclose()
            raise

    async def _learned(self, answer: Answer) -> Learned:
        body = await peek(answer) if answer.status in _MAY_TEACH else b""
        headers = {
            name.decode("latin-1"): value.decode("latin-1") for name, value in answer.headers
        }
        return self._step.limiter.learn(self._key, answer.status, headers, body)

    async def _may_try_again(self, learned: Learned, estimate: Estimate) -> bool:
        if learned.kind == "too_large" and learned.limit is None:
            return await self._shrink_by_guess(estimate)
        if learned.kind == "too_large":
            return await self._shrink(self._goal(learned))
        return learned.kind == "rate" and await self._wait(learned)

    async def _wait(self, learned: Learned) -> bool:
        pause = self._pause if learned.retry_after is None else learned.retry_after
        self._pause *= 2
        if pause > self._left():
            return False
        await asyncio.sleep(pause)
        self._waited += pause
        return True

    def _goal(self, learned: Learned) -> int | None:
        """How small the prompt must be as the window counts it: from the second time on scaled by
        how much the provider counted more."""
        goal = learned.shrink_to
        if goal is None or learned.requested is None or self._shrunk_to is None:
            return None if goal is None else int(goal * SPARE)
        return int(self._shrunk_to * SPARE * min(1.0, goal / learned.requested))

    async def _shrink_by_guess(self, estimate: Estimate) -> bool:
        """Nobody says what must be left out: as little as makes the request smaller."""
        goal = guessed_goal(self._ask, estimate, self._shrunk_to)
        for _ in range(_MOST_GUESSES):
            if await self._shrink(goal):
                return True
            goal = int(goal * SMALLER)
        return False

    async def _shrink(self, prompt_tokens: int | None) -> bool:
        if prompt_tokens is None:
            return False
        smaller = await self._step.shrinking.to(self._ask, prompt_tokens, self._send)
        if smaller is None or len(smaller.body) >= len(self._ask.body):
            return False
        self._ask, self._shrunk_to = smaller, prompt_tokens
        return True

    def _left(self) -> float:
        return self._deadline - time.monotonic()

    def _marked(self, answer: Answer) -> Answer:
        """What was done is said; what was not is not."""
        if self._waited >= 0.001:
            answer.headers.append((b"x-token-tracking-waited", f"{self._waited:.3f}".encode()))
        if self._shrunk_to is not None:
            answer.headers.append((b"x-token-tracking-shrunk", str(self._shrunk_to).encode()))
        return answer


def _prompt_limit(error: NeverFitsError, estimate: Estimate) -> int | None:
    if error.what not in _INPUTS:
        return None
    output = error.requested - estimate.prompt if error.what == "tokens" else 0
    return int((error.limit - output) * SPARE)
