"""News of quotas: at set shares, and when requests are refused; once per window and level."""

from token_tracking.limits.alerts.alerts import Alerts
from token_tracking.limits.alerts.command import CommandSink
from token_tracking.limits.alerts.records import recent_alerts
from token_tracking.limits.alerts.sinks import AlertError, AlertSink, LogSink
from token_tracking.limits.alerts.values import Alert
from token_tracking.limits.alerts.webhook import WebhookSink

__all__ = [
    "Alert",
    "AlertError",
    "AlertSink",
    "Alerts",
    "CommandSink",
    "LogSink",
    "WebhookSink",
    "recent_alerts",
]
