"""The admin key, and where it may be sent."""

import re
from collections.abc import Mapping
from ipaddress import ip_address
from typing import Final, Self
from urllib.parse import urlsplit

from token_tracking.admin.errors import AdminError, NoAdminKeyError

KEY_VARIABLES: Final = ("ANTHROPIC_ADMIN_KEY", "ANTHROPIC_ADMIN_API_KEY")
KEY_PREFIX: Final = "sk-ant-admin"
URL_VARIABLE: Final = "ANTHROPIC_ADMIN_BASE_URL"
"""Not ANTHROPIC_BASE_URL, which people set to a gateway for messages: it must not get this key."""
DEFAULT_HOST: Final = "api.anthropic.com"
DEFAULT_URL: Final = f"https://{DEFAULT_HOST}"

_ADDRESS: Final = re.compile(r"https?://[\w.:\[\]-]+(/[\w./~-]*)?", re.ASCII)

_HOW: Final = (
    f"Set {KEY_VARIABLES[0]} to a key that an admin of the organisation makes in the Claude Console"
    f" (Settings, Admin keys; it begins with {KEY_PREFIX}). Individual accounts have none."
)


class Credentials:
    """A key for the organisation's reports, and the address of the API; `host` is whom it is sent
    to, with the port if there is one. Neither its text nor that of an error shows the key.

    Raises:
        NoAdminKeyError: there is no key, or it has characters that no key has.
        AdminError: the address is none, or would send the key in the clear to another machine.
    """

    def __init__(self, key: str, base_url: str = DEFAULT_URL) -> None:
        stripped = key.strip()
        if not stripped:
            raise NoAdminKeyError(f"The organisation's reports need an admin key. {_HOW}")
        if not (stripped.isascii() and stripped.isprintable() and " " not in stripped):
            raise NoAdminKeyError(
                "The admin key has characters that no key has: copy it anew from the Claude Console"
                f" (Settings, Admin keys) to {KEY_VARIABLES[0]}."
            )
        self.key: Final = stripped
        self.base_url: Final = _checked(base_url)
        self.host: Final = urlsplit(self.base_url).netloc.lower()

    def __repr__(self) -> str:
        return f"Credentials(base_url={self.base_url!r})"

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Self:
        """`ANTHROPIC_ADMIN_KEY` or else `ANTHROPIC_ADMIN_API_KEY`; `ANTHROPIC_ADMIN_BASE_URL`."""
        keys = [environment.get(name, "").strip() for name in KEY_VARIABLES]
        url = environment.get(URL_VARIABLE, "").strip()
        return cls(next(filter(None, keys), ""), url or DEFAULT_URL)


def _checked(url: str) -> str:
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        _ = parts.port
    except ValueError:
        host, parts = "", urlsplit("")
    if not host or not _ADDRESS.fullmatch(url):
        raise AdminError(f"{URL_VARIABLE} is no address: write it as {DEFAULT_URL}.")
    if parts.scheme == "http" and not _is_here(host):
        raise AdminError(
            f"{URL_VARIABLE} is http://{host}: the admin key is sent to other machines over https"
            " alone."
        )
    return url.rstrip("/")


def _is_here(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
