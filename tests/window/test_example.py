"""The example agent, on a folder of real files, against a local server."""

import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from tests.upstream.app import Upstream
from tests.upstream.serve import upstream
from token_tracking.window.laws import validate

__all__ = ["upstream"]

EXAMPLES = Path(__file__).parents[2] / "examples"
MODULES = ("agent", "folder", "local")
RUN = re.compile(r"(\w+) +(\d+) requests +([\d,]+) prompt tokens +\$([\d.]+)")


@pytest.fixture
def local(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The module as its script finds it; the names are free again afterwards."""
    import sys

    monkeypatch.syspath_prepend(EXAMPLES)
    yield import_module("local")
    for name in MODULES:
        sys.modules.pop(name, None)


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """Fifteen texts of about 20 kB, in which words recur."""
    root = tmp_path / "files"
    root.mkdir()
    for number in range(15):
        lines = [
            f"After {number + line} steps it is always the other side, because each waits."
            for line in range(300 + 10 * number)
        ]
        (root / f"note{number:02}.txt").write_text("\n".join(lines), "utf-8")
    return root


async def test_the_agent_is_billed_less_with_a_window(
    local: Any, upstream: Upstream, files: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    await local.run(upstream, local.Folder(files), tmp_path / "agent.db")
    printed = capsys.readouterr().out
    without, with_window = (match.groups() for match in RUN.finditer(printed))
    assert [without[0], with_window[0]] == ["without", "with"]
    assert int(without[1]) == int(with_window[1]) > 25
    assert tokens(with_window) < 0.7 * tokens(without)
    assert float(with_window[3]) < 0.9 * float(without[3])
    assert re.search(r"^saved +\d+% prompt tokens  \d+%$", printed, re.MULTILINE)
    # What is printed of the ledger is what the server billed.
    billed = [request.billed[-1].prompt for request in upstream.requests]
    half = len(billed) // 2
    assert [sum(billed[:half]), sum(billed[half:])] == [tokens(without), tokens(with_window)]


async def test_nothing_that_the_agent_sends_is_refused(
    local: Any, upstream: Upstream, files: Path, tmp_path: Path
) -> None:
    await local.run(upstream, local.Folder(files), tmp_path / "agent.db")
    assert {request.status for request in upstream.requests} == {200}
    assert [validate(request.messages) for request in upstream.requests] == [None] * 82
    last = str(upstream.requests[-1].messages)
    assert "cleared to save context" in last
    assert "fetch_content handle=c-" in last


def tokens(run: Any) -> int:
    return int(run[2].replace(",", ""))


async def test_what_was_cleared_can_be_fetched_by_the_agent(local: Any, files: Path) -> None:
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
async def test_a_call_that_cannot_be_run_is_told_to_the_model(
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
