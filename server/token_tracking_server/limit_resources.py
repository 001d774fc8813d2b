"""The gateway's quotas as a resource, and news of it for whoever subscribed."""

import asyncio
import logging
import os
from collections.abc import Collection, Mapping
from datetime import tzinfo
from typing import Any, Final

from mcp.server import MCPServer
from mcp.server.mcpserver.exceptions import ResourceError
from mcp.server.mcpserver.resources import FunctionResource

from token_tracking.errors import StoreError, TokenTrackingError
from token_tracking_server.settings import Settings
from token_tracking_server.subscriptions import Subscriptions

SCHEME: Final = "limits://"
URI: Final = f"{SCHEME}quotas"

LOOK_SECONDS: Final = 2.0
"""Between two looks, while somebody is subscribed. One takes a millisecond."""

_logger: Final = logging.getLogger(__name__)


class LimitResources:
    """Reads `limits.db` beside the ledger, whose gateway is another process."""

    def __init__(self, settings: Settings, environment: Mapping[str, str] | None = None) -> None:
        self._settings = settings
        self._environment = os.environ if environment is None else environment
        self._seen: object = None
        self._subscriptions: Subscriptions | None = None

    def add(self, server: MCPServer[Any], subscriptions: Subscriptions) -> None:
        """Offer the resource, and begin to watch it before a subscription is answered."""
        server.add_resource(
            FunctionResource(
                uri=URI,
                name="quotas",
                title="Quotas",
                description="How far the gateway's quotas are used, until when they last, and"
                " what was alerted.",
                mime_type="text/markdown",
                fn=self.read,
            )
        )
        self._subscriptions = subscriptions
        subscriptions.before_subscribing(self._remember)

    async def read(self) -> str:
        """The quotas in Markdown."""
        try:
            return await asyncio.to_thread(self._text)
        except TokenTrackingError as error:
            raise ResourceError(str(error)) from error

    async def tell(self) -> None:
        """Tell the subscribers of every change, until it is cancelled."""
        subscriptions = self._subscriptions
        assert subscriptions is not None
        while True:
            await subscriptions.wanted_of(SCHEME)
            state = await self._state()
            if state != self._seen:
                self._seen = state
                await subscriptions.changed([URI])
            await subscriptions.next(LOOK_SECONDS)

    async def _remember(self, uris: Collection[str]) -> None:
        # What changed while nobody was subscribed is no news. Somebody who is has still to hear.
        assert self._subscriptions is not None
        if URI in uris and URI not in self._subscriptions.wanted:
            self._seen = await self._state()

    async def _state(self) -> object:
        try:
            return await asyncio.to_thread(self._look)
        except StoreError as error:
            _logger.warning("Subscribers hear of no change of quotas for now: %s", error)
            return self._seen

    def _look(self) -> object:
        """What tells the quotas of now from those of before; not what requests hold meanwhile."""
        from token_tracking_server.limits import limits_file, read_limits  # noqa: PLC0415

        limits = read_limits(limits_file(self._settings, self._environment))
        used = [
            (each.subject, each.name, each.period, each.measure, each.limit, each.used)
            for each in limits.quotas
        ]
        return used, [each.id for each in limits.alerts]

    def _text(self) -> str:
        from token_tracking_server.answers.limits import limits_answer  # noqa: PLC0415
        from token_tracking_server.limits import limits_file, read_limits  # noqa: PLC0415

        limits = read_limits(limits_file(self._settings, self._environment))
        return limits_answer(limits, self._zone())

    def _zone(self) -> tzinfo:
        from token_tracking.metrics import time_zone  # noqa: PLC0415

        return time_zone(self._settings.timezone)
