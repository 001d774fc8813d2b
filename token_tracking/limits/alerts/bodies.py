"""An alert as JSON."""

from datetime import UTC, datetime
from typing import Any

from msgspec import json
from msgspec.structs import asdict

from token_tracking.limits.alerts.values import Alert

_ENCODER = json.Encoder(decimal_format="number")


def body_of(alert: Alert) -> bytes:
    """The fields of an alert, its times in ISO 8601 (UTC), and its `text`, which is what some chat
    services show of a webhook."""
    fields: dict[str, Any] = asdict(alert)
    for name in ("starts_at", "resets_at", "raised_at"):
        moment = datetime.fromtimestamp(fields[name] / 1000, UTC)
        fields[name] = moment.isoformat(timespec="seconds")
    return _ENCODER.encode({"text": str(alert), **fields})
