"""The same page in other places: in a host of MCP Apps, and as a file."""

from pathlib import Path
from typing import Any

import pytest

from tests.dashboard.browser import Browser
from tests.dashboard.host import write_host
from tests.dashboard.sample_figures import (
    PROJECT,
    SESSION,
    advice,
    rows_by,
    snapshot,
    timeline,
)
from token_tracking.efficiency.session_timeline import Timeline
from token_tracking.efficiency.snapshot import GroupBy, Snapshot
from token_tracking_server.dashboard.app_view import (
    DATA_KEY,
    PeriodView,
    TopRows,
    app_page,
    report_data,
)
from token_tracking_server.dashboard.export import session_page

pytestmark = pytest.mark.slow


def told(report: Snapshot | Timeline, text: str = "$43.32 in all") -> dict[str, Any]:
    """The result of a tool, with the data of the page."""
    content = [{"type": "text", "text": text}]
    return {"content": content, "_meta": {DATA_KEY: report_data(report, "UTC")}}


def enter(browser: Browser, host: str) -> None:
    """Open a host, and go into the view that it shows."""
    browser.driver.get(host)
    browser.driver.switch_to.frame(browser.find("iframe"))


def test_a_host_gets_the_snapshot_shown(browser: Browser, tmp_path: Path) -> None:
    enter(browser, write_host(tmp_path / "host.html", app_page(), told(snapshot())))
    browser.until(lambda: browser.text("h1") == "Overview")
    assert browser.text("[data-stat='cost'] .value") == "$43.32"
    browser.find("#over-time-card canvas")
    # There is nothing behind it that another view could come from.
    assert not browser.all("header nav")
    assert not browser.all("main a[href*='groups']")
    assert browser.complaints() == []
    assert {each.split(":")[0] for each in browser.requested()} <= {"file", "about", "data"}


def test_a_host_gets_the_advice_that_came_along(browser: Browser, tmp_path: Path) -> None:
    data = report_data(snapshot(), "UTC", PeriodView(advice=advice()))
    enter(browser, write_host(tmp_path / "host.html", app_page(), {"_meta": {DATA_KEY: data}}))
    assert "$2.18 at stake" in browser.text("#advice-card")
    assert not browser.all("#theme")


def test_a_host_gets_the_advice_alone_that_was_asked_for(browser: Browser, tmp_path: Path) -> None:
    data = report_data(snapshot("all"), "UTC", PeriodView(view="advice", advice=advice()))
    enter(browser, write_host(tmp_path / "host.html", app_page(), {"_meta": {DATA_KEY: data}}))
    assert browser.text("h1") == "What to do"
    assert browser.text(".title .note").startswith("All time: ")
    assert "$2.18 at stake" in browser.text("#advice-card")
    assert len(browser.all("main .card")) == 1
    assert browser.complaints() == []


@pytest.mark.parametrize(("by", "title"), [(None, "Most by cost"), ("tool", "By tool")])
def test_a_host_gets_the_list_that_was_asked_for(
    browser: Browser, tmp_path: Path, by: GroupBy | None, title: str
) -> None:
    top = TopRows(by=by, metric="cost", rows=rows_by("tool"))
    data = report_data(snapshot(), "UTC", PeriodView(view="top", top=top))
    enter(browser, write_host(tmp_path / "host.html", app_page(), {"_meta": {DATA_KEY: data}}))
    assert browser.text("#top-card h2") == title
    assert browser.texts("#top-card tbody th")[0] == "Read"
    assert not browser.all("main a")
    assert browser.complaints() == []


def test_estimates_tell_how_far_they_may_be_off(browser: Browser, tmp_path: Path) -> None:
    data = report_data(snapshot(), "UTC", PeriodView(advice=advice()))
    data["snapshot"]["overall"] |= {
        "partial_output_error_p95": 0.714,
        "partial_output_unknown": 3,
    }
    enter(browser, write_host(tmp_path / "host.html", app_page(), {"_meta": {DATA_KEY: data}}))
    told = browser.text("[data-stat='output'] .detail")
    assert told == (
        "and about 3,900 more ($0.70) in 12 messages without a final count estimated"
        " off by up to 71% in 19 of 20 answers; 3 without an estimate"
    )


def test_a_host_gets_a_session_to_walk_in(browser: Browser, tmp_path: Path) -> None:
    enter(browser, write_host(tmp_path / "host.html", app_page(), told(timeline())))
    browser.link("list_issues (github)").click()
    browser.until(lambda: browser.text("[data-stat='cost'] .value") == "$0.40")
    browser.link(f"Session {SESSION[:8]}").click()
    browser.until(lambda: browser.text("h1").startswith("Session of"))
    assert browser.complaints() == []


def test_the_view_keeps_to_the_protocol(browser: Browser, tmp_path: Path) -> None:
    browser.driver.get(write_host(tmp_path / "host.html", app_page(), told(snapshot())))
    sized = "received.some((each) => each.method === 'ui/notifications/size-changed')"
    browser.until(lambda: browser.run(f"return {sized}"))
    received = browser.run("return received")
    assert [each["method"] for each in received[:2]] == [
        "ui/initialize",
        "ui/notifications/initialized",
    ]
    assert received[0]["params"]["protocolVersion"] == "2026-01-26"
    assert received[0]["params"]["appInfo"]["name"] == "token-tracking"
    browser.run("send({ id: 'bye', method: 'ui/resource-teardown', params: { reason: 'done' } })")
    browser.run("send({ id: 'odd', method: 'ui/unheard-of', params: {} })")
    browser.until(lambda: browser.run("return received.some((each) => each.id === 'odd')"))
    answers = {each["id"]: each for each in browser.run("return received") if "id" in each}
    assert answers["bye"]["result"] == {}
    assert answers["odd"]["error"]["code"] == -32601


def test_the_view_takes_the_colours_of_its_host(browser: Browser, tmp_path: Path) -> None:
    host = write_host(tmp_path / "host.html", app_page(), told(snapshot()), {"theme": "dark"})
    enter(browser, host)
    browser.until(lambda: browser.text("h1") == "Overview")
    assert browser.run("return document.documentElement.dataset.theme") == "dark"
    browser.driver.switch_to.default_content()
    change = "send({ method: 'ui/notifications/host-context-changed', params: { theme: 'light' } })"
    browser.run(change)
    browser.driver.switch_to.frame(browser.find("iframe"))
    browser.until(lambda: browser.run("return document.documentElement.dataset.theme") == "light")


def test_another_result_takes_the_place_of_the_first(browser: Browser, tmp_path: Path) -> None:
    enter(browser, write_host(tmp_path / "host.html", app_page(), told(snapshot())))
    browser.until(lambda: browser.text("h1") == "Overview")
    browser.driver.switch_to.default_content()
    browser.run("show(arguments[0])", told(timeline()))
    browser.driver.switch_to.frame(browser.find("iframe"))
    browser.until(lambda: browser.text("h1").startswith("Session of"))


@pytest.mark.parametrize(
    "result",
    [
        {"content": [{"type": "text", "text": "<b>No data</b> came along."}]},
        {
            "content": [{"type": "text", "text": "<b>No data</b> came along."}],
            "structuredContent": {"some": "thing"},
        },
    ],
)
def test_a_result_without_data_is_shown_as_its_text(
    browser: Browser, tmp_path: Path, result: dict[str, Any]
) -> None:
    enter(browser, write_host(tmp_path / "host.html", app_page(), result))
    browser.until(lambda: browser.text("main") == "<b>No data</b> came along.")


def test_a_narrow_host_needs_no_scrolling_sideways(browser: Browser, tmp_path: Path) -> None:
    browser.resize(400)
    enter(browser, write_host(tmp_path / "host.html", app_page(), told(timeline())))
    browser.until(lambda: browser.text("h1").startswith("Session of"))
    assert not browser.is_overflowing()


def test_a_session_as_a_file_opens_without_a_network(browser: Browser, tmp_path: Path) -> None:
    path = tmp_path / "session.html"
    path.write_text(session_page(timeline(), "Europe/Berlin"), encoding="utf-8")
    browser.open(path.as_uri())
    assert browser.text("h1") == "Session of 2 Mar 2026, 13:00"
    assert PROJECT in browser.text("main")
    assert SESSION in browser.text("main")
    browser.find("#timeline-card canvas")
    browser.follow(browser.link("Read /home/sam/shop/src/checkout/cart.py"))
    assert browser.text("[data-stat='carry'] .value") == "$0.56"
    browser.driver.back()
    browser.until(lambda: browser.text("h1").startswith("Session of"))
    assert not browser.all("header nav")
    assert browser.complaints() == []
    assert {each.split(":")[0] for each in browser.requested()} <= {"file", "about", "data"}
