"""The example agent, on a folder of real files, against a local server."""

import asyncio
import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import redirect_stdout
from importlib import import_module
from io import StringIO
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.upstream.received import Received
from tests.upstream.serve import served
from token_tracking.window.laws import validate

EXAMPLES = Path(__file__).parents[2] / "examples"
MODULES = ("agent", "folder", "local")
RUN = re.compile(r"(\w+) +(\d+) requests +([\d,]+) prompt tokens +\$([\d.]+)")


@pytest.fixture(scope="module")
def local() -> Iterator[Any]:
    """The module as its script finds it; the names are free again afterwards."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "path", [str(EXAMPLES), *sys.path])
        yield import_module("local")
    for name in MODULES:
        sys.modules.pop(name, None)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Fifteen texts of about 20 kB, in which words recur."""
    root = tmp_path_factory.mktemp("files")
    for number in range(15):
        lines = [
            f"After {number + line} steps it is always the other side, because each waits."
            for line in range(300 + 10 * number)
        ]
        (root / f"note{number:02}.txt").write_text("\n".join(lines), "utf-8")
    return root


class Ran(NamedTuple):
    """What was printed, and what the server received."""

    printed: str
    requests: list[Received]


@pytest.fixture(scope="module")
def ran(local: Any, files: Path, tmp_path_factory: pytest.TempPathFactory) -> Ran:
    """Both runs of the agent."""
    database = tmp_path_factory.mktemp("ledger") / "agent.db"
    with served() as upstream, redirect_stdout(StringIO()) as printed:
        asyncio.run(local.run(upstream, local.Folder(files), database))
    return Ran(printed.getvalue(), upstream.requests)


def tokens(run: Sequence[str]) -> int:
    return int(run[2].replace(",", ""))


@pytest.mark.slow
def test_the_agent_is_billed_less_with_a_window(ran: Ran) -> None:
    without, with_window = (match.groups() for match in RUN.finditer(ran.printed))
    assert [without[0], with_window[0]] == ["without", "with"]
    assert int(without[1]) == int(with_window[1]) > 25
    assert tokens(with_window) < 0.7 * tokens(without)
    assert float(with_window[3]) < 0.9 * float(without[3])
    assert re.search(r"^saved +\d+% prompt tokens  \d+%$", ran.printed, re.MULTILINE)


@pytest.mark.slow
def test_the_ledger_says_what_the_server_billed(ran: Ran) -> None:
    billed = [request.billed[-1].prompt for request in ran.requests]
    half = len(billed) // 2
    printed = [tokens(match.groups()) for match in RUN.finditer(ran.printed)]
    assert printed == [sum(billed[:half]), sum(billed[half:])]


@pytest.mark.slow
def test_nothing_that_the_agent_sends_is_refused(ran: Ran) -> None:
    assert {request.status for request in ran.requests} == {200}
    assert {validate(request.messages) for request in ran.requests} == {None}
    last = str(ran.requests[-1].messages)
    assert "cleared to save context" in last
    assert "fetch_content handle=c-" in last


def test_what_was_cleared_can_be_fetched_by_the_agent(local: Any, files: Path) -> None:
    agent_module: Any = import_module("agent")
    agent = agent_module.Agent(None, local.Folder(files), None, with_window=True)
    handle = agent.cleared.put("a text that was cleared")
    result = agent.result_of(Call("fetch_content", handle=handle))
    assert result["content"] == "a text that was cleared"


@pytest.mark.parametrize(
    "call",
    [("read_file", {"path": "../secret"}), ("read_file", {}), ("drop_tables", {})],
    ids=["a file outside", "no path", "no such tool"],
)
def test_a_call_that_cannot_be_run_is_told_to_the_model(
    local: Any, files: Path, call: tuple[str, dict[str, str]]
) -> None:
    agent_module: Any = import_module("agent")
    agent = agent_module.Agent(None, local.Folder(files), None, with_window=False)
    name, arguments = call
    assert agent.result_of(Call(name, **arguments))["content"].startswith("Failed: ")


class Call:
    """A call as the SDK gives it."""

    def __init__(self, name: str, **arguments: str) -> None:
        self.id, self.name, self.input = "toolu_1", name, arguments
