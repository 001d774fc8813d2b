"""The runner of the conformance suite tells a fault from what is expected."""

import json
from pathlib import Path

from mcp import Client

from tests.conformance.checks import Check, read_checks
from tests.conformance.run import Leg, page
from tests.conformance.server import add_fixtures, write_settings
from token_tracking_server.app import create_server

PASSED = Check("ping", "ping", "SUCCESS", "")
FAILED = Check("tasks-lifecycle", "created", "FAILURE", "no task")


def test_it_reads_what_the_suite_wrote(tmp_path: Path) -> None:
    folder = tmp_path / "server-tasks-lifecycle-2026-11-21T13-42-57-732Z"
    folder.mkdir()
    written = [
        {"id": "created", "status": "FAILURE", "errorMessage": "no task", "details": {"a": 1}},
        {"id": "wire", "status": "SUCCESS"},
    ]
    (folder / "checks.json").write_text(json.dumps(written))
    assert read_checks(tmp_path) == [FAILED, Check("tasks-lifecycle", "wire", "SUCCESS", "")]


def test_the_table_counts_checks_and_names_faults() -> None:
    shown = page([Leg("one", [PASSED, FAILED], None), Leg("other", [FAILED], "unexpected")])
    assert "one                                2         1         1         0         0" in shown
    assert "one: failed or warned, as expected, in tasks-lifecycle (1)" in shown
    assert "other: not as expected\nunexpected" in shown


async def test_the_fixtures_stand_beside_our_own_tools(tmp_path: Path) -> None:
    own = create_server(write_settings(tmp_path / "own"), {})
    both = add_fixtures(create_server(write_settings(tmp_path / "both"), {}))
    async with Client(own) as bare, Client(both) as mounted:
        names = [tool.name for tool in (await bare.list_tools()).tools]
        assert [tool.name for tool in (await mounted.list_tools()).tools][: len(names)] == names
