"""One try of a request: what it holds of its limits, until it is known what it used."""

from typing import NamedTuple

from token_tracking.limits import Reservation, Spending, countable
from token_tracking.limits.rate import Amount
from token_tracking.pricing import PriceBook
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
            await self.unknown()
            return
        await self.reservation.settle(self._amount(bill))
        await self.spending.settle(bill.tokens, bill.usd, is_estimated=bill.is_estimated)
        if len(answer.replies) == 1:
            size = self.estimate.size
            self.estimates.learn(self.ask, size, bill.usage.prompt_tokens)

    def _amount(self, bill: Bill) -> Amount:
        assert bill.usage is not None
        ask = self.ask
        return countable(bill.usage, ask.upstream.name, ask.model, self.estimate.counted_output)
