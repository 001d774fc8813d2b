"""The organisation's reports, by either API, over a socket."""

import json
from collections.abc import Iterator
from datetime import date, timedelta

import pytest
from msgspec.structs import replace

from tests.admin.api import (
    KEY,
    Answer,
    Api,
    Query,
    bucket,
    claude_code,
    cost_result,
    counts,
    item,
    page,
    refusal,
    served,
    usage_result,
)
from token_tracking.admin import (
    AdminAnswerError,
    AdminClient,
    AdminError,
    AdminKeyRefusedError,
    ClaudeCodeRow,
    CostRow,
    Credentials,
    OrganizationReport,
    UsageRow,
    claude_code_rows,
    organization_report,
)
from token_tracking.usage import Usage

NEW_USAGE = "/v1/organizations/analytics/usage"
NEW_COST = "/v1/organizations/analytics/cost"
OLD_USAGE = "/v1/organizations/usage_report/messages"
OLD_COST = "/v1/organizations/cost_report"
OPUS = "claude-opus-4-6"
FIRST = (date(2026, 11, 2) - date(1970, 1, 1)).days


@pytest.fixture
def api() -> Iterator[Api]:
    with served(Api()) as api:
        yield api


async def report(api: Api, days: int = 2) -> OrganizationReport:
    async with AdminClient(Credentials(KEY, api.url)) as client:
        return await organization_report(client, FIRST, FIRST + days)


async def test_the_newer_api_tells_prices_before_discounts(api: Api) -> None:
    cost = {"amount": "90.5", "list_amount": "100.25", "currency": "USD", "requests": 3}
    api.answers[NEW_USAGE] = [
        page(item("2026-11-02", OPUS, key="apikey_1", usage=counts(fresh=5, hour=7, output=9)))
    ]
    api.answers[NEW_COST] = [page(item("2026-11-02", OPUS, cost=cost))]
    usage = Usage(input_tokens=5, cache_write_1h_tokens=7, output_tokens=9)
    assert await report(api) == OrganizationReport(
        source="analytics",
        first_day=FIRST,
        end_day=FIRST + 2,
        usage=[UsageRow(day=FIRST, model=OPUS, api_key="apikey_1", usage=usage)],
        cost=[CostRow(day=FIRST, model=OPUS, pico=905_000_000_000, list_pico=1_002_500_000_000)],
    )
    asked = api.asked[0]
    assert asked.headers["anthropic-beta"] == "analytics-usage-cost-2026-08-24"
    assert asked.query == {
        "starting_at": ["2026-11-02T00:00:00Z"],
        "ending_at": ["2026-11-04T00:00:00Z"],
        "time_bucket_width": ["1d"],
        "order_by": ["time"],
        "limit": ["1000"],
        "group_by[]": ["model", "api_key_id"],
    }


async def test_the_newer_api_is_asked_for_31_days_at_a_time(api: Api) -> None:
    api.answers[NEW_USAGE] = api.answers[NEW_COST] = lambda _: page()
    await report(api, days=70)
    spans = [
        (asked.query["starting_at"][0][:10], asked.query["ending_at"][0][:10])
        for asked in api.asked
        if asked.path == NEW_USAGE
    ]
    assert spans == [
        ("2026-11-02", "2026-12-03"),
        ("2026-12-03", "2027-01-03"),
        ("2027-01-03", "2027-01-11"),
    ]


@pytest.mark.parametrize("status", [400, 403, 404])
async def test_the_older_reports_are_asked_where_the_newer_api_is_not_there(
    api: Api, status: int
) -> None:
    days = [bucket("2026-11-02", usage_result(OPUS, read=8)), bucket("2026-11-03")]
    api.answers[NEW_USAGE] = [refusal(status, "not here")]
    api.answers[OLD_USAGE] = [page(days[0], following="p2"), page(days[1])]
    api.answers[OLD_COST] = [
        page(
            bucket(
                "2026-11-02",
                cost_result(OPUS, "123.45"),
                cost_result(None, "1", cost_type="web_search", token_type=None),
            )
        )
    ]
    found = await report(api)
    assert (found.source, found.problem) == ("reports", None)
    assert [row.usage for row in found.usage] == [Usage(cache_read_tokens=8)]
    assert found.cost == [
        CostRow(day=FIRST, model=OPUS, pico=1_234_500_000_000, list_pico=None),
        CostRow(day=FIRST, model=None, pico=10_000_000_000, list_pico=None),
    ]
    assert api.paths == [NEW_USAGE, OLD_USAGE, OLD_USAGE, OLD_COST]
    assert api.asked[1].query["bucket_width"] == ["1d"]
    assert api.asked[1].query["limit"] == ["31"]
    assert api.asked[3].query["group_by[]"] == ["description"]


async def test_a_wrong_key_is_not_tried_twice(api: Api) -> None:
    async with AdminClient(Credentials("sk-ant-api03-x", api.url)) as client:
        with pytest.raises(AdminKeyRefusedError):
            await organization_report(client, FIRST, FIRST + 1)
    assert api.paths == [NEW_USAGE]


async def test_a_key_that_may_read_neither_is_refused(api: Api) -> None:
    api.answers[NEW_USAGE] = [refusal(403, "no")]
    api.answers[OLD_USAGE] = [refusal(403, "no")]
    with pytest.raises(AdminKeyRefusedError, match="usage_report/messages refused the key"):
        await report(api)


async def test_usage_without_cost_is_still_a_report(api: Api) -> None:
    api.answers[OLD_USAGE] = [page(bucket("2026-11-02", usage_result(OPUS, fresh=1)))]
    api.answers[OLD_COST] = [refusal(403, "no")]
    found = await report(api)
    assert len(found.usage) == 1
    assert found.cost is None
    assert "cost_report refused the key (403)" in (found.problem or "")


@pytest.mark.parametrize(
    ("amount", "currency", "what"),
    [
        ("1", "EUR", "is in 'EUR'"),
        ("1", KEY, "is in no currency"),
        ("ten", "USD", "an amount that is none"),
        ("NaN", "USD", "an amount that is none"),
        ("sNaN", "USD", "an amount that is none"),
        ("-Infinity", "USD", "an amount that is none"),
        ("1e400", "USD", "an amount that is none"),
        ("1E+999999999999999999", "USD", "an amount that is none"),
        ("-1E+999999999999999999", "USD", "an amount that is none"),
        ("1E+9999999999999999999", "USD", "an amount that is none"),
        ("1000000000000.0000000000000000000000000001", "USD", "an amount that is none"),
    ],
)
async def test_an_amount_that_is_no_usd_is_an_error(
    api: Api, amount: str, currency: str, what: str
) -> None:
    api.answers[OLD_USAGE] = [page()]
    row = cost_result(OPUS, amount, currency=currency)
    api.answers[OLD_COST] = [page(bucket("2026-11-02", row))]
    with pytest.raises(AdminAnswerError, match=what):
        await report(api)


@pytest.mark.parametrize(
    ("amount", "pico"),
    [
        ("0.000000000066666", 1),
        ("-1E-999999999999999999", 0),
        ("1000000000000", 10**22),
        ("-0", 0),
    ],
)
async def test_amounts_finer_than_a_pico_dollar_are_rounded(
    api: Api, amount: str, pico: int
) -> None:
    api.answers[OLD_USAGE] = [page()]
    api.answers[OLD_COST] = [page(bucket("2026-11-02", cost_result(OPUS, amount)))]
    found = await report(api)
    assert found.cost is not None
    assert [each.pico for each in found.cost] == [pico]


@pytest.mark.parametrize(
    "amount", [b"1E+999999999999999999", b"1E+99999999999999999999", b'"sNaN"', b"1e400"]
)
async def test_an_estimate_that_is_no_usd_is_an_error(api: Api, amount: bytes) -> None:
    body = json.dumps({"data": [claude_code("2026-11-02", "sam@shop.example", OPUS)],
                       "has_more": False}).encode()  # fmt: skip
    assert body.count(b"1025") == 1
    api.answers["/v1/organizations/usage_report/claude_code"] = [
        Answer(200, body.replace(b"1025", amount))
    ]
    async with AdminClient(Credentials(KEY, api.url)) as client:
        with pytest.raises(AdminAnswerError):
            await claude_code_rows(client, {FIRST})


@pytest.mark.parametrize("moment", ["9999-12-31T23:59:59-12:00", "1969-12-31T23:59:59Z"])
async def test_a_day_that_no_calendar_has_is_an_error(api: Api, moment: str) -> None:
    row = {**item("2026-11-02", OPUS, usage=counts(fresh=1)), "starting_at": moment}
    api.answers[NEW_USAGE] = [page(row)]
    with pytest.raises(AdminAnswerError, match="a day that is none"):
        await report(api)


async def test_who_used_claude_code_is_told_day_by_day(api: Api) -> None:
    path = "/v1/organizations/usage_report/claude_code"
    api.answers[path] = lambda query: page(
        claude_code(query["starting_at"][0], "sam@shop.example", OPUS)
    )
    async with AdminClient(Credentials(KEY, api.url)) as client:
        found = await claude_code_rows(client, {FIRST, FIRST + 1})
    row = ClaudeCodeRow(
        day=FIRST + 1, model=OPUS, actor="sam@shop.example", tokens=10, pico=10_250_000_000_000
    )
    assert found == [row, replace(row, day=FIRST)]


async def test_at_most_31_days_are_asked_one_by_one(api: Api) -> None:
    api.answers["/v1/organizations/usage_report/claude_code"] = lambda _: page()
    async with AdminClient(Credentials(KEY, api.url)) as client:
        assert await claude_code_rows(client, range(FIRST, FIRST + 99)) == []
    assert len(api.asked) == 31


async def test_an_empty_period_is_an_error(api: Api) -> None:
    with pytest.raises(AdminError, match="no day"):
        await report(api, days=0)


async def test_every_day_falls_where_it_was(api: Api) -> None:
    def day(query: Query) -> Answer:
        start = date.fromisoformat(query["starting_at"][0][:10])
        days = [(start + timedelta(days=index)).isoformat() for index in range(3)]
        return page(*(item(each, OPUS, usage=counts(fresh=1)) for each in days))

    api.answers[NEW_USAGE] = day
    api.answers[NEW_COST] = [page()]
    found = await report(api, days=3)
    assert [row.day for row in found.usage] == [FIRST, FIRST + 1, FIRST + 2]
