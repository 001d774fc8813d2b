"""Which database: a path, or a URL such as `sqlite:////absolute/path.db`."""

import os
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote

from token_tracking.errors import StoreError


class Location(NamedTuple):
    """Where the database is."""

    path: Path

    def __str__(self) -> str:
        return str(self.path)


def locate(database: str | os.PathLike[str]) -> Location:
    """The database that a path or URL names. `sqlite:///x.db` is relative, four slashes absolute.

    Raises:
        StoreError: the URL is of another kind, or names no file.
    """
    text = os.fspath(database)
    scheme = re.match(r"([a-zA-Z][a-zA-Z0-9+.-]+):/", text)
    if scheme is None:
        if not text.strip():
            raise StoreError("The database path is empty: give a path, or leave --db out.")
        return Location(Path(text).expanduser())
    if scheme[1].lower() != "sqlite":
        raise StoreError(
            f"{scheme[1]}: databases of this kind are not supported yet. Give a path, or a URL"
            " such as sqlite:////absolute/path.db."
        )
    rest = text.partition("://")[2].partition("?")[0]
    path = unquote(rest.removeprefix("/"))
    if not path:
        raise StoreError(f"{text} names no file: write sqlite:////absolute/path.db.")
    return Location(Path(path))


def default_location(environment: Mapping[str, str]) -> Location:
    """`TOKEN_TRACKING_DB`, or one file in the user's data folder."""
    configured = environment.get("TOKEN_TRACKING_DB", "").strip()
    # A desktop client that was given no path may leave its own placeholder.
    named = configured and not configured.startswith("${")
    return locate(configured) if named else Location(data_folder(environment) / "ledger.db")


def default_prices(environment: Mapping[str, str]) -> Path | None:
    """`TOKEN_TRACKING_PRICES`, or else `usual_prices`."""
    configured = environment.get("TOKEN_TRACKING_PRICES", "").strip()
    named = configured and not configured.startswith("${")
    return Path(configured) if named else usual_prices(environment)


def usual_prices(environment: Mapping[str, str]) -> Path | None:
    """`prices.toml` in the user's data folder, where there is one."""
    usual = data_folder(environment) / "prices.toml"
    return usual if usual.is_file() else None


def data_folder(environment: Mapping[str, str]) -> Path:
    """Where the user's data stands on this system."""
    if sys.platform == "win32":
        base = environment.get("LOCALAPPDATA")
        root = Path(base) if base else Path.home() / "AppData" / "Local"
    elif sys.platform == "darwin":
        root = Path.home() / "Library" / "Application Support"
    else:
        base = environment.get("XDG_DATA_HOME", "")
        root = Path(base) if base.startswith("/") else Path.home() / ".local" / "share"
    return root / "token-tracking"
