"""What the other side may send, and how long it may take, over a socket."""

import gzip
import json
from collections.abc import Iterator
from threading import Event
from typing import Any

import pytest

from tests.admin.api import KEY, Answer, Api, bucket, page, refusal, served, usage_result
from token_tracking.admin import (
    AdminAnswerError,
    AdminClient,
    AdminUnreachableError,
    Credentials,
    NoAdminReportError,
)
from token_tracking.admin.limits import Limits
from token_tracking.admin.pages import UsagePage
from token_tracking.admin.said import said

PATH = "/v1/organizations/usage_report/messages"
ONE = page(bucket("2026-11-02", usage_result("claude-opus-4-6", fresh=1)))
PACKED = {"content-encoding": "gzip"}


@pytest.fixture
def api() -> Iterator[Api]:
    with served(Api()) as api:
        yield api


async def pages(api: Api, reports: int = 1, **limits: Any) -> int:
    async def wait(seconds: float) -> None:
        """Not at all."""

    credentials = Credentials(KEY, api.url)
    async with AdminClient(credentials, wait, Limits(**limits)) as client:
        found = [each for _ in range(reports) async for each in client.pages(PATH, [], UsagePage)]
    return len(found)


def endless(piece: bytes) -> Iterator[bytes]:
    while True:
        yield piece


def bomb(size: int) -> bytes:
    return gzip.compress(b" " * size, mtime=0)


async def test_a_packed_page_is_read(api: Api) -> None:
    api.answers[PATH] = [Answer(200, gzip.compress(json.dumps(ONE.body).encode()), PACKED)]
    assert await pages(api) == 1
    assert api.asked[0].headers["accept-encoding"] == "gzip"


async def test_an_answer_without_an_end_is_cut_off(api: Api) -> None:
    api.answers[PATH] = lambda _: Answer(200, endless(b" " * 65_536))
    with pytest.raises(AdminAnswerError, match="One answer has more than 1,000,000 bytes"):
        await pages(api, bytes=1_000_000)
    assert len(api.asked) == 1


async def test_a_refusal_without_an_end_is_cut_off(api: Api) -> None:
    api.answers[PATH] = lambda _: Answer(400, endless(b" " * 65_536))
    with pytest.raises(AdminAnswerError, match="ask for a shorter period"):
        await pages(api, bytes=1_000_000)


async def test_a_small_answer_that_unpacks_to_a_large_one_is_cut_off(api: Api) -> None:
    api.answers[PATH] = [Answer(200, bomb(33_000_000), PACKED)]
    with pytest.raises(AdminAnswerError, match="more than 32,000,000 bytes"):
        await pages(api)


async def test_bytes_after_a_packed_answer_are_counted(api: Api) -> None:
    pieces = iter([gzip.compress(b"{}", mtime=0), *([b" " * 65_536] * 20)])
    api.answers[PATH] = [Answer(200, pieces, PACKED)]
    with pytest.raises(AdminAnswerError, match="more than 1,000,000 bytes"):
        await pages(api, bytes=1_000_000)


@pytest.mark.parametrize("size", [-1, 0])
async def test_the_limit_itself_is_allowed(api: Api, size: int) -> None:
    body = json.dumps(ONE.body).encode()
    api.answers[PATH] = [Answer(200, gzip.compress(body, mtime=0), PACKED)]
    if size:
        with pytest.raises(AdminAnswerError):
            await pages(api, bytes=len(body) + size)
    else:
        assert await pages(api, bytes=len(body)) == 1


@pytest.mark.parametrize(
    ("body", "encoding", "what"),
    [
        (b"{}", "gzip", "no gzip"),
        (bomb(100)[:-9], "gzip", "not whole"),
        (b"{}", "br", "packed as nobody asked"),
        (b"{}", "gzip, gzip", "packed as nobody asked"),
    ],
)
async def test_what_cannot_be_unpacked_is_an_error(
    api: Api, body: bytes, encoding: str, what: str
) -> None:
    api.answers[PATH] = [Answer(200, body, {"content-encoding": encoding})]
    with pytest.raises(AdminAnswerError, match=what):
        await pages(api)


async def test_an_answer_that_trickles_is_given_up(api: Api) -> None:
    never = Event()

    def trickle() -> Iterator[bytes]:
        while not never.wait(0.01):
            yield b" "

    api.answers[PATH] = lambda _: Answer(200, trickle())
    with pytest.raises(AdminUnreachableError, match=r"does not answer .* after 4 tries"):
        await pages(api, seconds=0.2)


async def test_all_answers_together_have_a_limit(api: Api) -> None:
    api.answers[PATH] = lambda _: ONE
    size = len(json.dumps(ONE.body))
    assert await pages(api, 3, all_bytes=3 * size) == 3
    with pytest.raises(AdminAnswerError, match="together more than"):
        await pages(api, 3, all_bytes=3 * size - 1)


async def test_all_requests_together_have_a_time(api: Api) -> None:
    with pytest.raises(AdminUnreachableError, match="more than 0 seconds in all"):
        await pages(api, all_seconds=0)
    assert not api.asked


async def test_a_pause_beyond_that_time_is_not_waited_for(api: Api) -> None:
    api.answers[PATH] = [Answer(429, {}, {"retry-after": "50"})]
    with pytest.raises(AdminUnreachableError, match="more than 40 seconds in all"):
        await pages(api, all_seconds=40)
    assert len(api.asked) == 1


async def test_a_report_has_a_number_of_pages_at_most(api: Api) -> None:
    api.answers[PATH] = lambda query: page(following=query.get("page", [""])[0] + "x")
    with pytest.raises(AdminAnswerError, match="no end of pages"):
        await pages(api, pages=5)
    assert len(api.asked) == 5


async def test_a_name_of_a_page_that_fits_no_address_is_an_error(api: Api) -> None:
    api.answers[PATH] = [page(following="x" * 5_000)]
    with pytest.raises(AdminAnswerError, match="no end of pages"):
        await pages(api)
    assert len(api.asked) == 1


@pytest.mark.parametrize("status", [200, 400])
async def test_what_is_nested_too_deep_is_an_error(api: Api, status: int) -> None:
    api.answers[PATH] = [Answer(status, b'{"data":' + b"[" * 100_000)]
    with pytest.raises(AdminAnswerError if status == 200 else NoAdminReportError):
        await pages(api)


async def test_a_count_of_any_length_is_an_error(api: Api) -> None:
    body = json.dumps(ONE.body).replace('"output_tokens": 0', '"output_tokens": ' + "9" * 9_999)
    api.answers[PATH] = [Answer(200, body.encode())]
    with pytest.raises(AdminAnswerError, match="out of range"):
        await pages(api)


@pytest.mark.parametrize(
    ("message", "line"),
    [
        ("", ""),
        ("the admin key is not an admin's", "the admin key is not an admin's"),
        (f"{KEY.upper()}, {KEY[:4]}", "... ..."),
        (f"x-api-key: {KEY[9:]}", "x-api-key: ..."),
        ("sk\u200b-ant\u200b-admin01", "..."),
        ("a\u2028b\r\nc", "a b c"),
        ("word " * 9_999, ("word " * 40).strip()),
    ],
)
def test_what_is_said_is_a_line_without_the_key(message: str, line: str) -> None:
    assert said(json.dumps(refusal(400, message).body).encode(), KEY).strip() == line
