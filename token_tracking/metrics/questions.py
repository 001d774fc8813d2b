"""What every question of the ledger is asked with."""

from datetime import tzinfo
from typing import TYPE_CHECKING

from token_tracking.metrics.periods import time_zone
from token_tracking.store import TokenStore

if TYPE_CHECKING:
    from token_tracking.efficiency import EfficiencyEngine, Prices


class Questions:
    """A ledger, whose days those of `zone` are (the machine's by default).

    `prices` are those of baselines that the ledger does not hold; the store's by default.
    """

    def __init__(
        self,
        store: TokenStore,
        zone: tzinfo | None = None,
        *,
        efficiency: "EfficiencyEngine | None" = None,
        prices: "Prices | None" = None,
    ) -> None:
        self.store = store
        self.zone = zone or time_zone()
        self._efficiency = efficiency
        self._prices = prices or store.prices

    async def engine(self) -> "EfficiencyEngine":
        """The engine, with what the ledger learned of its models."""
        from token_tracking.efficiency import EfficiencyEngine  # noqa: PLC0415 (start-up)

        engine = self._efficiency or EfficiencyEngine()
        return engine.calibrated(await self.store.multipliers())

    async def settled(self, settle: bool) -> None:
        """Attribute what changed since it was attributed, if told so.

        Raises:
            StoreError: the ledger cannot be read or written.
        """
        if settle:
            from token_tracking.attributing.attributor import Attributor  # noqa: PLC0415 (start-up)

            await Attributor(self.store, self._efficiency).settle()
