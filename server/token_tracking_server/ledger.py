"""The ledger behind a server: opened by the first question, closed at the end."""

import asyncio
import os
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, TypeVar

from token_tracking_server.settings import Settings

if TYPE_CHECKING:
    from token_tracking_server.questions import Questions

_Value = TypeVar("_Value")


class Ledger:
    """What tools, resources and prompts ask."""

    def __init__(self, settings: Settings, environment: Mapping[str, str] | None = None) -> None:
        self._settings = settings
        self._environment = os.environ if environment is None else environment
        self._opening = asyncio.Lock()
        self._questions: Questions | None = None

    async def ask(self, question: "Callable[[Questions], Awaitable[_Value]]") -> _Value:
        """Put a question to the open ledger.

        Raises:
            TokenTrackingError: it cannot be opened, and the next question tries again; or what
                the question raises.
        """
        return await question(await self._opened())

    async def _opened(self) -> "Questions":
        # Importing it takes a tenth of the start-up: the client waits for that, not for this.
        from token_tracking_server.questions import Questions  # noqa: PLC0415

        async with self._opening:
            if self._questions is None:
                self._questions = await Questions.open(self._settings, self._environment)
            return self._questions

    async def close(self) -> None:
        """Finish what is being saved, and close. A question after it opens the ledger again."""
        async with self._opening:
            questions, self._questions = self._questions, None
            if questions is not None:
                await questions.close()
