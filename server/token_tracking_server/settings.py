"""What every surface is told: which ledger, which transcripts, which prices, whose days."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final, Self

from msgspec import Struct

from token_tracking.location import default_location, locate, usual_prices

SESSION_VARIABLE: Final = "CLAUDE_CODE_SESSION_ID"
PROJECT_VARIABLE: Final = "CLAUDE_PROJECT_DIR"
"""What Claude Code tells its servers of the session that started them."""


class Settings(Struct, frozen=True, kw_only=True):
    """`None` and `()` stand for the defaults."""

    database: str | None = None
    claude_dirs: tuple[Path, ...] = ()
    user_prices: Path | None = None
    timezone: str | None = None
    library: tuple[Path, ...] = ()

    def library_folders(self) -> tuple[Path, ...]:
        """The user's library, or the one that comes with the package."""
        return self.library or (Path(__file__).parent / "content" / "library",)

    def catalog_folder(self) -> Path:
        """Where the catalogs of libraries stand: beside the ledger."""
        ledger = default_location(os.environ) if self.database is None else locate(self.database)
        return ledger.path.absolute().parent / "catalogs"

    def prices_file(self) -> Path | None:
        """The user's prices: the file that was named, or `prices.toml` beside the default ledger
        where there is one."""
        return self.user_prices or usual_prices(os.environ)

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> Self:
        """`TOKEN_TRACKING_DB`, `TOKEN_TRACKING_CLAUDE_DIRS` and `TOKEN_TRACKING_LIBRARY` (folders,
        separated as in PATH), `TOKEN_TRACKING_PRICES` and `TOKEN_TRACKING_TIMEZONE`.

        A value that a desktop client left as `${user_config.x}` counts as absent.
        """
        given = os.environ if environment is None else environment

        def value(name: str) -> str | None:
            text = given.get(name, "").strip()
            return None if not text or text.startswith("${") else text

        def folders(name: str) -> tuple[Path, ...]:
            return tuple(Path(each) for each in (value(name) or "").split(os.pathsep) if each)

        prices = value("TOKEN_TRACKING_PRICES")
        return cls(
            database=value("TOKEN_TRACKING_DB"),
            claude_dirs=folders("TOKEN_TRACKING_CLAUDE_DIRS"),
            library=folders("TOKEN_TRACKING_LIBRARY"),
            user_prices=None if prices is None else Path(prices),
            timezone=value("TOKEN_TRACKING_TIMEZONE"),
        )
