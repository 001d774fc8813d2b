"""`token-tracking gateway`."""

from pathlib import Path

from token_tracking_server.gateway.config import read_config
from token_tracking_server.settings import Settings
from token_tracking_server.shutdown import end_quietly_while_starting


def run(settings: Settings, *, host: str | None, port: int | None, config: Path | None) -> int:
    """Serve until a signal ends it.

    Raises:
        TokenTrackingError: the configuration is wrong, the address is taken, or a database cannot
            be opened.
    """
    configured = read_config(config, host=host, port=port)
    end_quietly_while_starting()
    from token_tracking_server.gateway.serving import serve_gateway

    serve_gateway(configured, settings)
    return 0
