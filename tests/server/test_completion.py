"""Session ids, periods and metrics, completed."""

from pathlib import Path

import pytest
from mcp import Client, MCPError
from mcp.types import INVALID_PARAMS, PromptReference, ResourceTemplateReference

from tests.transcripts import answer, write

TEMPLATE = ResourceTemplateReference(uri="efficiency://session/{session_id}")
SNAPSHOT = ResourceTemplateReference(uri="efficiency://snapshot/{period}")
TOP = ResourceTemplateReference(uri="efficiency://top/{metric}")
SAVINGS = PromptReference(name="find_savings")
PROMPT = PromptReference(name="session_report")


def write_sessions(claude: Path, *names: str) -> None:
    for second, name in enumerate(names):
        line = answer(f"msg_{name}", uuid=name, second=second, sessionId=name)
        write(claude, [line], name)


async def test_ids_are_completed_newest_first(client: Client, claude: Path) -> None:
    write_sessions(claude, "ab-1", "ab-2", "cd-3")
    for reference in (TEMPLATE, PROMPT):
        for begun, expected in (("", ["cd-3", "ab-2", "ab-1"]), ("ab", ["ab-2", "ab-1"])):
            found = await client.complete(reference, {"name": "session_id", "value": begun})
            assert found.completion.values == expected
            assert found.completion.has_more is False


async def test_no_more_than_the_protocol_allows_are_given(client: Client, claude: Path) -> None:
    write_sessions(claude, *(f"s-{number:03d}" for number in range(101)))
    found = await client.complete(TEMPLATE, {"name": "session_id", "value": "s"})
    assert len(found.completion.values) == 100
    assert found.completion.has_more is True


async def test_other_arguments_have_no_completion(client: Client) -> None:
    found = await client.complete(PROMPT, {"name": "other", "value": ""})
    assert found.completion.values == []


@pytest.mark.parametrize(
    ("reference", "name", "begun", "expected"),
    [
        (SNAPSHOT, "period", "last_", ["last_hour", "last_day", "last_week", "last_month"]),
        (SAVINGS, "period", "to", ["today"]),
        (SNAPSHOT, "period", "al", ["all_time", "all"]),
        (SNAPSHOT, "metric", "", []),
        (PROMPT, "period", "", []),
        (ResourceTemplateReference(uri="efficiency://{period}"), "period", "", []),
        (SNAPSHOT, "period", "2026", []),
        (TOP, "metric", "", ["cost", "tokens", "efficiency", "carried"]),
        (TOP, "metric", "c", ["cost", "carried"]),
    ],
)
async def test_periods_and_metrics_are_completed(
    client: Client,
    reference: ResourceTemplateReference | PromptReference,
    name: str,
    begun: str,
    expected: list[str],
) -> None:
    found = await client.complete(reference, {"name": name, "value": begun})
    assert found.completion.values == expected


async def test_a_prompt_that_does_not_exist_is_an_error_that_names_those_that_do(
    client: Client,
) -> None:
    with pytest.raises(MCPError, match="Known: session_report, find_savings") as caught:
        await client.complete(PromptReference(name="other"), {"name": "period", "value": ""})
    assert caught.value.error.code == INVALID_PARAMS
