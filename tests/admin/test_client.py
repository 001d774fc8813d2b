"""The client of the organisation's reports, against a server over a socket."""

from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest

from tests.admin.api import KEY, Answer, Api, bucket, page, refusal, served, usage_result
from token_tracking.admin import (
    AdminAnswerError,
    AdminClient,
    AdminError,
    AdminKeyRefusedError,
    AdminUnreachableError,
    Credentials,
    NoAdminKeyError,
    NoAdminReportError,
    UsageRow,
)
from token_tracking.admin.pages import UsagePage
from token_tracking.usage import Usage

PATH = "/v1/organizations/usage_report/messages"
DAY = (date(2026, 11, 2) - date(1970, 1, 1)).days
ONE = bucket("2026-11-02", usage_result("claude-opus-4-6", fresh=1, read=2, write=3, hour=4,
                                        output=5, searches=6))  # fmt: skip


@pytest.fixture
def api() -> Iterator[Api]:
    with served(Api()) as api:
        yield api


async def rows(api: Api, key: str = KEY, waited: list[float] | None = None) -> list[UsageRow]:
    async def wait(seconds: float) -> None:
        if waited is not None:
            waited.append(seconds)

    async with AdminClient(Credentials(key, api.url), wait) as client:
        query = [("starting_at", "2026-11-01T00:00:00Z"), ("group_by[]", "model")]
        return [row async for each in client.pages(PATH, query, UsagePage) for row in each.rows()]


async def test_a_row_is_read_with_all_its_counts(api: Api) -> None:
    api.answers[PATH] = [page(ONE)]
    assert await rows(api) == [
        UsageRow(
            day=DAY,
            model="claude-opus-4-6",
            api_key="apikey_1",
            usage=Usage(
                input_tokens=1,
                cache_read_tokens=2,
                cache_write_5m_tokens=3,
                cache_write_1h_tokens=4,
                output_tokens=5,
                web_search_requests=6,
            ),
        )
    ]
    asked = api.asked[0]
    assert asked.query == {"starting_at": ["2026-11-01T00:00:00Z"], "group_by[]": ["model"]}
    assert asked.headers["anthropic-version"] == "2023-06-01"
    assert asked.headers["x-api-key"] == KEY


async def test_pages_are_followed_to_the_last(api: Api) -> None:
    api.answers[PATH] = [page(ONE, following="p2"), page(following="p3"), page(ONE)]
    assert len(await rows(api)) == 2
    assert [asked.query.get("page") for asked in api.asked] == [None, ["p2"], ["p3"]]


@pytest.mark.parametrize("body", [
    {"data": [], "has_more": True, "next_page": None},
    {"data": [], "has_more": True, "next_page": "again"},
])  # fmt: skip
async def test_pages_without_an_end_are_an_error(api: Api, body: dict[str, Any]) -> None:
    api.answers[PATH] = lambda _: Answer(200, body)
    with pytest.raises(AdminAnswerError, match="no end of pages"):
        await rows(api)
    assert len(api.asked) <= 2


async def test_a_busy_server_is_asked_again_after_as_long_as_it_says(api: Api) -> None:
    busy = Answer(429, {}, {"retry-after": "7"})
    api.answers[PATH] = [busy, Answer(529, {}), Answer(503, b"no"), page(ONE)]
    waited: list[float] = []
    assert len(await rows(api, waited=waited)) == 1
    assert waited == [7, 1, 2]


async def test_a_server_that_stays_busy_is_left_alone(api: Api) -> None:
    api.answers[PATH] = lambda _: Answer(429, {})
    waited: list[float] = []
    with pytest.raises(AdminUnreachableError, match="answers 429, after 4 tries"):
        await rows(api, waited=waited)
    assert len(api.asked) == 4
    assert waited == [0.5, 1, 2]


async def test_a_long_pause_is_not_waited_for(api: Api) -> None:
    api.answers[PATH] = [Answer(429, {}, {"retry-after": "3600"})]
    with pytest.raises(AdminUnreachableError, match="left alone for 3600 seconds"):
        await rows(api)


async def test_nobody_who_listens_is_said_in_words(api: Api) -> None:
    gone = Api()
    with served(gone):
        pass
    with pytest.raises(AdminUnreachableError, match=r"does not answer \(ConnectError\)"):
        await rows(gone)


@pytest.mark.parametrize("status", [401, 403])
async def test_a_key_that_is_no_admin_key_is_refused_without_being_shown(
    api: Api, status: int
) -> None:
    api.answers[PATH] = [refusal(403, "no")]
    key = "sk-ant-api03-secret" if status == 401 else KEY
    with pytest.raises(AdminKeyRefusedError, match=rf"refused the key \({status}\)") as caught:
        await rows(api, key)
    assert caught.value.status == status
    assert ("it begins with sk-ant-admin" in str(caught.value)) == (status == 401)
    assert key[:12] not in str(caught.value)
    assert len(api.asked) == 1


async def test_what_the_server_says_is_passed_on_without_the_key(api: Api) -> None:
    api.answers[PATH] = [refusal(400, f"starting_at:\n too early for {KEY}")]
    with pytest.raises(NoAdminReportError) as caught:
        await rows(api)
    assert "400 (starting_at: too early for ...)" in str(caught.value)


_WRONG: list[tuple[Any, str]] = [
    (b"<html>", "no JSON"),
    (b"\xff\xfe", "no JSON"),
    (b"", "no JSON"),
    ([], "Expected `object`, got `array`"),
    ({"data": []}, "missing required field `has_more`"),
    ({"data": [{"results": []}], "has_more": False}, "starting_at"),
    ({"data": [bucket("2026-11-02", usage_result("m", fresh=-1))], "has_more": False}, ">= 0"),
    ({"data": [{**ONE, "starting_at": "yesterday"}], "has_more": False}, "RFC3339"),
]


@pytest.mark.parametrize(("body", "what"), _WRONG)
async def test_an_answer_of_another_form_is_an_error(api: Api, body: Any, what: str) -> None:
    api.answers[PATH] = [Answer(200, body)]
    with pytest.raises(AdminAnswerError, match="in another form") as caught:
        await rows(api)
    assert what in str(caught.value)


async def test_a_redirect_is_not_followed(api: Api) -> None:
    api.answers[PATH] = [Answer(302, {}, {"location": "https://elsewhere.example/"})]
    with pytest.raises(NoAdminReportError, match="302"):
        await rows(api)


def test_no_key_says_where_to_get_one() -> None:
    with pytest.raises(NoAdminKeyError, match=r"ANTHROPIC_ADMIN_KEY .* with sk-ant-admin\)"):
        Credentials.from_environment({"ANTHROPIC_ADMIN_KEY": " "})


@pytest.mark.parametrize("key", ["sk-ant admin", "sk-ant-admin\x00", "sk-ant-admin\nx: y", "ключ"])
def test_what_cannot_be_a_key_is_not_sent(key: str) -> None:
    with pytest.raises(NoAdminKeyError, match="copy it anew") as caught:
        Credentials(key)
    assert key[:4] not in str(caught.value)


def test_the_environment_names_the_key_and_the_address() -> None:
    environment = {"ANTHROPIC_ADMIN_API_KEY": f"{KEY}\n"}
    assert Credentials.from_environment(environment).base_url == "https://api.anthropic.com"
    environment["ANTHROPIC_ADMIN_BASE_URL"] = "https://Gate.example:8443/anthropic/"
    found = Credentials.from_environment(environment)
    assert (found.key, found.base_url) == (KEY, "https://Gate.example:8443/anthropic")
    assert found.host == "gate.example:8443"
    assert KEY not in repr(found)


def test_a_gateway_for_messages_does_not_get_the_key() -> None:
    environment = {"ANTHROPIC_ADMIN_KEY": KEY, "ANTHROPIC_BASE_URL": "https://gate.example"}
    assert Credentials.from_environment(environment).host == "api.anthropic.com"


@pytest.mark.parametrize(
    "url",
    [
        "ftp://a",
        "api.anthropic.com",
        "https://",
        "https://a:b@c",
        "http://[::1",
        "https://a:b",
        "https://a\x1b[31m",
        "https://a\n",
        "https://a?b",
        "https://a#b",
        "https://api.anthropic.com\\.gate.example",
    ],
)
def test_what_is_no_address_is_an_error(url: str) -> None:
    with pytest.raises(AdminError, match="is no address"):
        Credentials(KEY, url)


@pytest.mark.parametrize("url", ["http://127.0.0.1:1", "http://localhost:1", "http://[::1]:1"])
def test_this_machine_may_be_asked_in_the_clear(url: str) -> None:
    assert Credentials(KEY, url).base_url == url


def test_no_other_machine_may() -> None:
    with pytest.raises(AdminError, match="over https alone"):
        Credentials(KEY, "http://gate.example")
