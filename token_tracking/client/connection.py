"""Requests to the gateway, and its answers as values."""

from collections.abc import AsyncGenerator, AsyncIterator, Generator, Mapping
from contextlib import asynccontextmanager, contextmanager
from typing import Final, TypeVar

import httpx2
import msgspec
from msgspec import Struct

from token_tracking._version import __version__
from token_tracking.client.errors import GatewayError, GatewayUnreachableError

CONNECT_SECONDS: Final = 5.0
TOKEN_HEADER: Final = "x-token-tracking-token"  # noqa: S105 (its name)
KEY_HEADER: Final = "x-api-key"

_LONGEST_DETAIL: Final = 500

_Value = TypeVar("_Value")


class Connection:
    """The way to one gateway. `secrets` are headers that say who asks; `seconds` is how long
    it may say nothing."""

    def __init__(
        self,
        base_url: str,
        secrets: Mapping[str, str | None],
        seconds: float,
        transport: httpx2.AsyncBaseTransport | None = None,
    ) -> None:
        self.base_url: Final = base_url.rstrip("/")
        self._seconds: Final = seconds
        self._http: Final = httpx2.AsyncClient(
            timeout=httpx2.Timeout(seconds, connect=min(seconds, CONNECT_SECONDS)),
            headers={
                "user-agent": f"token-tracking/{__version__}",
                **{name: value for name, value in secrets.items() if value is not None},
            },
            transport=transport,
            # What is on this machine is asked directly, whatever proxy is set.
            trust_env=not base_url.startswith("http://"),
            # Reading the certificates of the world takes longer than most answers.
            verify=base_url.startswith("https"),
        )

    async def close(self) -> None:
        """Close what is open."""
        await self._http.aclose()

    async def ask(
        self,
        form: type[_Value],
        method: str,
        path: str,
        *,
        body: object = None,
        query: Mapping[str, object] | None = None,
    ) -> _Value:
        """The answer to a request, as a value of `form`.

        Raises:
            GatewayError: the gateway refused, broke off, or answered in another form.
        """
        with self._told():
            response = await self._http.send(self._request(method, path, body, query))
        self._check(response)
        return self.value(form, response.content)

    async def do(self, method: str, path: str) -> None:
        """A request whose answer says nothing but that it was done. Raises as `ask`."""
        with self._told():
            response = await self._http.send(self._request(method, path, None, None))
        self._check(response)

    @asynccontextmanager
    async def events(
        self, path: str, body: object
    ) -> AsyncGenerator[AsyncIterator[httpx2.ServerSentEvent]]:
        """The events of an answer, as they come. Raises as `ask`, also while they are read."""
        with self._told():
            request = self._request("POST", path, body, None)
            response = await self._http.send(request, stream=True)
            try:
                if response.is_error:
                    await response.aread()
                self._check(response)
                yield aiter(httpx2.EventSource(response))
            finally:
                await response.aclose()

    def value(self, form: type[_Value], data: bytes | str) -> _Value:
        """A value of `form` from JSON.

        Raises:
            GatewayError: it is none.
        """
        try:
            return msgspec.json.decode(data, type=form)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            what = str(error) if isinstance(error, msgspec.ValidationError) else "it is no JSON"
            raise GatewayError(
                f"{self.base_url} answered in another form than this version reads ({what}): is it"
                " the gateway of token-tracking, in the same version?"
            ) from error

    def _request(
        self, method: str, path: str, body: object, query: Mapping[str, object] | None
    ) -> httpx2.Request:
        params = {name: str(value) for name, value in (query or {}).items() if value is not None}
        content = None if body is None else msgspec.json.encode(body)
        headers = {} if content is None else {"content-type": "application/json"}
        return self._http.build_request(
            method, self.base_url + path, params=params or None, content=content, headers=headers
        )

    def _check(self, response: httpx2.Response) -> None:
        if not response.is_success:
            raise GatewayError(
                detail_of(response.content) or response.reason_phrase or "no reason is given",
                response.status_code,
                _seconds(response.headers.get("retry-after")),
            )

    @contextmanager
    def _told(self) -> Generator[None]:
        """Errors on the way as the user's own."""
        try:
            yield
        except (httpx2.ConnectError, httpx2.ConnectTimeout) as error:
            raise GatewayUnreachableError(
                f"No gateway answers at {self.base_url}: start it with `token-tracking gateway`, or"
                " give the address that it printed as base_url."
            ) from error
        except (httpx2.InvalidURL, httpx2.UnsupportedProtocol) as error:
            raise GatewayUnreachableError(
                f"{self.base_url!r} is no address of a gateway: give one like"
                " http://127.0.0.1:8080 as base_url."
            ) from error
        except httpx2.TimeoutException as error:
            raise GatewayError(
                f"The gateway at {self.base_url} said nothing for {self._seconds:g} seconds."
            ) from error
        except httpx2.HTTPError as error:
            raise GatewayError(
                f"The connection to the gateway at {self.base_url} broke"
                f" ({type(error).__name__}): what it was asked may be done or not."
            ) from error


class _Problem(Struct, frozen=True):
    detail: str


def detail_of(body: bytes) -> str:
    """What an error's body says: its `detail`, or, of what is no gateway's, its beginning."""
    try:
        return msgspec.json.decode(body, type=_Problem).detail
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return body.decode("utf-8", "replace").strip()[:_LONGEST_DETAIL]


def _seconds(retry_after: str | None) -> float | None:
    try:
        seconds = float(retry_after or "")
    except ValueError:
        return None
    return seconds if 0 <= seconds < 10**6 else None
