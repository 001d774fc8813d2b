"""By which names a server on this machine is asked."""

from typing import Final

_LOOPBACK: Final = ("127.0.0.1", "localhost", "[::1]")


class OwnNames:
    """The names of this machine, and of the address that is listened on.

    A web page that the user visits could otherwise ask through their browser, by a name of its own
    that points here.
    """

    def __init__(self, host: str) -> None:
        name = f"[{host}]" if ":" in host else host
        self._names = {*_LOOPBACK, name.lower()}

    def is_host(self, address: str) -> bool:
        """Whether a request's `Host` is one of them, at any port."""
        name, colon, port = address.rpartition(":")
        if colon and port.isdecimal():
            return name.lower() in self._names
        return address.lower() in self._names

    def is_origin(self, origin: str) -> bool:
        """Whether a request's `Origin` is a page that is served here."""
        return self.is_host(origin.removeprefix("http://"))
