"""docs/window.md: its examples run, and nothing public is missing from it."""

import ast
import asyncio
import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from types import CodeType
from typing import Any

import pytest
from anthropic import AsyncAnthropic

import token_tracking
from tests.upstream.app import Upstream
from tests.upstream.received import Received
from tests.upstream.scripts import Answer, ToolUse, Turn
from tests.upstream.serve import upstream
from tests.upstream.values import blocks
from token_tracking import window
from token_tracking.window.budget import DEFAULT_MAX_OUTPUT, UNKNOWN_WINDOW, Budget
from token_tracking.window.economics import GUARD, MARGIN
from token_tracking.window.policies import cap, clear, emergency, reset, sliding, summarize
from token_tracking.window.policies import tool_call_limit as limit
from token_tracking.window.remaining import FIRST, UsualRemaining

__all__ = ["upstream"]

ROOT = Path(__file__).parents[2]
DOC = (ROOT / "docs" / "window.md").read_text("utf-8")
README = (ROOT / "README.md").read_text("utf-8")
MODEL = "claude-opus-4-8"
PYTHON = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
BLOCKS = PYTHON.findall(DOC)
LOOK = {"name": "look", "description": "Looks.", "input_schema": {"type": "object"}}


@pytest.fixture(autouse=True)
def place(upstream: Upstream, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A reader's machine: the local server is the API, and files go into an empty folder."""
    monkeypatch.setenv("ANTHROPIC_BASE_URL", upstream.base_url)
    monkeypatch.setenv("ANTHROPIC_API_KEY", "none")
    monkeypatch.chdir(tmp_path)
    upstream.script(looks_once)


def looks_once(received: Received) -> Turn:
    """A tool is called where there is one, and its result answered."""
    last = blocks(received.messages[-1]["content"])
    answered = any(block["type"] == "tool_result" for block in last)
    if answered or not received.json.get("tools"):
        return "A prefix that need not be read again."
    return Answer("", (ToolUse("look"), ToolUse("fetch_content", {"handle": "c-0123456789ab"})))


def compiled(block: str) -> CodeType:
    return compile(block, "docs/window.md", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)


def run(call: Any) -> str:
    return f"{call.name} sees nothing."


@pytest.fixture
def readers() -> Iterator[dict[str, Any]]:
    """What the document says is the reader's."""
    with asyncio.Runner() as runner:
        client = AsyncAnthropic()
        yield {
            "runner": runner,
            "client": client,
            "model": MODEL,
            "messages": [{"role": "user", "content": "What is in this folder?"}],
            "system": "Look before you answer.",
            "tools": [LOOK],
            "run": run,
            "budget": Budget(max_output_tokens=8_000),
            "my_model": str.strip,
            "ContextWindow": window.ContextWindow,
        }
        runner.run(client.close())


def test_the_first_example_runs_as_it_stands(
    upstream: Upstream, capsys: pytest.CaptureFixture[str]
) -> None:
    exec(compiled(BLOCKS[0]), {})
    printed = capsys.readouterr().out.splitlines()
    assert len(printed) == 2
    assert all(re.fullmatch(r"A prefix .* \d+ 0\.0\d+", line) for line in printed)
    assert [request.status for request in upstream.requests] == [200, 200]


def test_the_first_example_has_ten_lines_to_itself() -> None:
    (function,) = (
        each for each in ast.parse(BLOCKS[0]).body if isinstance(each, ast.AsyncFunctionDef)
    )
    assert (function.end_lineno or 0) - function.body[0].lineno + 1 == 10


def test_every_other_example_runs_after_those_before_it(
    upstream: Upstream, readers: dict[str, Any]
) -> None:
    assert len(BLOCKS) > 10
    runner: asyncio.Runner = readers["runner"]
    for block in BLOCKS[1:]:
        code = compiled(block)
        made = eval(code, readers)
        if inspect.iscoroutine(made):
            runner.run(made)
    assert {request.status for request in upstream.requests} == {200}
    assert readers["broken"] is None
    assert [call.name for call in readers["allowed"]] == ["look", "fetch_content"]


def test_the_example_of_the_readme_runs(upstream: Upstream, readers: dict[str, Any]) -> None:
    (block,) = (each for each in PYTHON.findall(README) if "ContextWindow" in each)
    readers["runner"].run(eval(compiled(block), readers))
    assert [request.status for request in upstream.requests] == [200]


def test_the_window_is_a_name_of_the_package() -> None:
    assert token_tracking.ContextWindow is window.ContextWindow


def test_fetched_texts_and_tools_stand_in_the_conversation(readers: dict[str, Any]) -> None:
    fetching = next(block for block in BLOCKS if "fetch_call" in block)
    preface = "from token_tracking.window import ClearToolResults, Emergency\n"
    readers["runner"].run(eval(compiled(preface + fetching), readers))
    texts = [block["content"] for block in readers["messages"][2]["content"]]
    assert texts[0] == "look sees nothing."
    assert texts[1].startswith("c-0123456789ab is not kept any more.")


@pytest.mark.parametrize("name", window.__all__)
def test_a_public_name_stands_in_the_document(name: str) -> None:
    assert re.search(rf"\b{name}\b", DOC), f"docs/window.md says nothing of {name}"


@pytest.mark.parametrize("kind", [window.Budget, window.Prepared, window.Costs, window.Tokens])
def test_a_field_stands_in_the_document(kind: Any) -> None:
    later = {"remaining_requests", "cache", "basis"}
    fields = set(kind.__struct_fields__) - later
    assert {name for name in fields if not re.search(rf"\b{name}\b", DOC)} == set()


@pytest.mark.parametrize(
    "said",
    [
        f"at least {MARGIN} times what it costs",
        f"at most {GUARD} times what it",
        f"({FIRST:.0f}, and a quarter of the requests that were made)",
        f"The last {clear.KEEP} rounds",
        f"into {cap.MAX_TOKENS:,} tokens",
        f"beyond {limit.PER_TURN} a turn",
        f"down to {sliding.TO} (`to`)",
        f"the newest {summarize.KEEP_TURNS} (`keep_turns`)",
        f"past {reset.THRESHOLD} (`threshold`)",
        f"down to {emergency.AIM} (`aim`)",
        f"by default {DEFAULT_MAX_OUTPUT:,}, or",
        f"otherwise {UNKNOWN_WINDOW:,} is taken",
        f"| {Budget.small().max_context_tokens:,} | the whole prompt",
    ],
)
def test_a_number_in_the_document_is_that_of_the_code(said: str) -> None:
    assert said in re.sub(r"\n", " ", DOC)


def test_the_default_policy_is_as_documented() -> None:
    names = [type(policy).__name__ for policy in window.default_policy()]
    assert names == ["ClearToolResults", "Emergency"]
    assert UsualRemaining().expected(40) - UsualRemaining().expected(0) == 10
