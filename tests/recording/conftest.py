"""A ledger to record into."""

import asyncio
import shutil
from pathlib import Path

import pytest

from token_tracking.store import TokenStore


@pytest.fixture(scope="session")
def empty_ledger(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty ledger, made once: its migrations take longer than a test."""
    path = tmp_path_factory.mktemp("empty") / "ledger.db"

    async def make() -> None:
        await (await TokenStore.open(path)).close()

    asyncio.run(make())
    return path


@pytest.fixture
def database(tmp_path: Path, empty_ledger: Path) -> Path:
    """An empty ledger."""
    return Path(shutil.copy(empty_ledger, tmp_path / "ledger.db"))


@pytest.fixture
def absent(tmp_path: Path) -> Path:
    """Where a ledger might be."""
    return tmp_path / "absent.db"
