"""Which servers are gateways of ours: only those are told who calls."""

from typing import Any, Final

GATEWAY_HEADER: Final = "x-token-tracking"
"""Stands in each response that came through our gateway, which records it too."""

_HERE: Final = frozenset({"127.0.0.1", "::1", "localhost"})


class Gateways:
    """Gateways of ours, by host and port: the one that is named, those that answered as one, and
    what listens on this machine, until it answered as none.

    Requests and responses are httpx2's.
    """

    def __init__(self, named: Any | None = None) -> None:
        self._named: bytes | None = None if named is None else named.netloc
        self._known: dict[bytes, bool] = {}

    def holds(self, url: Any) -> bool:
        """Whether one answers there."""
        if url.netloc == self._named:
            return True
        return self._known.get(url.netloc, url.host in _HERE)

    def learn(self, url: Any, response: Any) -> None:
        """From an answer. An error without our header may come from something in between."""
        is_one = GATEWAY_HEADER in response.headers
        if is_one or response.is_success:
            self._known[url.netloc] = is_one
