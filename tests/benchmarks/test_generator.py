"""Generated transcripts: the same for a seed, and with everything that real ones hold."""

import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from benchmarks.generator import Session, Shape, fork_session, generate_session
from benchmarks.generator.filler import Filler, iso
from benchmarks.generator.profiles import CURRENT, EARLIER, Profile, Size
from benchmarks.measurement import kind, measure
from benchmarks.sample import SAMPLE, write_sample
from benchmarks.transcripts import build_tree

START = 1_788_000_000_000
MEGABYTES = 25


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_tree(tmp_path_factory.mktemp("tree"), MEGABYTES, seed=6, source=None)


@pytest.fixture(scope="module")
def statistics(tree: Path) -> dict[str, Any]:
    return measure(tree)


def session_of(profile: Profile, seed: int = 1, messages: int = 60) -> Session:
    rng = random.Random(seed)
    return generate_session(rng, Filler(rng), Shape(profile, START, messages=messages))


def contents(root: Path) -> dict[str, bytes]:
    return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*.jsonl")}


def messages_of(session: Session) -> dict[str, list[dict[str, Any]]]:
    found = dict[str, list[dict[str, Any]]]()
    for line in session.lines:
        if line["type"] == "assistant":
            message: Any = line["message"]
            found.setdefault(message["id"], []).append(message)
    return found


def test_a_seed_always_writes_the_same_bytes(tmp_path: Path) -> None:
    trees = [build_tree(tmp_path / name, 1, 5, None) for name in ("one", "two")]
    other = build_tree(tmp_path / "other", 1, 6, None)

    assert contents(trees[0]) == contents(trees[1])
    assert contents(trees[0]) != contents(other)


def test_a_tree_has_about_the_size_asked_for(statistics: dict[str, Any]) -> None:
    assert MEGABYTES <= statistics["megabytes"] < 2 * MEGABYTES


@pytest.mark.parametrize(
    "name",
    [
        "user: text",
        "user: tool_result",
        "assistant: text",
        "assistant: thinking",
        "assistant: tool_use",
        "progress: bash_progress",
        "progress: hook_progress",
        "progress: agent_progress",
        "attachment",
        "file-history-snapshot",
        "queue-operation",
        "summary",
        "permission-mode",
        "cost-state",
        "system: turn_duration",
        "system: stop_hook_summary",
        "system: compact_boundary",
    ],
)
def test_every_kind_of_line_is_there(statistics: dict[str, Any], name: str) -> None:
    assert statistics["lines_by_kind"][name]["per_message"] > 0


@pytest.mark.parametrize(
    ("name", "low", "high"),
    [
        ("sightings_per_message", 1.6, 2.4),
        ("partial_percent", 30, 95),
        ("ids_in_several_sessions_percent", 10, 50),
        ("messages_in_progress_lines_percent", 2, 45),
        ("output_lost_by_keeping_first_percent", 5, 60),
        ("files_without_final_newline_percent", 15, 75),
        ("lines_per_message", 3, 10),
        ("bytes_per_line", 1_500, 4_500),
        ("tool_uses_per_message", 0.9, 1.5),
        ("prompt_growth_median_tokens", 300, 900),
    ],
)
def test_the_statistics_stay_near_the_measured_ones(
    statistics: dict[str, Any], name: str, low: float, high: float
) -> None:
    assert low <= statistics[name] <= high


def test_each_line_names_a_parent_that_was_written_before() -> None:
    for profile in (EARLIER, CURRENT):
        known = set[object]()
        for line in session_of(profile).lines:
            if "uuid" in line:
                assert line["parentUuid"] is None or line["parentUuid"] in known
                known.add(line["uuid"])


def test_every_tool_result_answers_a_tool_use() -> None:
    session = session_of(CURRENT)
    uses, results = set[str](), list[str]()
    for line in session.lines:
        message: Any = line.get("message")
        if kind(line) == "assistant: tool_use":
            uses |= {block["id"] for block in message["content"]}
        elif kind(line) == "user: tool_result":
            results += [block["tool_use_id"] for block in message["content"]]

    assert len(results) == len(set(results))
    assert set(results) == uses


def test_sightings_of_a_message_differ_in_output_only_and_the_last_is_the_maximum() -> None:
    rising = 0
    for sightings in messages_of(session_of(EARLIER, messages=150)).values():
        usages = [sighting["usage"] for sighting in sightings]
        outputs = [usage["output_tokens"] for usage in usages]
        rest = [{**usage, "output_tokens": None} for usage in usages]
        rising += outputs[0] < outputs[-1]
        assert outputs[-1] == max(outputs)
        assert all(usage == rest[0] for usage in rest)
    assert rising


def test_a_cached_prompt_is_read_by_the_next_request() -> None:
    usages = [sightings[-1]["usage"] for sightings in messages_of(session_of(CURRENT)).values()]
    before = [
        usage["cache_read_input_tokens"] + usage["cache_creation_input_tokens"] for usage in usages
    ]
    same = sum(
        usage["cache_read_input_tokens"] == cached
        for usage, cached in zip(usages[1:], before, strict=False)
    )

    assert same > 0.8 * len(usages)


def test_both_lifetimes_of_cache_writes_appear_and_sum_to_the_whole() -> None:
    seen = set[str]()
    for seed in range(6):
        for sightings in messages_of(session_of(CURRENT, seed, messages=3)).values():
            usage = sightings[0]["usage"]
            seen |= {name for name, tokens in usage["cache_creation"].items() if tokens}
            total = sum(usage["cache_creation"].values())
            assert total == usage["cache_creation_input_tokens"]

    assert seen == {"ephemeral_5m_input_tokens", "ephemeral_1h_input_tokens"}


def test_a_fork_repeats_its_parent_under_its_own_session_folder_and_branch() -> None:
    rng = random.Random(2)
    filler = Filler(rng)
    shape = Shape(EARLIER, START, messages=20)
    parent = generate_session(rng, filler, shape)
    own = replace(shape, start=START + 3_600_000, cwd="/home/sam/else", branch="fix", messages=4)
    fork = fork_session(rng, filler, parent, own)
    originals = {line["uuid"]: line for line in parent.lines if "uuid" in line}
    copied = [line for line in fork.lines if line.get("uuid") in originals]

    assert copied
    assert fork.session_id != parent.session_id
    renamed = {"sessionId": fork.session_id, "cwd": "/home/sam/else", "gitBranch": "fix"}
    assert copied == [{**originals[line["uuid"]], **renamed} for line in copied]
    assert set(messages_of(fork)) - set(messages_of(parent))
    loose = [line for line in fork.lines if "uuid" not in line and "timestamp" in line]
    assert min(str(line["timestamp"]) for line in loose) >= iso(START + 3_600_000)


def test_later_versions_write_subagents_to_files_and_earlier_ones_to_progress_lines() -> None:
    def run(profile: Profile, tool: str) -> Session:
        rng = random.Random(4)
        short = replace(profile, agent_requests=Size(3, 3.1, 4))
        shape = Shape(short, START, messages=4, first_tools=(tool,))
        return generate_session(rng, Filler(rng), shape)

    later, earlier = run(CURRENT, "Agent"), run(EARLIER, "Task")

    agent_lines = [line for lines in later.agents.values() for line in lines]
    assert agent_lines
    assert all(line["isSidechain"] for line in agent_lines)
    assert {line["sessionId"] for line in agent_lines} == {later.session_id}
    assert not earlier.agents
    assert "progress: agent_progress" in map(kind, earlier.lines)


def test_the_cost_state_stands_last_and_covers_what_the_lines_bill() -> None:
    session = session_of(replace(CURRENT, models={"claude-opus-5-5": 1}))
    state: Any = session.lines[-1]
    listed = messages_of(session).values()
    read = sum(sightings[-1]["usage"]["cache_read_input_tokens"] for sightings in listed)

    assert state["type"] == "cost-state"
    assert state["modelUsage"]["claude-opus-5-5"]["cacheReadInputTokens"] >= read
    assert state["totalCostUSD"] > 0


def test_the_sample_is_what_its_command_writes(tmp_path: Path) -> None:
    write_sample(tmp_path)

    assert contents(tmp_path) == contents(SAMPLE)


def test_the_sample_is_small_and_shows_a_fork_a_subagent_a_skill_and_an_mcp_tool() -> None:
    found = measure(SAMPLE)
    text = b"".join(contents(SAMPLE).values()).decode()

    assert found["megabytes"] <= 0.15
    assert found["subagent_files"] == 1
    assert found["ids_in_several_sessions_percent"] > 0
    for name in ("mcp__github__list_issues", "Skill", "Read", "Bash", "Edit"):
        assert f'"name":"{name}"' in text
    for model in ("claude-opus-5-5", "claude-sonnet-5-5", "claude-haiku-5-5"):
        assert f'"model":"{model}"' in text
