"""What every test has: no settings of the machine, and a ledger of its own."""

import functools
import gc
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from yoyo import migrations  # pyright: ignore[reportMissingTypeStubs]

from token_tracking.store import TokenStore

# Cutting the migrations into statements is most of what a new ledger takes: once will do.
migrations.read_sql_migration = functools.cache(migrations.read_sql_migration)

_SETTINGS = (
    "ANTHROPIC_ADMIN_API_KEY",
    "ANTHROPIC_ADMIN_BASE_URL",
    "ANTHROPIC_ADMIN_KEY",
    "ANTHROPIC_BASE_URL",
    "CLAUDE_CODE_SESSION_ID",
    "CLAUDE_CONFIG_DIR",
    "CLAUDE_PROJECT_DIR",
    "TOKEN_TRACKING_CLAUDE_DIRS",
    "DEFAULT_STRATEGY",
    "TOKEN_TRACKING_DB",
    "TOKEN_TRACKING_GATEWAY_CONFIG",
    "TOKEN_TRACKING_GATEWAY_TOKEN",
    "TOKEN_TRACKING_LIBRARY",
    "TOKEN_TRACKING_PRICES",
    "TOKEN_TRACKING_TIMEZONE",
    "XDG_DATA_HOME",
)


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A home that is empty, and no variable that says where anything is."""
    for name in _SETTINGS:
        monkeypatch.delenv(name, raising=False)
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("USERPROFILE", str(home))
    monkeypatch.setenv("LOCALAPPDATA", str(home / "AppData" / "Local"))


@pytest.fixture(autouse=True)
def collecting() -> Iterator[None]:
    """Collect cycles: a command, which is short, stops that for its process, and here it is this
    one."""
    yield
    if not gc.isenabled():
        gc.enable()
        gc.unfreeze()


@pytest.fixture
def claude(tmp_path: Path) -> Path:
    """A Claude folder to write transcripts into."""
    return tmp_path / "claude"


@pytest.fixture(params=["sqlite"])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[TokenStore]:
    """An empty ledger, on each backend."""
    urls = {"sqlite": f"sqlite:///{tmp_path}/ledger.db"}
    async with TokenStore.opened(urls[request.param]) as opened:
        yield opened
