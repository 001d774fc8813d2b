"""Who may ask, and what of their keys is known."""

from token_tracking_server.gateway.security.guard import TOKEN_HEADER, Guard
from token_tracking_server.gateway.security.keys import (
    KEY_MAKERS,
    fingerprint,
    key_of,
    maker_of,
    with_key,
    without_keys,
)

__all__ = [
    "KEY_MAKERS",
    "TOKEN_HEADER",
    "Guard",
    "fingerprint",
    "key_of",
    "maker_of",
    "with_key",
    "without_keys",
]
