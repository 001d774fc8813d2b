"""A dashboard in the background, for `setup` to end with."""

import json
import os
import subprocess
import threading
from collections.abc import Mapping
from datetime import datetime, timedelta, tzinfo
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import IO, Final, NamedTuple, cast

from token_tracking.errors import TokenTrackingError
from token_tracking.location import default_location, locate
from token_tracking_server.cli.registration import installed_command, registration
from token_tracking_server.settings import Settings

MINUTES: Final = 60
"""It ends by itself after that."""

_SECONDS: Final = 30.0
_PATIENCE_SECONDS: Final = 3.0
_SAID: Final = "Dashboard: "


class Started(NamedTuple):
    """Where it is, its process, and when it ends."""

    address: str
    process: "subprocess.Popen[bytes]"
    until: datetime


class BackgroundError(TokenTrackingError):
    """The dashboard did not start."""


def running_dashboard(settings: Settings) -> str | None:
    """The address of a dashboard of the same ledger at the usual port, if there is one."""
    from token_tracking_server.dashboard.serving import HOST, PORT

    asked = HTTPConnection(HOST, PORT, timeout=_PATIENCE_SECONDS)
    try:
        asked.request("GET", "/api/state")
        state: object = json.loads(asked.getresponse().read())
    except (OSError, HTTPException, ValueError):
        return None
    finally:
        asked.close()
    named = cast("dict[str, object]", state).get("database") if isinstance(state, dict) else None
    ours = default_location(os.environ) if settings.database is None else locate(settings.database)
    is_same = isinstance(named, str) and Path(named).absolute() == ours.path.absolute()
    return f"http://{HOST}:{PORT}/" if is_same else None


def start_dashboard(
    settings: Settings, zone: tzinfo, *, sample: bool = False, minutes: int = MINUTES
) -> Started:
    """Start it as a process of its own, which outlives this one, and wait for its address.

    Raises:
        BackgroundError: it said none.
    """
    words = ["dashboard", "--no-open", "--minutes", str(minutes), *(["--sample"] if sample else [])]
    environment = {**os.environ, **registration(settings).environment}
    process = _started([*installed_command(), *words], environment)
    line = _first_line(process)
    if not line.startswith(_SAID):
        process.kill()
        process.wait()
        raise BackgroundError(
            "The dashboard did not start. What it says: token-tracking dashboard --no-open."
        )
    until = datetime.now(zone) + timedelta(minutes=minutes)
    return Started(line.removeprefix(_SAID).strip(), process, until)


def _started(command: list[str], environment: Mapping[str, str]) -> "subprocess.Popen[bytes]":
    try:
        return subprocess.Popen(  # noqa: S603 (our own command)
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            # Who waits for the end of our output must not wait for its.
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
    except OSError as error:
        raise BackgroundError(f"The dashboard did not start: {error}.") from error


def _first_line(process: "subprocess.Popen[bytes]") -> str:
    said: list[bytes] = []

    def read(output: IO[bytes]) -> None:
        with output:
            said.append(output.readline())

    assert process.stdout is not None
    # A pipe cannot be waited for with a time limit on every system.
    reader = threading.Thread(target=read, args=(process.stdout,), daemon=True)
    reader.start()
    reader.join(_SECONDS)
    return said[0].decode(errors="replace") if said else ""
