"""The command `token-tracking`."""

import gc
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from io import TextIOWrapper
from pathlib import Path
from typing import NoReturn

from token_tracking.errors import TokenTrackingError
from token_tracking_server.cli import commands
from token_tracking_server.cli.parser import build_parser, settings_of

_INTERRUPTED = 130


def run() -> NoReturn:
    """Run a command and end the process, without taking the interpreter down piece by piece:
    that takes a tenth of a warm report's time."""
    status = main()
    for stream in (sys.stdout, sys.stderr):
        if stream:  # a stream that was closed before we began is None
            with suppress(OSError, ValueError):
                stream.flush()
    os._exit(status)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; its exit status: 0, 1 for an error with advice, 2 for unknown words."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")  # what the encoding lacks is no reason to fail
    # Commands are short: collecting cycles while modules load costs a tenth of their time.
    gc.disable()
    options = build_parser().parse_args(arguments)
    if options.run in (commands.dashboard, commands.gateway):
        gc.enable()  # these are not
    if options.run is not commands.serve:
        _replace_closed_streams()
    try:
        status: int = options.run(options, settings_of(options))
        if sys.stdout:
            sys.stdout.flush()
    except TokenTrackingError as error:
        print(f"token-tracking: {error}", file=sys.stderr)  # noqa: T201 (the command's output)
        return 1
    except KeyboardInterrupt:
        return _INTERRUPTED
    except BrokenPipeError:
        # Whoever read our output has seen enough. Python would complain again at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        if sys.stderr:
            print(f"token-tracking: cannot write: {error}.", file=sys.stderr)  # noqa: T201
        return 1
    return status


def _replace_closed_streams() -> None:
    """Whoever closed our output wants none."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open("w", encoding="utf-8"))  # noqa: SIM115
