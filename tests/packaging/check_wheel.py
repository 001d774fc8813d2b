"""The built wheel, installed into an empty environment: what it brings, and that it runs.

python tests/packaging/check_wheel.py WHEEL
"""
# ruff: noqa: T201  (a check prints)

import json
import os
import subprocess
import sys
import tempfile
import venv
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = {
    "token_tracking": "token_tracking",
    "server/token_tracking_server": "token_tracking_server",
}
NEEDED = (
    "token_tracking/py.typed",
    "token_tracking/pricing/overlay.toml",
    "token_tracking/pricing/snapshot.json",
    "token_tracking/store/migrations/",
    "token_tracking/store/queries/",
    "token_tracking_server/py.typed",
    "token_tracking_server/content/library/guides/",
    "token_tracking_server/content/library/skills/token-review/SKILL.md",
    "token_tracking_server/sample/projects/",
)


def check_contents(wheel: Path) -> None:
    """Two packages and their metadata; each file that git has in them; nothing else."""
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    top = {name.partition("/")[0] for name in names}
    metadata = {name for name in top if name.endswith(".dist-info")}
    assert len(metadata) == 1, top
    assert top - metadata == set(PACKAGES.values()), f"top-level names: {sorted(top)}"
    for needed in NEEDED:
        assert any(name.startswith(needed) for name in names), f"{needed} is not in the wheel"
    missing = committed_files() - names
    assert not missing, f"not in the wheel: {sorted(missing)}"
    print(f"{wheel.name}: {len(names)} files under {', '.join(sorted(top))}")


def committed_files() -> set[str]:
    """Where the packages' committed files stand in a wheel; none outside of git."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--", *PACKAGES],
        check=False,
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    return {
        package + name.removeprefix(folder)
        for name in filter(None, listed.stdout.split("\0"))
        for folder, package in PACKAGES.items()
        if name.startswith(f"{folder}/") and (ROOT / name).exists()
    }


class Environment:
    """An empty virtual environment, and a home folder in which nothing is."""

    def __init__(self, folder: Path) -> None:
        venv.create(folder / "venv", with_pip=True)
        self.home = folder / "home"
        self.home.mkdir()
        self.bin = folder / "venv" / "bin"
        (self.packages,) = (folder / "venv").glob("lib/python*/site-packages")

    def run(self, *words: str | Path) -> str:
        """The standard output of a command of this environment, started in the empty home."""
        done = subprocess.run(
            [self.bin / words[0], *words[1:]],
            check=False,
            cwd=self.home,
            env={"PATH": os.environ["PATH"], "HOME": str(self.home), "COLUMNS": "80"},
            stdout=subprocess.PIPE,
            text=True,
        )
        assert not done.returncode, f"{' '.join(map(str, words))}: {done.returncode}\n{done.stdout}"
        return done.stdout

    def install(self, *words: str | Path) -> set[str]:
        """Let pip install; the top-level names that are new. Pip sees this process's settings."""
        before = self.top_level()
        pip = [self.bin / "python", "-m", "pip", "install", "--quiet", *words]
        subprocess.run(pip, cwd=self.home, check=True)
        return self.top_level() - before

    def top_level(self) -> set[str]:
        """What stands in site-packages."""
        return {path.name for path in self.packages.iterdir() if path.name != "__pycache__"}


def check_installed(environment: Environment, version: str) -> None:
    """The command, on the sample that was installed with it."""
    said = environment.run("token-tracking", "--version").strip()
    assert said == f"token-tracking {version}", said
    where = environment.run(
        *("python", "-c", "import token_tracking, token_tracking_server as s; print(s.__file__)")
    ).strip()
    assert Path(where).is_relative_to(environment.packages), where
    sample = environment.packages / "token_tracking_server" / "sample"
    ledger: tuple[str | Path, ...] = (
        "--db",
        environment.home / "sample.db",
        "--claude-dir",
        sample,
    )
    ingested: dict[str, Any] = json.loads(
        environment.run("token-tracking", "ingest", *ledger, "--json")
    )
    assert ingested["messages"] > 0, ingested
    assert ingested["cost_usd"] > 0, ingested
    assert ingested["unpriced_messages"] == ingested["skipped_lines"] == 0, ingested
    report: dict[str, Any] = json.loads(
        environment.run("token-tracking", "report", *ledger, "--by", "session", "--json")
    )
    assert len(report["rows"]) == ingested["sessions"], report
    assert round(report["totals"]["cost_usd"], 6) == round(ingested["cost_usd"], 6), report
    print(environment.run("token-tracking", "report", *ledger))


def check_setup(environment: Environment) -> None:
    """The first thing that a user sees: with no transcripts, the sample; then the handshake."""
    said = environment.run("token-tracking", "setup", "--no-dashboard")
    assert str(environment.bin / "token-tracking") in said, said
    assert "A sample, not your usage" in said, said
    assert not list(environment.home.glob(".claude*")), "setup wrote into the user's Claude folder"
    print(next(line for line in said.splitlines() if " answered in " in line))


def main(arguments: Sequence[str]) -> int:
    """The command line."""
    wheel = Path(arguments[0]).resolve()
    version = wheel.name.split("-")[1]
    check_contents(wheel)
    with tempfile.TemporaryDirectory() as folder:
        environment = Environment(Path(folder))
        environment.install("--require-hashes", "-r", ROOT / "requirements" / "runtime.txt")
        new = environment.install("--no-deps", wheel)
        expected = {*PACKAGES.values(), f"token_tracking-{version}.dist-info"}
        assert new == expected, f"top-level names: {sorted(new)}"
        environment.run("python", "-m", "pip", "check")
        check_installed(environment, version)
        check_setup(environment)
    print("The wheel brings what it should, and runs.")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
