"""A session as one HTML file, to keep or to send."""

from token_tracking.efficiency.session_timeline import Timeline
from token_tracking_server.dashboard.api import encoded
from token_tracking_server.dashboard.app_view import envelope
from token_tracking_server.dashboard.page import whole


def session_page(timeline: Timeline, timezone: str = "UTC") -> str:
    """The page with one session in it: it opens without a network, and asks for nothing. Times are
    shown in `timezone` (an IANA name)."""
    return whole(encoded(envelope(timeline, timezone)), is_closed=True)
