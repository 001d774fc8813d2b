"""The dashboard that runs already: noted beside the ledger, or found at the usual port."""

import json
import os
import re
import sys
from contextlib import suppress
from datetime import datetime
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Final, cast

import msgspec
from msgspec import Struct

from token_tracking.location import default_location, locate
from token_tracking_server.cli.sample import samples_folder
from token_tracking_server.settings import Settings

_PATIENCE_SECONDS: Final = 3.0
_START_SECONDS: Final = 20.0
"""A dashboard that just began reads the transcripts before it answers."""

_OURS: Final = re.compile(r"http://127\.0\.0\.1:(\d{1,5})/")


class Running(Struct, frozen=True, kw_only=True):
    """Where a dashboard is, and which ledger it shows; its process, and when that ends, where it
    was started in the background."""

    address: str
    database: str
    pid: int | None = None
    until: datetime | None = None


def running_dashboard(settings: Settings, *, sample: bool = False) -> Running | None:
    """The dashboard of the same ledger, or of the sample, if one runs: the one that was noted, or
    one at the usual port."""
    noted = _noted(_note(settings, sample=sample))
    if noted is not None and _is_alive(noted) and _shows(noted, settings, sample=sample):
        return noted
    if sample:
        return None
    from token_tracking_server.dashboard.serving import HOST, PORT

    usual = f"http://{HOST}:{PORT}/"
    found = Running(address=usual, database=str(_ledger(settings)))
    return found if _shows(found, settings, sample=False) else None


def note_dashboard(
    settings: Settings, address: str, pid: int, until: datetime, *, sample: bool = False
) -> None:
    """Have the next one who asks find a dashboard that was started. Where that cannot be written,
    it starts another."""
    database = database_at(address, _START_SECONDS) if sample else str(_ledger(settings))
    if database is None:
        return
    note = _note(settings, sample=sample)
    running = Running(address=address, database=database, pid=pid, until=until)
    with suppress(OSError):
        note.parent.mkdir(parents=True, exist_ok=True)
        note.write_bytes(msgspec.json.encode(running))


def database_at(address: str, seconds: float = _PATIENCE_SECONDS) -> str | None:
    """The ledger that the dashboard at an address of this machine shows; `None` if none does, or
    not in time."""
    port = _OURS.fullmatch(address)
    if port is None:
        return None
    asked = HTTPConnection("127.0.0.1", int(port[1]), timeout=seconds)
    try:
        asked.request("GET", "/api/state")
        state: object = json.loads(asked.getresponse().read())
    except (OSError, HTTPException, ValueError):
        return None
    finally:
        asked.close()
    named = cast("dict[str, object]", state).get("database") if isinstance(state, dict) else None
    return str(Path(named).absolute()) if isinstance(named, str) else None


def _shows(running: Running, settings: Settings, *, sample: bool) -> bool:
    is_wanted = sample or running.database == str(_ledger(settings))
    return is_wanted and database_at(running.address) == running.database


def _noted(note: Path) -> Running | None:
    try:
        return msgspec.json.decode(note.read_bytes(), type=Running)
    except (OSError, msgspec.MsgspecError):
        return None


def _note(settings: Settings, *, sample: bool) -> Path:
    if sample:
        return samples_folder(settings) / "dashboard.json"
    ledger = _ledger(settings)
    return ledger.with_name(f"{ledger.name}.dashboard.json")


def _ledger(settings: Settings) -> Path:
    given = settings.database
    return (default_location(os.environ) if given is None else locate(given)).path.absolute()


def _is_alive(running: Running) -> bool:
    # On Windows this would end the process: there its answer has to do.
    if running.pid is None or running.pid <= 0 or sys.platform == "win32":
        return True
    try:
        os.kill(running.pid, 0)
    except ProcessLookupError:
        return False
    except OSError:  # it is another user's
        return False
    return True
