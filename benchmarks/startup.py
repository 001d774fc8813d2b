"""From spawn to the reply to `initialize`: our server against the smallest `mcp` server.

python -m benchmarks.startup [--runs 11] [--json]
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.processes import ProcessFailedError, Run, interleaved

GOAL = 1.25
TIMEOUT_SECONDS = 30
INITIALIZE = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "initialize",
    "params": {
        "protocolVersion": "2025-06-18",
        "capabilities": {},
        "clientInfo": {"name": "benchmark", "version": "1"},
    },
}
SMALLEST = [sys.executable, str(Path(__file__).with_name("smallest_server.py"))]


def handshake(command: Sequence[str], environment: Mapping[str, str]) -> Run:
    """Start a server, wait for its reply to `initialize`, and end it.

    Raises ProcessFailedError if the server ends, or answers anything but a result.
    """
    with tempfile.TemporaryFile() as err:
        started = time.perf_counter()
        server = subprocess.Popen(
            command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=err
        )
        assert server.stdin
        assert server.stdout
        server.stdin.write(json.dumps(INITIALIZE).encode() + b"\n")
        server.stdin.flush()
        with _deadline(server):
            reply = server.stdout.readline()
        seconds = time.perf_counter() - started
        server.stdin.close()
        try:
            server.wait(TIMEOUT_SECONDS)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()
        server.stdout.close()
        if b'"result"' not in reply:
            err.seek(0)
            shown = err.read()[-2_000:].decode(errors="replace")
            raise ProcessFailedError(f"{' '.join(command)} did not answer initialize:\n{shown}")
    return Run(seconds, 0, reply)


@contextmanager
def _deadline(server: subprocess.Popen[bytes]) -> Generator[None]:
    """Kill a server that does not answer, so that the read ends."""
    timer = threading.Timer(TIMEOUT_SECONDS, server.kill)
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def compare(program: Sequence[str], runs: int) -> dict[str, Any]:
    """Time both servers in turn, after one run of each that warms the page cache."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        (home / "claude" / "projects").mkdir(parents=True)
        environment = {
            **os.environ,
            "CLAUDE_CONFIG_DIR": str(home / "claude"),
            "TOKEN_TRACKING_DB": str(home / "ledger.db"),
        }
        ours = [*program, "serve"]
        handshake(ours, environment)
        handshake(SMALLEST, environment)
        timings = interleaved(
            runs, lambda: handshake(ours, environment), lambda: handshake(SMALLEST, environment)
        )
    ratio = timings[0].median / timings[1].median
    fields = ("median", "minimum", "maximum", "runs")
    shown = [{name: timing.as_json()[name] for name in fields} for timing in timings]
    return {
        "token_tracking": shown[0],
        "smallest": shown[1],
        "ratio": ratio,
        "goal": GOAL,
        "met": ratio <= GOAL,
    }


def main(arguments: list[str] | None = None) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.startup", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--runs", type=int, default=11)
    parser.add_argument("--program", default=None, help="default: this interpreter's own")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(arguments)
    ours = [sys.executable, "-m", "token_tracking_server.cli"]
    found = compare(options.program.split() if options.program else ours, options.runs)
    if options.json:
        print(json.dumps(found, indent=1))
        return 0
    for name in ("token_tracking", "smallest"):
        row = found[name]
        spread = f"{row['minimum'] * 1e3:.0f} to {row['maximum'] * 1e3:.0f} ms"
        print(f"{name:<16}{row['median'] * 1e3:>6.0f} ms  ({spread}, {row['runs']} runs)")
    print(f"ratio {found['ratio']:.2f}, at most {GOAL}: {'met' if found['met'] else 'NOT met'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
