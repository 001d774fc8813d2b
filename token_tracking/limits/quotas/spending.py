"""What one request holds of its quotas, until it is known what it used."""

from collections.abc import Awaitable, Callable
from decimal import Decimal

from token_tracking.limits.quotas.accounts import Bill
from token_tracking.limits.quotas.amounts import Cost, cost
from token_tracking.limits.quotas.booking import Settlement, bill_of


class Spending:
    """End it with `settle` or `refund`; what comes after does nothing."""

    def __init__(
        self,
        book: Callable[[Settlement], Awaitable[None]],
        asked: Cost,
        held: Settlement | None = None,
    ) -> None:
        self._book = book
        self._asked = asked
        self._held = held

    async def settle(
        self, tokens: int | None, usd: Decimal | None, *, is_estimated: bool = False
    ) -> None:
        """Replace what was reserved by what was billed, also where that is more. It counts in the
        windows in which the request began.

        Where an amount is not known (`None`: the response broke off before it told), what was
        reserved counts instead, as `estimated`; a request without any price counts as `unpriced`.
        With `is_estimated` the amounts are themselves a guess, and count as one.
        What cannot be written now is written later.

        Raises:
            InvalidQuotaError: an amount is none.
        """
        bill = bill_of(self._asked, cost(tokens, usd))
        await self._end(bill._replace(estimated=1) if is_estimated else bill)

    async def refund(self) -> None:
        """Give everything back: the request was refused, or never sent."""
        await self._end(None)

    async def _end(self, bill: Bill | None) -> None:
        held, self._held = self._held, None
        if held is not None:
            await self._book(held._replace(bill=bill))
