"""Alerts on the standard input of a command."""

import asyncio
import os
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Sequence
from contextlib import suppress
from typing import Final

from token_tracking.limits.alerts.bodies import body_of
from token_tracking.limits.alerts.sinks import AlertError
from token_tracking.limits.alerts.values import Alert

TIMEOUT_SECONDS: Final = 10.0


class CommandSink:
    """Starts a command for each alert, without a shell, with the alert as one line of JSON on its
    standard input. What it writes is dropped; after `timeout` seconds it is killed, with what it
    started.

    Raises:
        AlertError: the command is empty.
    """

    def __init__(self, command: Sequence[str], *, timeout: float = TIMEOUT_SECONDS) -> None:
        if isinstance(command, str) or not command or not command[0]:
            raise AlertError("A command for alerts is a list: a program, then its arguments.")
        self._command = tuple(command)
        self._timeout = timeout

    def __repr__(self) -> str:
        return f"CommandSink({self._command[0]})"

    async def tell(self, alert: Alert) -> None:
        """Run the command.

        Raises:
            AlertError: it cannot be started, fails, or takes too long.
        """
        name = self._command[0]
        try:
            process = await asyncio.create_subprocess_exec(
                *self._command,
                stdin=PIPE,
                stdout=DEVNULL,
                stderr=DEVNULL,
                start_new_session=sys.platform != "win32",
            )
        except OSError as error:
            raise AlertError(f"{name} cannot be started: {error.strerror or error}.") from error
        try:
            async with asyncio.timeout(self._timeout):
                await process.communicate(body_of(alert) + b"\n")
        except TimeoutError as error:
            raise AlertError(f"{name} took more than {self._timeout:g} seconds.") from error
        finally:
            await _end(process)
        if process.returncode:
            raise AlertError(f"{name} ended with the status {process.returncode}.")


async def _end(process: Process) -> None:
    """Leave nothing behind, also where the caller was cancelled."""
    if process.returncode is not None:
        return
    with suppress(ProcessLookupError):
        if sys.platform == "win32":
            process.kill()
        else:
            os.killpg(process.pid, signal.SIGKILL)
    await process.wait()
