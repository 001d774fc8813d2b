"""Sessions whose history the gateway keeps: text, for who asked for it, until it expires."""

from token_tracking_server.gateway.histories.errors import SessionChangedError, SessionFullError
from token_tracking_server.gateway.histories.histories import Histories
from token_tracking_server.gateway.histories.ids import SESSION_ID, is_session_id, new_session_id
from token_tracking_server.gateway.histories.values import Session

__all__ = [
    "SESSION_ID",
    "Histories",
    "Session",
    "SessionChangedError",
    "SessionFullError",
    "is_session_id",
    "new_session_id",
]
