"""The learned multipliers of a ledger."""

from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING

from msgspec.structs import asdict

from token_tracking.store.reads import LedgerReads

if TYPE_CHECKING:
    from token_tracking.counting import Multiplier


class StoredMultipliers(LedgerReads):
    """What `token-tracking calibrate` learned; `TokenStore` lends the transaction."""

    def _writing(self) -> AbstractAsyncContextManager[None]:
        raise NotImplementedError

    async def multipliers(self) -> "dict[str, Multiplier]":
        """The learned multipliers by model, as `count_tokens` takes them."""
        from token_tracking.counting import Multiplier  # noqa: PLC0415 (reports count nothing)

        async with self._reading():
            return {
                row[0]: Multiplier(
                    multiplier=row[1],
                    error_median=row[2],
                    error_p95=row[3],
                    samples=row[4],
                    learned_at=row[5],
                )
                async for row in self._sql.multipliers(self._db)
            }

    async def save_multipliers(self, learned: "Mapping[str, Multiplier | None]") -> None:
        """Keep what was learned, by model; forget the multiplier of a model that has `None`.

        Raises:
            StoreError: the database cannot be written; nothing was changed.
        """
        async with self._writing():
            for model, multiplier in learned.items():
                if multiplier is None:
                    await self._sql.forget_multiplier(self._db, model=model)
                else:
                    await self._sql.save_multiplier(self._db, model=model, **asdict(multiplier))
