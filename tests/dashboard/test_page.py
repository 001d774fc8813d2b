"""The page in a browser, over made-up figures."""

import re

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from tests.dashboard.browser import Browser
from tests.dashboard.sample_figures import PROJECT, SESSION, SampleFigures
from tests.dashboard.serving import served

pytestmark = pytest.mark.slow

VIEWS = (
    "#/",
    "#/groups/tool",
    "#/groups/item",
    "#/groups/skill",
    "#/groups/tool/items?of=kind%3Dtool%26name%3DRead",
    "#/groups/tool/items?of=name%3Dnothing",
    "#/projects",
    f"#/project/{PROJECT.replace('/', '%2F')}",
    "#/sessions",
    f"#/session/{SESSION}",
    f"#/session/{SESSION}/item/toolu_cart",
    "#/nowhere",
)


def figure(browser: Browser, key: str) -> str:
    """One of the large figures on top."""
    return browser.text(f"[data-stat='{key}'] .value")


@pytest.mark.parametrize("width", [1280, 400])
@pytest.mark.parametrize("view", VIEWS)
def test_every_view_fits_and_has_nothing_to_complain_about(
    browser: Browser, dashboard: str, view: str, width: int
) -> None:
    browser.resize(width)
    browser.open(dashboard + view)
    assert browser.text("h1, h2")
    assert not browser.is_overflowing()
    assert browser.complaints() == []
    shown = browser.text("main")
    assert not re.search(r"undefined|NaN|\[object|Infinity|null", shown)
    assert all(address.startswith(dashboard) for address in browser.requested())


def test_the_overview_tells_the_figures_with_their_basis(browser: Browser, dashboard: str) -> None:
    browser.open(dashboard)
    assert figure(browser, "cost") == "$43.32"
    assert figure(browser, "prompt") == "18.5M"
    assert figure(browser, "hits") == "90.7%"
    assert figure(browser, "caching") == "$60.32"
    assert "about 3,900 more ($0.70) in 12 messages" in browser.text("[data-stat='output']")
    assert "estimated" in browser.text("[data-stat='output']")
    advice = browser.text("#advice-card")
    assert "$2.18 at stake" in advice
    assert "claude mcp remove linear" in advice
    assert "at most 182k tokens" in browser.text("#caching-card")
    assert "Not explained" in browser.text("#reconciliation-card")


def test_a_loss_is_called_one(browser: Browser, dashboard: str) -> None:
    browser.open(dashboard)
    baselines = browser.text("#baselines-card")
    assert "$60.32 saved" in baselines
    assert "loss of $0.70" in baselines
    assert "7.1% more; prompt tokens: 200k more than that" in baselines
    browser.open(f"{dashboard}#/groups/tool")
    assert "loss of 2.4%" in browser.text("[data-table='groups']")


def test_names_from_transcripts_are_text_and_nothing_else(browser: Browser, dashboard: str) -> None:
    browser.open(f"{dashboard}#/groups/tool")
    assert "<img src=x onerror=alert(1)>" in browser.text("[data-table='groups']")
    assert not browser.all("main img")


def test_names_cannot_turn_around_the_words_beside_them(
    browser: Browser, dashboard: str, figures: SampleFigures
) -> None:
    figures.session = "so\u202eme"
    browser.open(f"{dashboard}#/session/so%E2%80%AEme/item/odd%E2%81%A6")
    for text in (browser.text("nav.crumbs"), browser.text(".state")):
        assert "\ufffd" in text
        assert not re.search("[\u202e\u2066]", text)
    browser.open(f"{dashboard}#/project/%2Fhome%2Fsh%E2%80%AEop")
    assert browser.text("h1") == "sh\ufffdop"
    assert browser.driver.title == "sh\ufffdop · token-tracking"


def test_a_session_of_any_id_can_be_opened(
    browser: Browser, dashboard: str, figures: SampleFigures
) -> None:
    figures.session = "team/a?b#c%2F é/"
    browser.open(f"{dashboard}#/sessions")
    browser.follow_first("[data-table^='sessions'] a")
    assert figures.session in browser.text("main")
    browser.follow(browser.link("list_issues (github)"))
    assert browser.text("[data-stat='cost'] .value") == "$0.40"


def test_a_group_leads_to_its_items_and_they_to_their_sessions(
    browser: Browser, dashboard: str
) -> None:
    browser.open(f"{dashboard}#/groups/tool?period=last_week")
    assert not browser.driver.find_elements(By.LINK_TEXT, "Everything else")
    browser.follow(browser.link("list_issues (github)"))
    assert browser.text("h1") == "list_issues (github)"
    assert browser.text("[data-stat='cost'] .value") == "$4.20"
    assert "19 of 20 tool results are within 33%" in browser.text("#group-items-card")
    assert "1 item of it among the 1,000 dearest of the period" in browser.text("#group-items-card")
    browser.follow_first("#group-items-card tbody a")
    assert f"session/{SESSION}/item/toolu_issues" in browser.driver.current_url
    browser.driver.back()
    browser.follow(browser.link("By tool"))
    assert browser.driver.current_url.endswith("#/groups/tool?period=last_week")


def test_a_category_of_the_overview_leads_to_its_items(browser: Browser, dashboard: str) -> None:
    browser.open(dashboard)
    browser.follow_first("#categories-card ol a")
    assert "by category" in browser.text("main")


def test_what_is_unknown_says_so_and_stands_last(browser: Browser, dashboard: str) -> None:
    browser.open(f"{dashboard}#/groups/tool")
    names = browser.texts("[data-table='groups'] tbody th")
    assert names[-2:] == ["<img src=x onerror=alert(1)>", "Everything else"]
    assert "unknown" in browser.texts("[data-table='groups'] tbody tr")[-2]


def test_a_table_sorts_by_any_column_both_ways(browser: Browser, dashboard: str) -> None:
    browser.open(f"{dashboard}#/groups/tool")

    def first() -> str:
        return browser.texts("[data-table='groups'] tbody th")[0]

    assert first() == "Read"
    # The page may draw itself anew at any time: each step finds what it needs in one go.
    press = "document.querySelector(\"[data-table='groups'] [data-key='cost'] button\").click()"
    order = "return document.querySelector(\"[data-key='cost']\").getAttribute('aria-sort')"
    browser.run(press)
    assert first().endswith("/module.py")
    assert browser.run(order) == "ascending"
    browser.run(press)
    assert first() == "Read"
    assert browser.run(order) == "descending"


def test_back_goes_back_and_the_period_goes_along(browser: Browser, dashboard: str) -> None:
    browser.open(f"{dashboard}#/?period=last_week")
    browser.follow(browser.link("Groups"))
    assert "Last 7 days" in browser.text("main")
    browser.follow(browser.link("MCP server"))
    browser.driver.back()
    browser.until(lambda: browser.text(".tabs [aria-current]") == "Tool")
    browser.driver.back()
    browser.until(lambda: browser.text("h1") == "Overview")
    assert browser.driver.current_url.endswith("#/?period=last_week")


def test_it_is_dark_as_the_system_is_or_as_the_reader_says(
    browser: Browser, dashboard: str
) -> None:
    def ground() -> str:
        return browser.run("return getComputedStyle(document.body).backgroundColor")

    browser.open(dashboard)
    light = ground()
    browser.prefer("dark")
    browser.until(lambda: ground() != light)
    dark = ground()
    browser.find("#theme").click()
    assert ground() == light
    browser.open(dashboard)
    assert ground() == light
    browser.find("#theme").click()
    assert ground() == dark


def test_the_keyboard_goes_everywhere(browser: Browser, dashboard: str) -> None:
    browser.open(f"{dashboard}#/session/{SESSION}")
    browser.press(Keys.TAB)
    assert browser.run("return document.activeElement.textContent") == "Skip to the figures"
    browser.press(Keys.ENTER)
    browser.until(lambda: browser.run("return document.activeElement.id") == "content")
    browser.open(f"{dashboard}#/session/{SESSION}")
    browser.tab_to("[role='slider']")
    assert browser.run("return getComputedStyle(document.activeElement).outlineStyle") == "solid"
    browser.press(Keys.HOME)
    browser.until(lambda: browser.text("#request h3") == "Request 1 of 24")
    browser.press(Keys.ARROW_RIGHT)
    browser.until(lambda: browser.text("#request h3") == "Request 2 of 24")
    told = browser.find("[role='slider']").get_attribute("aria-valuetext")
    assert told == "2 · 12:02:00: Read from cache 20.4k, Written to cache 2,100, Fresh 6"
    browser.tab_to("#request a")
    browser.press(Keys.ENTER)
    browser.until(lambda: "Read /home/sam" in browser.text("h1"))


def test_a_chosen_request_shows_what_entered_and_keeps_its_address(
    browser: Browser, dashboard: str
) -> None:
    browser.open(f"{dashboard}#/session/{SESSION}?request=msg_04")
    assert browser.text("#request h3") == "Request 5 of 24"
    assert "list_issues (github)" in browser.text("#request")
    browser.find("#request .plain:last-child").click()
    browser.until(lambda: "request=msg_05" in browser.driver.current_url)
    assert "no final count" in browser.text("#request")


def test_every_chart_says_the_same_as_a_table(browser: Browser, dashboard: str) -> None:
    browser.open(dashboard)
    browser.find("#over-time-card summary").click()
    rows = browser.texts("#over-time-card tbody tr")
    assert len(rows) == 7
    assert rows[0].split("\t")[:2] == ["2026-03-01", "$4.10"]
    assert "unknown" in rows[3]


def test_an_empty_ledger_says_what_to_do(
    browser: Browser, dashboard: str, figures: SampleFigures
) -> None:
    figures.messages = 0
    browser.open(dashboard)
    assert browser.text("h1") == "Nothing to show yet"
    assert "/home/sam/.claude" in browser.text("main")
    assert "token-tracking dashboard --claude-dir DIR" in browser.text("main")
    assert browser.complaints() == []


def test_figures_that_are_not_up_to_date_say_so(
    browser: Browser, dashboard: str, figures: SampleFigures
) -> None:
    figures.problem = "the disk is full."
    browser.open(dashboard)
    assert "not up to date: the disk is full." in browser.text(".banner")


def test_an_error_is_told_and_can_be_tried_again(
    browser: Browser, dashboard: str, figures: SampleFigures
) -> None:
    figures.is_broken = True
    browser.open(dashboard)
    assert "The ledger is locked by another program." in browser.text("main")
    figures.is_broken = False
    browser.find("main button").click()
    browser.until(lambda: browser.text("h1") == "Overview")


@pytest.mark.parametrize(
    ("view", "says"),
    [
        ("#/?period=fortnight", "There is no period 'fortnight'"),
        ("#/session/nobody", "There is no session nobody."),
        (f"#/session/{SESSION}/item/nothing", "This session shows no item nothing."),
    ],
)
def test_an_address_that_leads_nowhere_says_so(
    browser: Browser, dashboard: str, view: str, says: str
) -> None:
    browser.open(dashboard + view)
    assert says in browser.text("main")


def test_news_redraw_the_page_where_the_reader_is(
    browser: Browser, dashboard: str, figures: SampleFigures
) -> None:
    browser.open(dashboard)
    browser.until(lambda: browser.text("#connection") == "Live")
    browser.find("#categories-card .button").send_keys("")
    browser.run("document.querySelector('#categories-card .button').focus()")
    figures.messages, figures.version = 1_234, "2"
    browser.until(lambda: "1,234 messages" in browser.text("[data-stat='prompt']"))
    assert browser.run("return document.activeElement.textContent") == "All groups"


def test_news_leave_a_table_as_the_reader_has_it(
    browser: Browser, dashboard: str, figures: SampleFigures
) -> None:
    browser.open(f"{dashboard}#/groups/tool")
    browser.find("[data-table='groups'] [data-key='label'] button").click()
    sorted_so = browser.texts("[data-table='groups'] tbody th")
    was = browser.find("[data-table='groups']")
    figures.version = "2"
    browser.until(lambda: browser.find("[data-table='groups']") != was)
    assert browser.texts("[data-table='groups'] tbody th") == sorted_so
    assert browser.find("[data-key='label']").get_attribute("aria-sort") == "ascending"


def test_what_was_opened_stays_open(
    browser: Browser, dashboard: str, figures: SampleFigures
) -> None:
    browser.open(dashboard)
    browser.find("#over-time-card summary").click()
    figures.messages, figures.version = 1_234, "2"
    browser.until(lambda: "1,234 messages" in browser.text("[data-stat='prompt']"))
    browser.until(lambda: len(browser.texts("#over-time-card tbody tr")) == 7)


def test_any_two_days_are_a_period(browser: Browser, dashboard: str) -> None:
    browser.open(dashboard)
    browser.run(
        "const select = document.querySelector('.period select'); select.value = 'custom';"
        "select.dispatchEvent(new Event('change'))"
    )
    browser.until(lambda: len(browser.all(".between input")) == 2)
    browser.run(
        "const [from, to] = document.querySelectorAll('.between input');"
        "from.value = '2026-03-01'; to.value = '2026-03-08'; to.dispatchEvent(new Event('change'))"
    )
    browser.until(lambda: "period=2026-03-01..2026-03-08" in browser.driver.current_url)
    browser.until(lambda: "2026-03-01 up to 2026-03-08" in browser.text("main"))


def test_a_subagent_has_a_timeline_of_its_own(browser: Browser, dashboard: str) -> None:
    browser.open(f"{dashboard}#/session/{SESSION}")
    browser.run(
        "const select = document.querySelector('#timeline-card select'); select.value = 'agent-7';"
        "select.dispatchEvent(new Event('change'))"
    )
    browser.until(lambda: browser.text("#request h3") == "Request 1 of 2")
    assert "subagent agent-7" in browser.text("#request")


def test_a_program_that_is_gone_is_told(browser: Browser, figures: SampleFigures) -> None:
    async def opened() -> SampleFigures:
        return figures

    with served(opened) as address:
        browser.open(address)
        browser.until(lambda: browser.text("#connection") == "Live")
    browser.until(lambda: browser.text("#connection") == "Not connected")
    browser.run("location.hash = '#/sessions'")
    browser.until(lambda: "Start it again: token-tracking dashboard" in browser.text("main"))
