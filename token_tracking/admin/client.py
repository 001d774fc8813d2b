"""One page after another of the organisation's reports, over HTTPS."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from types import TracebackType
from typing import Final, Self, TypeVar

import httpx2
import msgspec

from token_tracking._version import __version__
from token_tracking.admin.credentials import URL_VARIABLE, Credentials
from token_tracking.admin.errors import (
    AdminAnswerError,
    AdminKeyRefusedError,
    AdminUnreachableError,
    NoAdminReportError,
)
from token_tracking.admin.pages import Page

Query = Sequence[tuple[str, str]]

_VERSION: Final = "2023-06-01"
_TIMEOUT_SECONDS: Final = 30.0
_TRIES: Final = 4
_LONGEST_WAIT_SECONDS: Final = 60.0
_MOST_PAGES: Final = 1_000
_AGAIN: Final = frozenset({408, 429, 500, 502, 503, 504, 529})

_Page = TypeVar("_Page", bound=Page)


class AdminClient:
    """Asks for the reports of the organisation that a key belongs to.

    It waits at most 30 seconds for an answer, and tries four times where the other side is busy or
    out of reach, after as long as it was told to wait or else half a second, then twice that. It
    follows no redirect: the key goes to one address alone. `wait` is for tests.
    """

    def __init__(
        self, credentials: Credentials, wait: Callable[[float], Awaitable[None]] = asyncio.sleep
    ) -> None:
        self._key: Final = credentials.key
        self._url: Final = credentials.base_url
        self._wait: Final = wait
        self._http: Final = httpx2.AsyncClient(
            timeout=_TIMEOUT_SECONDS,
            headers={
                "x-api-key": self._key,
                "anthropic-version": _VERSION,
                "accept": "application/json",
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
            AdminUnreachableError: nothing answered, or the other side stayed busy.
            AdminAnswerError: an answer has another form, or there is no end of pages.
        """
        asked: Query = query
        for _ in range(_MOST_PAGES):
            page = self._read(path, await self._answer(path, asked, headers or {}), form)
            yield page
            if not page.has_more:
                return
            following = [*query, ("page", page.next_page or "")]
            if following == asked or not page.next_page:
                break
            asked = following
        raise AdminAnswerError(
            f"{self._url}{path} has no end of pages: ask for a shorter period with --period."
        )

    def _read(self, path: str, body: bytes, form: type[_Page]) -> _Page:
        try:
            return msgspec.json.decode(body, type=form)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            what = str(error) if isinstance(error, msgspec.ValidationError) else "it is no JSON"
            raise AdminAnswerError(
                f"{self._url}{path} answered in another form than its report has: {what}. Check"
                f" {URL_VARIABLE}, or update token-tracking."
            ) from error

    async def _answer(self, path: str, query: Query, headers: Mapping[str, str]) -> bytes:
        problem = ""
        for attempt in range(_TRIES):
            pause = 0.5 * 2**attempt
            try:
                answer = await self._http.get(
                    self._url + path, params=list(query), headers=dict(headers)
                )
            except (httpx2.HTTPError, httpx2.InvalidURL) as error:
                problem = f"does not answer ({type(error).__name__})"
            else:
                if answer.status_code not in _AGAIN:
                    return self._accepted(path, answer)
                problem = f"answers {answer.status_code}"
                pause = _told(answer.headers.get("retry-after")) or pause
            if pause > _LONGEST_WAIT_SECONDS:
                raise AdminUnreachableError(
                    f"{self._url} {problem}, and wants to be left alone for {pause:.0f} seconds:"
                    " try again then."
                )
            if attempt < _TRIES - 1:
                await self._wait(pause)
        raise AdminUnreachableError(
            f"{self._url} {problem}, after {_TRIES} tries: check the connection and {URL_VARIABLE},"
            " or try again later."
        )

    def _accepted(self, path: str, answer: httpx2.Response) -> bytes:
        status = answer.status_code
        if status == 200:
            return answer.content
        if status in {401, 403}:
            raise AdminKeyRefusedError(
                f"{self._url}{path} refused the key ({status}): reports need a key that an admin of"
                " the organisation made for them (it begins with sk-ant-admin), not one for"
                " messages.",
                status,
            )
        raise NoAdminReportError(
            f"{self._url}{path} answered {status}{self._said(answer.content)}: check"
            f" {URL_VARIABLE} and the period; individual accounts have no such reports."
        )

    def _said(self, body: bytes) -> str:
        """What the other side says is wrong, in a line."""
        try:
            message = msgspec.json.decode(body, type=_Failure).error.message
        except (msgspec.DecodeError, UnicodeDecodeError):
            return ""
        line = " ".join(message.replace(self._key, "...").split())
        return f" ({line[:200]})" if line else ""


class _FailureText(msgspec.Struct):
    message: str = ""


class _Failure(msgspec.Struct):
    error: _FailureText


def _told(retry_after: str | None) -> float | None:
    """The seconds of a `retry-after`; `None` where it says none."""
    try:
        seconds = float(retry_after or "")
    except ValueError:
        return None
    return seconds if 0 <= seconds < 10**6 else None
