"""One try of a request: what it holds of its limits, until it is known what it used."""

from collections import OrderedDict
from typing import Final, NamedTuple

from token_tracking.limits import Reservation, Spending, countable
from token_tracking.limits.rate import Amount
from token_tracking.pricing import PriceBook
from token_tracking.sources.replies import is_response_id
from token_tracking_server.gateway.exchanges import Answer, Ask
from token_tracking_server.gateway.limiting.bills import Bill, bill_of
from token_tracking_server.gateway.limiting.estimating import Estimate, Estimates


class Attempt(NamedTuple):
    """A request that is sent, and what is held for it. It is ended once: by `refund`, `unknown`
    or `settle`."""

    ask: Ask
    estimate: Estimate
    reservation: Reservation
    spending: Spending
    prices: PriceBook
    estimates: Estimates
    pending: "Pending"

    async def refund(self) -> None:
        """It was refused, or never sent: it costs nothing, and no place in a quota. Providers do
        count refused requests; what they say of that is learnt from their headers."""
        await self.reservation.refund()
        await self.spending.refund()

    async def unknown(self) -> None:
        """Nobody knows what it cost: what was held for it counts."""
        await self.spending.settle(None, None)

    async def settle(self, answer: Answer) -> None:
        """It is over: what was billed counts; of an answer that broke off, what was seen of it."""
        bill = bill_of(self.prices, self.ask, answer)
        if bill.usage is None:
            if not self.pending.keep(answer, self):
                await self.unknown()
            return
        await self.reservation.settle(self._amount(bill))
        await self.spending.settle(bill.tokens, bill.usd, is_estimated=bill.is_estimated)
        if len(answer.replies) == 1:
            (reply,) = answer.replies
            self.estimates.learn(self.ask, self.estimate.size, bill.usage, reply.message_id)

    def _amount(self, bill: Bill) -> Amount:
        assert bill.usage is not None
        ask = self.ask
        return countable(bill.usage, ask.upstream.name, ask.model, self.estimate.counted_output)


MOST_PENDING: Final = 1_000
"""Responses in the background that are held; of further ones what was held counts at once."""


class Pending:
    """Responses that are written in the background: what is held for one is held until somebody
    fetches it, which tells what it used."""

    def __init__(self) -> None:
        self._attempts: OrderedDict[str, Attempt] = OrderedDict()

    def keep(self, answer: Answer, attempt: Attempt) -> bool:
        """Whether the answer is one that is only begun, and its attempt is kept."""
        begun = [reply.message_id for reply in answer.replies if is_response_id(reply.message_id)]
        if not begun or begun[0] is None or len(self._attempts) >= MOST_PENDING:
            return False
        self._attempts[begun[0]] = attempt
        return True

    async def settle(self, answer: Answer) -> None:
        """Book those that an answer tells the usage of, once."""
        for reply in answer.replies:
            attempt = self._attempts.get(reply.message_id or "")
            if attempt is not None and reply.usage is not None and reply.is_complete:
                del self._attempts[reply.message_id or ""]
                await attempt.settle(answer)

    async def aclose(self) -> None:
        """Of those that nobody fetched what was held counts."""
        while self._attempts:
            _, attempt = self._attempts.popitem()
            await attempt.unknown()
