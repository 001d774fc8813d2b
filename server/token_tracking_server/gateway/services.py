"""What the gateway's parts share, opened once and closed at its end."""

from pathlib import Path

from msgspec import Struct

from token_tracking.pricing import PriceBook
from token_tracking.recording import Recorder
from token_tracking_server.gateway.config import GatewayConfig
from token_tracking_server.gateway.exchanges import Exchanges
from token_tracking_server.gateway.histories import Histories
from token_tracking_server.gateway.metrics import Gauges
from token_tracking_server.gateway.upstreams import Upstreams
from token_tracking_server.settings import Settings


class Services(Struct, kw_only=True, eq=False):
    """Everything that a route needs. `folder` is the ledger's: `gateway.db` and `limits.db` stand
    beside it."""

    config: GatewayConfig
    settings: Settings
    folder: Path
    upstreams: Upstreams
    exchanges: Exchanges
    recorder: Recorder
    gauges: Gauges
    histories: Histories
    prices: PriceBook
