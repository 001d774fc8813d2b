"""The gateway's quotas on the page, and in the API behind it."""

import json
from collections.abc import Iterator
from pathlib import Path
from urllib.request import urlopen
from zoneinfo import ZoneInfo

import pytest

from tests.dashboard.browser import Browser
from tests.dashboard.sample_figures import SampleFigures
from token_tracking.limits import Quota, Quotas, Spender
from token_tracking_server.dashboard.live import LiveFigures
from token_tracking_server.settings import Settings

QUOTA = Quota(subject="user", period="day", tokens=1000, alert_at=(0.5,))


@pytest.fixture
def card(browser: Browser, dashboard: str) -> Iterator[str]:
    browser.open(dashboard)
    yield browser.text("#quotas-card")
    assert browser.complaints() == []


def test_the_api_gives_quotas_and_alerts(dashboard: str) -> None:
    with urlopen(f"{dashboard}api/limits") as answer:
        found = json.load(answer)
    assert [(each["measure"], each["used"]) for each in found["quotas"]] == [
        ("tokens", 62_000),
        ("usd", 3.1),
    ]
    assert found["alerts"][0]["share"] == 0.5


@pytest.mark.slow
def test_the_overview_shows_how_far_quotas_are_used_and_until_when_they_last(card: str) -> None:
    assert "user sam: tokens per day" in card
    assert "62k of 100k" in card
    assert "full about 3 Mar 2026, 00:00 at this pace estimated" in card
    assert "8,000 held" in card
    assert "$3.10 of $5.00" in card
    assert "user sam: dollars per day (alerts only)" in card
    assert "2 requests of unknown price" in card
    assert "full: not before it resets estimated" in card
    assert "user sam: 50% of the quota of $5.00 per day passed; $2.60 used" in card


@pytest.mark.slow
def test_without_quotas_there_is_no_card(
    browser: Browser, dashboard: str, figures: SampleFigures
) -> None:
    figures.has_limits = False
    browser.open(dashboard)
    assert "Overview" in browser.text("main")
    assert browser.driver.find_elements("id", "quotas-card") == []


async def test_what_a_gateway_spends_is_news_to_an_open_page(tmp_path: Path) -> None:
    figures = await LiveFigures.open(Settings(database=str(tmp_path / "ledger.db")), {})
    try:
        before = await figures.refresh()
        assert (await figures.limits()).quotas == []
        path = tmp_path / "limits.db"
        async with await Quotas.open(path, [QUOTA], timezone=ZoneInfo("UTC")) as quotas:
            spending = await quotas.reserve(Spender(user="sam"), tokens=600, usd=None)
            await spending.settle(600, None)
            assert await figures.refresh() != before
            limits = await figures.limits()
        assert [each.used for each in limits.quotas] == [600]
        assert [each.share for each in limits.alerts] == [0.5]
    finally:
        await figures.close()
