"""The learned multipliers of a ledger."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING, Any

from msgspec.structs import asdict

from token_tracking.store.reads import LedgerReads

if TYPE_CHECKING:
    from token_tracking.counting import Multiplier


class StoredMultipliers(LedgerReads):
    """What `token-tracking calibrate` learned; `TokenStore` lends the transaction."""

    _learned: Sequence[tuple[Any, ...]] = ()

    def _writing(self) -> AbstractAsyncContextManager[None]:
        raise NotImplementedError

    @property
    def learned(self) -> "dict[str, Multiplier]":
        """The learned multipliers by model, as they were when the store was opened, or when it
        last read or saved them."""
        from token_tracking.counting.multipliers import (  # noqa: PLC0415 (reports count nothing)
            Multiplier,
        )

        return {
            row[0]: Multiplier(
                multiplier=row[1],
                error_median=row[2],
                error_p95=row[3],
                samples=row[4],
                learned_at=row[5],
            )
            for row in self._learned
        }

    async def multipliers(self) -> "dict[str, Multiplier]":
        """The learned multipliers by model, as `count_tokens` takes them."""
        async with self._reading():
            await self._read_multipliers()
        return self.learned

    async def _read_multipliers(self) -> None:
        self._learned = [row async for row in self._sql.multipliers(self._db)]

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
        await self.multipliers()
