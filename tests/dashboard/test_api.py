"""The API behind the page, over a socket."""

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import httpx2 as httpx
import pytest

from tests.dashboard.sample_figures import SESSION, SampleFigures


@pytest.fixture
def client(dashboard: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=dashboard, timeout=20) as made:
        yield made


def asked(client: httpx.Client, path: str, **query: Any) -> Any:
    """An answer that must be one."""
    answered = client.get(f"api/{path}", params=query)
    assert answered.status_code == 200, answered.text
    return answered.json()


def test_money_and_times_are_numbers(client: httpx.Client) -> None:
    found = asked(client, "snapshot", period="last_week")
    assert found["overall"]["cost_usd"] == 43.3217
    assert found["period"] == "last_week"
    assert found["end"] is None


def test_each_question_has_its_address(client: httpx.Client) -> None:
    assert asked(client, "state")["timezone"] == "UTC"
    assert len(asked(client, "trend", period="last_week", project="shop")["points"]) == 7
    assert asked(client, "groups", by="path", metric="carried")["metric"] == "carried"
    assert asked(client, "advice")[0]["at_stake_usd"] == 2.184
    assert asked(client, f"sessions/{SESSION}")["total_requests"] == 24
    found = asked(client, "items", by="tool", kind="tool", name="Read")
    assert [each["item"] for each in found["rows"]] == ["toolu_cart"]
    assert found["group"]["label"] == "Read"
    page = asked(client, "sessions", offset=1, limit=1)
    assert (len(page["sessions"]), page["next_offset"]) == (1, 2)


def test_a_limit_leaves_the_rest_to_be_counted(client: httpx.Client) -> None:
    found = asked(client, "groups", by="tool", limit=2)
    assert (len(found["rows"]), found["left_out"]) == (2, 5)


@pytest.mark.parametrize(
    ("path", "status", "says"),
    [
        ("snapshot?period=fortnight", 400, "There is no period 'fortnight'"),
        ("groups?by=colour", 400, "There is no by 'colour': use item, path, tool"),
        ("groups?metric=colour", 400, "There is no metric 'colour': use cost, tokens"),
        ("sessions?offset=-1", 400, "offset=-1: write a number such as 0."),
        ("sessions?limit=many", 400, "limit=many: write a number such as 50."),
        ("sessions?limit=0", 400, "limit=0: write 1 or more."),
        ("groups?limit=000", 400, "limit=0: write 1 or more."),
        ("items", 400, "Say of which group: one or more of kind, name, server, uri"),
        ("items?by=project&name=x", 400, "There is no by 'project': use path, tool"),
        ("sessions/nobody", 404, "There is no session nobody."),
        ("sessions/", 404, "No session has an id of 0 characters."),
        (f"sessions/{'x' * 60_000}", 404, "No session has an id of 60,000 characters."),
    ],
)
def test_a_bad_question_says_what_is_possible(
    client: httpx.Client, path: str, status: int, says: str
) -> None:
    answered = client.get(f"api/{path}")
    assert answered.status_code == status
    assert says in answered.json()["error"]


def test_a_session_may_have_any_id(client: httpx.Client, figures: SampleFigures) -> None:
    figures.session = "team/a?b#c%2F é/"
    found = asked(client, f"sessions/{quote(figures.session, safe='')}")
    assert found["session_id"] == figures.session


def test_a_ledger_that_cannot_be_read_is_told(client: httpx.Client, figures: SampleFigures) -> None:
    figures.is_broken = True
    answered = client.get("api/snapshot")
    assert answered.status_code == 503
    assert answered.json() == {"error": "The ledger is locked by another program. Try again."}


@pytest.mark.parametrize("path", ["", "api/state", "api/sessions", "app.js"])
@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_nothing_can_be_changed(client: httpx.Client, path: str, method: str) -> None:
    assert client.request(method, path).status_code == 405


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"Host": "localhost:8788"}, 200),
        ({"Host": "[::1]:8788"}, 200),
        ({"Host": "LocalHost"}, 200),
        ({"Origin": "http://127.0.0.1:8788"}, 200),
        ({"Host": "evil.example"}, 421),
        ({"Host": "127.0.0.1.evil.example:8788"}, 421),
        ({"Host": ""}, 421),
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "https://127.0.0.1"}, 403),
        ({"Origin": "null"}, 403),
    ],
)
def test_no_web_page_reaches_it_through_a_browser(
    client: httpx.Client, headers: dict[str, str], status: int
) -> None:
    assert client.get("api/state", headers=headers).status_code == status


@pytest.mark.parametrize("path", ["", "app.js", "chart.js", "style.css", "api/state", "nothing"])
def test_every_answer_forbids_what_comes_from_elsewhere(client: httpx.Client, path: str) -> None:
    headers = client.get(path).headers
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "connect-src 'self'" in policy
    assert "http" not in policy
    assert "unsafe" not in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert "set-cookie" not in headers


def test_news_come_by_themselves(client: httpx.Client, figures: SampleFigures) -> None:
    with client.stream("GET", "api/events") as answered:
        assert answered.headers["content-type"].startswith("text/event-stream")
        lines = answered.iter_lines()
        assert next(lines) == "retry: 2000"
        assert changes(lines) == "1"
        figures.version = "2"
        assert changes(lines) == "2"


def changes(lines: Iterator[str]) -> str:
    """The version that the next change tells."""
    for line in lines:
        if line == "event: change":
            return next(lines).removeprefix("data: ")
    raise AssertionError("the stream ended")


def test_the_figures_are_closed_at_the_end(figures: SampleFigures) -> None:
    from tests.dashboard.serving import served

    async def opened() -> SampleFigures:
        return figures

    with (
        served(opened) as address,
        httpx.stream("GET", f"{address}api/events", timeout=20) as answered,
    ):
        assert answered.status_code == 200
    assert figures.is_closed


def test_json_is_not_rounded(client: httpx.Client) -> None:
    answered = client.get("api/snapshot").text
    assert json.loads(answered, parse_float=str)["overall"]["cost_usd"] == "43.3217"
