"""Who may ask: this machine's programs, or who shows the token, and no web page."""

from hmac import compare_digest

from token_tracking_server.gateway.config.values import GatewayConfig
from token_tracking_server.gateway.errors import (
    BadRequestError,
    ForbiddenError,
    GatewayError,
    MisdirectedError,
    UnauthorizedError,
)
from token_tracking_server.gateway.exchanges.values import Headers
from token_tracking_server.listening import is_loopback
from token_tracking_server.own_names import OwnNames

TOKEN_HEADER = b"x-token-tracking-token"


class Guard:
    """Lets requests in.

    The token is taken from `x-token-tracking-token`, or from where SDKs put their key:
    `Authorization: Bearer` and `x-api-key`. It never goes on to an upstream.
    """

    def __init__(self, config: GatewayConfig) -> None:
        token = config.token()
        self._token = token.encode() if token else None
        self._names = OwnNames(config.host)
        # Elsewhere any name may point here, and the token keeps pages out.
        self._checks_host = is_loopback(config.host)

    def refusal(self, headers: Headers) -> GatewayError | None:
        """Why a request may not come in; `None` where it may."""
        given = dict(headers)
        if len([name for name, _ in headers if name == b"host"]) > 1:
            return BadRequestError("The request has two Host headers.")
        host = given.get(b"host", b"").decode("latin-1")
        if self._checks_host and not self._names.is_host(host):
            return MisdirectedError(
                "This address is not served here: ask for 127.0.0.1 or localhost."
            )
        origin = given.get(b"origin")
        if origin is not None and not self._is_own_page(origin.decode("latin-1"), host):
            return ForbiddenError("Web pages of other origins may not ask the gateway.")
        if self._token is not None and not any(map(self._is_token, headers)):
            return UnauthorizedError(
                "The gateway's token is missing or wrong: send it as the header"
                f" {TOKEN_HEADER.decode()}, or as the API key."
            )
        return None

    def without_token(self, headers: Headers) -> Headers:
        """The headers but for the token."""
        if self._token is None:
            return headers
        return [header for header in headers if not self._is_token(header)]

    def _is_own_page(self, origin: str, host: str) -> bool:
        if self._checks_host:
            return self._names.is_origin(origin)
        return origin in {f"http://{host}", f"https://{host}"}

    def _is_token(self, header: tuple[bytes, bytes]) -> bool:
        name, value = header
        if name == b"authorization" and value[:7].lower() == b"bearer ":
            value = value[7:].strip()
        elif name not in {TOKEN_HEADER, b"x-api-key"}:
            return False
        return self._token is not None and compare_digest(value, self._token)
