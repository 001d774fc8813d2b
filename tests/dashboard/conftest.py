"""A browser for all of a process's tests, and a dashboard over made-up figures."""

from collections.abc import Iterator

import pytest

from tests.dashboard.browser import Browser, start_browser
from tests.dashboard.sample_figures import SampleFigures
from tests.dashboard.serving import served


@pytest.fixture(scope="session")
def started_browser() -> Iterator[Browser]:
    browser = start_browser()
    yield browser
    browser.driver.quit()


@pytest.fixture
def browser(started_browser: Browser) -> Browser:
    """A window as new."""
    started_browser.begin()
    return started_browser


@pytest.fixture
def figures() -> SampleFigures:
    """Made-up figures. A test may change them while they are shown."""
    return SampleFigures()


@pytest.fixture
def dashboard(figures: SampleFigures) -> Iterator[str]:
    """The address of a dashboard over them."""

    async def opened() -> SampleFigures:
        return figures

    with served(opened) as address:
        yield address
