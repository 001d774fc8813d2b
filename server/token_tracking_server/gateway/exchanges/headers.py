"""Which headers go from one connection to the next."""

from typing import Final

from token_tracking_server.gateway.exchanges.values import Headers

_HOP_BY_HOP: Final = frozenset(
    {
        b"connection",
        b"keep-alive",
        b"proxy-authenticate",
        b"proxy-authorization",
        b"proxy-connection",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
    }
)
"""RFC 9110, 7.6.1. Others are named by `connection`."""


def end_to_end(headers: Headers, dropped: frozenset[bytes] = frozenset()) -> Headers:
    """The headers that are meant for the other end, in their order, but for `dropped`."""
    named = [value for name, value in headers if name == b"connection"]
    if named:
        dropped |= {each.strip().lower() for value in named for each in value.split(b",")}
    return [
        header for header in headers if header[0] not in _HOP_BY_HOP and header[0] not in dropped
    ]
