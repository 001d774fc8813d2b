"""One page after another of the organisation's reports, over HTTPS."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from types import TracebackType
from typing import Final, NamedTuple, Self, TypeVar

import httpx2
import msgspec

from token_tracking._version import __version__
from token_tracking.admin.credentials import KEY_PREFIX, URL_VARIABLE, Credentials
from token_tracking.admin.errors import (
    AdminAnswerError,
    AdminKeyRefusedError,
    AdminUnreachableError,
    NoAdminReportError,
)
from token_tracking.admin.limits import Allowance, Limits, body_of
from token_tracking.admin.pages import Page
from token_tracking.admin.said import said

Query = Sequence[tuple[str, str]]

_VERSION: Final = "2023-06-01"
_TRIES: Final = 4
_LONGEST_WAIT_SECONDS: Final = 60.0
_LONGEST_TOKEN: Final = 4_096
_AGAIN: Final = frozenset({408, 429, 500, 502, 503, 504, 529})

_Page = TypeVar("_Page", bound=Page)


class AdminClient:
    """Asks for the reports of the organisation that a key belongs to.

    It takes at most 30 seconds for a whole answer, and tries four times where the other side is
    busy or out of reach, after as long as it was told to wait or else half a second, then twice
    that. `limits` has the rest of what it bears. It follows no redirect: the key goes to one
    address alone. `wait` is for tests.
    """

    def __init__(
        self,
        credentials: Credentials,
        wait: Callable[[float], Awaitable[None]] = asyncio.sleep,
        limits: Limits | None = None,
    ) -> None:
        self._key: Final = credentials.key
        self._url: Final = credentials.base_url
        self._wait: Final = wait
        self._limits: Final = limits or Limits()
        self._left: Final = Allowance(self._limits)
        self._http: Final = httpx2.AsyncClient(
            timeout=self._limits.seconds,
            headers={
                "x-api-key": self._key,
                "anthropic-version": _VERSION,
                "accept": "application/json",
                "accept-encoding": "gzip",
                "user-agent": f"token-tracking/{__version__}",
            },
            # What is on this machine is asked directly, whatever proxy is set.
            trust_env=not self._url.startswith("http://"),
        )

    def __repr__(self) -> str:
        return f"AdminClient(base_url={self._url!r})"

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._http.aclose()

    async def pages(
        self, path: str, query: Query, form: type[_Page], headers: Mapping[str, str] | None = None
    ) -> AsyncIterator[_Page]:
        """Every page of a report, in order.

        Raises:
            AdminKeyRefusedError: the key may not read it.
            NoAdminReportError: there is no such report, or not for this query.
            AdminUnreachableError: nothing answered in time, or the other side stayed busy.
            AdminAnswerError: an answer has another form or is too large, or there is no end of
                pages.
        """
        asked: Query = query
        for _ in range(self._limits.pages):
            page = self._read(path, await self._answer(path, asked, headers or {}), form)
            yield page
            if not page.has_more:
                return
            following = [*query, ("page", page.next_page or "")]
            if following == asked or not 0 < len(page.next_page or "") <= _LONGEST_TOKEN:
                break
            asked = following
        raise AdminAnswerError(
            f"{self._url}{path} has no end of pages: ask for a shorter period with --period."
        )

    def _read(self, path: str, body: bytes, form: type[_Page]) -> _Page:
        try:
            return msgspec.json.decode(body, type=form)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            what = str(error) if isinstance(error, msgspec.ValidationError) else "it is no JSON"
            raise AdminAnswerError(
                f"{self._url}{path} answered in another form than its report has: {what}. Check"
                f" {URL_VARIABLE}, or update token-tracking."
            ) from error

    async def _answer(self, path: str, query: Query, headers: Mapping[str, str]) -> bytes:
        problem = ""
        for attempt in range(_TRIES):
            try:
                found = await self._tried(path, query, headers)
            except (httpx2.HTTPError, httpx2.InvalidURL, TimeoutError) as error:
                found = _Again(f"does not answer ({type(error).__name__})", None)
            if isinstance(found, bytes):
                return found
            problem = found.problem
            pause = found.pause or 0.5 * 2**attempt
            if pause > _LONGEST_WAIT_SECONDS:
                raise AdminUnreachableError(
                    f"{self._url} {problem}, and wants to be left alone for {pause:.0f} seconds:"
                    " try again then."
                )
            if attempt < _TRIES - 1:
                self._left.seconds(pause)
                await self._wait(pause)
        raise AdminUnreachableError(
            f"{self._url} {problem}, after {_TRIES} tries: check the connection and {URL_VARIABLE},"
            " or try again later."
        )

    async def _tried(self, path: str, query: Query, headers: Mapping[str, str]) -> "bytes | _Again":
        request = self._http.build_request(
            "GET", self._url + path, params=list(query), headers=dict(headers)
        )
        async with asyncio.timeout(self._left.seconds()):
            answer = await self._http.send(request, stream=True)
            try:
                status = answer.status_code
                if status in _AGAIN:
                    return _Again(f"answers {status}", _told(answer.headers.get("retry-after")))
                if status in {401, 403}:
                    raise self._refused(path, status)
                encoding = answer.headers.get("content-encoding", "").strip().lower()
                body = await body_of(answer, encoding, self._left)
            finally:
                await answer.aclose()
        if status == 200:
            return body
        raise self._missing(path, status, body)

    def _refused(self, path: str, status: int) -> AdminKeyRefusedError:
        # Of a key that begins so, the beginning would be shown.
        form = "" if self._key.startswith(KEY_PREFIX) else f" (it begins with {KEY_PREFIX})"
        return AdminKeyRefusedError(
            f"{self._url}{path} refused the key ({status}): reports need a key that an admin of the"
            f" organisation made for them{form}, not one for messages.",
            status,
        )

    def _missing(self, path: str, status: int, body: bytes) -> NoAdminReportError:
        line = said(body, self._key)
        return NoAdminReportError(
            f"{self._url}{path} answered {status}{f' ({line})' if line else ''}: check"
            f" {URL_VARIABLE} and the period; individual accounts have no such reports."
        )


class _Again(NamedTuple):
    """Why to try again, and the seconds until then; `None` where nobody says how long."""

    problem: str
    pause: float | None


def _told(retry_after: str | None) -> float | None:
    """The seconds of a `retry-after`; `None` where it says none."""
    try:
        seconds = float(retry_after or "")
    except ValueError:
        return None
    return seconds if 0 <= seconds < 10**6 else None
