"""Where alerts go."""

import logging
from typing import Protocol

from token_tracking.limits.alerts.values import Alert
from token_tracking.limits.errors import LimitError


class AlertError(LimitError):
    """An alert could not be delivered, or a sink is none."""


class AlertSink(Protocol):
    """One way to tell people."""

    async def tell(self, alert: Alert) -> None:
        """Deliver an alert, within a bounded time.

        Raises:
            AlertError: it was not delivered. The text holds no secrets.
        """
        ...


class LogSink:
    """The log of `token_tracking.limits.alerts`: a warning a level."""

    def __init__(self, logger: logging.Logger | None = None) -> None:
        self._logger = logger or logging.getLogger("token_tracking.limits.alerts")

    async def tell(self, alert: Alert) -> None:
        """Log it."""
        self._logger.warning("%s", alert)
