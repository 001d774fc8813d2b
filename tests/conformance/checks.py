"""What the suite wrote down about each check."""

import re
from collections.abc import Generator
from pathlib import Path
from typing import NamedTuple

from msgspec import Struct, json

_FOLDER = re.compile(r"server-(.+)-\d{4}-\d\d-\d\dT[\d-]+Z")
"""A folder of results: `server-`, the scenario and the time."""


class Check(NamedTuple):
    """One check of a scenario. `status` is SUCCESS, FAILURE, WARNING, SKIPPED or INFO."""

    scenario: str
    name: str
    status: str
    message: str

    def __str__(self) -> str:
        return f"  {self.status} {self.scenario}:{self.name} {self.message}"


class _Written(Struct, rename="camel"):
    id: str
    status: str
    error_message: str = ""


def read_checks(folder: Path) -> list[Check]:
    """Every check under a folder of results."""
    return list(_checks(folder))


def _checks(folder: Path) -> Generator[Check]:
    for path in sorted(folder.glob("*/checks.json")):
        found = _FOLDER.fullmatch(path.parent.name)
        assert found, path
        for each in json.decode(path.read_bytes(), type=list[_Written]):
            yield Check(found[1], each.id, each.status, each.error_message)
