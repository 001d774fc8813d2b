"""What is asked of how conversations went."""

from datetime import UTC, datetime, timedelta
from typing import Final

from token_tracking.errors import InvalidPeriodError
from token_tracking.metrics.questions import Questions
from token_tracking.store.reads import milliseconds

NEWEST: Final = 2_000
"""Conversations that are asked for: habits change, and a mean of fewer is unsteady."""

SILENT: Final = timedelta(days=1)
"""A session without a line for as long is taken to be over."""


class ConversationQuestions(Questions):
    """How long conversations last."""

    async def conversation_lengths(
        self, limit: int = NEWEST, *, silent: timedelta = SILENT
    ) -> list[int]:
        """How many requests earlier conversations made, the newest `limit` of them, for
        `LearnedRemaining`. Only sessions count that had no line for `silent`: of the others nobody
        knows how long they go on. Each agent's requests are a conversation of their own, and a
        fork's include those that it inherited.

        Raises:
            InvalidPeriodError: `silent` is negative.
            StoreError: the ledger cannot be read.
        """
        if silent < timedelta(0):
            raise InvalidPeriodError(f"silent is {silent}: give a time that is not negative.")
        before = milliseconds(datetime.now(UTC) - silent)
        return await self.store.conversation_lengths(before=before, limit=max(0, limit))
