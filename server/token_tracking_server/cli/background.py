"""A dashboard in the background, for `setup` to end with."""

import os
import subprocess
import threading
from collections.abc import Mapping
from datetime import datetime, timedelta, tzinfo
from typing import IO, Final, NamedTuple

from token_tracking.errors import TokenTrackingError
from token_tracking_server.cli.registration import installed_command, registration
from token_tracking_server.cli.running import note_dashboard
from token_tracking_server.settings import Settings

MINUTES: Final = 60
"""It ends by itself after that."""

_SECONDS: Final = 30.0
_SAID: Final = "Dashboard: "


class Started(NamedTuple):
    """Where it is, its process, and when it ends."""

    address: str
    process: "subprocess.Popen[bytes]"
    until: datetime


class BackgroundError(TokenTrackingError):
    """The dashboard did not start."""


def start_dashboard(
    settings: Settings, zone: tzinfo, *, sample: bool = False, minutes: int = MINUTES
) -> Started:
    """Start it as a process of its own, which outlives this one, wait for its address, and note
    it for `running_dashboard`.

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
    address = line.removeprefix(_SAID).strip()
    note_dashboard(settings, address, process.pid, until, sample=sample)
    return Started(address, process, until)


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
