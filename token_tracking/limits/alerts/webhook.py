"""Alerts as a POST of JSON."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Final
from urllib.parse import urlsplit

from token_tracking.limits.alerts.bodies import body_of
from token_tracking.limits.alerts.sinks import AlertError
from token_tracking.limits.alerts.values import Alert

PAUSES: Final = (1.0, 5.0)
"""Seconds before the second and the third try."""
TIMEOUT_SECONDS: Final = 5.0

_AGAIN: Final = frozenset({408, 425, 429})


class WebhookSink:
    """POSTs each alert to an address, up to three times. The path and query of the address may be
    secrets: they appear in no log and no error. Redirects are not followed.

    Raises:
        AlertError: the address is not `http://` or `https://` with a host.
    """

    def __init__(
        self,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        timeout: float = TIMEOUT_SECONDS,
        pauses: Sequence[float] = PAUSES,
    ) -> None:
        self._where = _shown(url)
        self._url = url
        self._headers = {**(headers or {}), "content-type": "application/json"}
        self._timeout = timeout
        self._pauses = tuple(pauses)

    def __repr__(self) -> str:
        return f"WebhookSink({self._where})"

    async def tell(self, alert: Alert) -> None:
        """Deliver it.

        Raises:
            AlertError: each try failed, or the address answers that it will not take it.
        """
        body = body_of(alert)
        for pause in self._pauses:
            problem, is_final = await self._post(body)
            if problem is None:
                return
            if is_final:
                break
            await asyncio.sleep(pause)
        else:
            problem, _ = await self._post(body)
        if problem is not None:
            raise AlertError(f"The webhook at {self._where} did not take an alert: {problem}.")

    async def _post(self, body: bytes) -> tuple[str | None, bool]:
        """What went wrong, and whether it would again."""
        import aiohttp  # noqa: PLC0415 (0.2 s, for what hardly ever happens)

        timeout = aiohttp.ClientTimeout(total=self._timeout)
        try:
            async with (
                aiohttp.ClientSession(timeout=timeout) as session,
                session.post(
                    self._url, data=body, headers=self._headers, allow_redirects=False
                ) as response,
            ):
                status = response.status
        except TimeoutError:
            return f"no answer within {self._timeout:g} seconds", False
        except (aiohttp.ClientError, OSError, ValueError) as error:
            # Its text may hold the address.
            return type(error).__name__, False
        if status < 300:
            return None, True
        return f"status {status}", status < 500 and status not in _AGAIN


def _shown(url: str) -> str:
    """The part of an address that is no secret."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port, parts = None, None, urlsplit("")
    if parts.scheme not in {"http", "https"} or not host:
        raise AlertError("The address of a webhook has to begin with http:// or https://.")
    return f"{parts.scheme}://{host}" + ("" if port is None else f":{port}")
