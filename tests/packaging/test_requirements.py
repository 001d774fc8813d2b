"""The pinned requirements: complete, hashed, and without the address of an index."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
FOLDERS = {
    name: ROOT / "benchmarks" / name.replace("-", "_")
    for name in ("gateway-peers", "limiter-peers", "window-peers")
}
"""Where the requirements of a group stand that only a benchmark installs, as `requirements.txt`."""

FILES = ("build", "dev", "lock", "runtime", *FOLDERS)
PIN = re.compile(
    r"(?P<name>[a-z0-9-]+)==(?P<version>\S+)(?: ; [^\\]+?)?(?: --hash=sha256:[0-9a-f]{64})+"
)


def requirements_file(name: str) -> Path:
    """The file of a group."""
    folder = FOLDERS.get(name)
    return ROOT / "requirements" / f"{name}.txt" if folder is None else folder / "requirements.txt"


def pins(name: str) -> dict[str, str]:
    """Version by package. Every line has to be a pin with hashes."""
    text = requirements_file(name).read_text("utf-8")
    lines = re.sub(r"^ *#.*\n", "", text, flags=re.MULTILINE).replace(" \\\n   ", "").splitlines()
    found: dict[str, str] = {}
    for line in lines:
        pin = PIN.fullmatch(line)
        assert pin, f"{name}.txt: {line[:80]}"
        found[pin["name"]] = pin["version"]
    return found


def named(requirements: list[Any]) -> set[str]:
    """The packages that requirements name; groups that they include are left out."""
    words = (word for word in requirements if isinstance(word, str))
    return {re.split(r"[^A-Za-z0-9-]", word)[0] for word in words}


@pytest.mark.parametrize("name", FILES)
def test_every_line_is_a_pin_with_hashes(name: str) -> None:
    assert pins(name)


@pytest.mark.parametrize("name", FILES)
def test_the_first_lines_name_the_command_that_wrote_it(name: str) -> None:
    head = requirements_file(name).read_text("utf-8").splitlines()[:2]
    assert head[1] == "#    make lock"


def test_everything_that_the_project_names_is_pinned() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    assert named(project["project"]["dependencies"]) <= pins("runtime").keys()
    for group, requirements in project["dependency-groups"].items():
        assert named(requirements) <= pins(group).keys()
    assert named(project["build-system"]["requires"]) <= pins("build").keys()


def test_developers_use_the_versions_that_users_get() -> None:
    dev = pins("dev")
    assert pins("runtime").items() <= dev.items()
    assert pins("build").items() <= dev.items()
