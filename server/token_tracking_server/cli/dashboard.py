"""`token-tracking dashboard`."""

import asyncio

from token_tracking_server.dashboard.serving import HOST, serve_dashboard
from token_tracking_server.settings import Settings
from token_tracking_server.shutdown import end_quietly_while_starting


def run(
    settings: Settings, *, host: str = HOST, port: int | None = None, open_browser: bool = True
) -> int:
    """Serve the page until a signal ends it.

    Raises:
        TokenTrackingError: the ledger cannot be opened, or the address cannot be served.
    """
    end_quietly_while_starting()
    asyncio.run(_serve(settings, host, port, open_browser))
    return 0


async def _serve(settings: Settings, host: str, port: int | None, open_browser: bool) -> None:
    from token_tracking_server.dashboard.live import LiveFigures

    figures = await LiveFigures.open(settings)
    await serve_dashboard(figures, host, port, opens_browser=open_browser)
