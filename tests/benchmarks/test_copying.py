"""Copies of a tree: new ids for each copy, the same ones throughout a copy."""

import json
from pathlib import Path
from typing import Any

import pytest

from benchmarks.copying import ID, Renaming
from benchmarks.growth import append_lines
from benchmarks.measurement import measure
from benchmarks.transcripts import build_tree, main

SESSION = "11111111-2222-4333-8444-555555555555"
AGENT = "a0123456789abcdef"
IDS = ("msg_01abcdefghijklmnopqrstuv", "req_01abcdefghijklmnopqrstuv", "toolu_01abcdefghijklmnop")


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "source" / "-home-sam"
    line: dict[str, Any] = {
        "sessionId": SESSION,
        "uuid": "99999999-2222-4333-8444-555555555555",
        "type": "assistant",
        "requestId": IDS[1],
        "message": {
            "id": IDS[0],
            "model": "claude-opus-5-5",
            "content": [{"type": "tool_use", "id": IDS[2], "name": "Read", "input": {}}],
            "usage": {"input_tokens": 3, "output_tokens": 5},
        },
        "timestamp": "2026-11-01T10:00:00.000Z",
    }
    write(folder / f"{SESSION}.jsonl", line)
    agent_line = {**line, "agentId": AGENT, "isSidechain": True}
    write(folder / SESSION / "subagents" / f"agent-{AGENT}.jsonl", agent_line)
    return folder.parent


def write(path: Path, line: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(line, separators=(",", ":")))


def lines(root: Path) -> dict[Path, dict[str, Any]]:
    return {path: json.loads(path.read_bytes()) for path in sorted(root.rglob("*.jsonl"))}


def test_each_copy_has_ids_of_its_own(tmp_path: Path, source: Path) -> None:
    size = sum(path.stat().st_size for path in source.rglob("*.jsonl"))
    tree = build_tree(tmp_path / "tree", 3 * size / 1e6, 1, source)
    found = lines(tree)

    assert len(found) == 6
    assert len({line["message"]["id"] for line in found.values()}) == 3
    assert len({line["sessionId"] for line in found.values()}) == 3
    text = "".join(map(str, found)) + json.dumps(list(found.values()))
    assert not [old for old in (*IDS, SESSION, AGENT) if old in text]


def test_an_id_is_the_same_in_every_file_of_a_copy_and_in_file_names(
    tmp_path: Path, source: Path
) -> None:
    tree = build_tree(tmp_path / "tree", 0.0005, 1, source)
    (agent_path, agent), (main_path, session) = sorted(
        lines(tree).items(), key=lambda item: "agentId" not in item[1]
    )

    assert main_path.stem == session["sessionId"] == agent["sessionId"]
    assert agent_path.parts[-3:] == (main_path.stem, "subagents", f"agent-{agent['agentId']}.jsonl")
    assert agent["message"] == session["message"]


def test_everything_but_the_ids_is_kept_to_the_byte(tmp_path: Path, source: Path) -> None:
    tree = build_tree(tmp_path / "tree", 0.0001, 1, source)
    (path,) = lines(tree)
    data = path.read_bytes()
    originals = [original.read_bytes() for original in source.rglob("*.jsonl")]

    assert ID.sub(b"#", data) in [ID.sub(b"#", original) for original in originals]
    assert len(data) in map(len, originals)


def test_new_ids_have_the_length_and_form_of_the_old() -> None:
    renaming = Renaming(b"seed")
    for old in (*IDS, SESSION, AGENT):
        new = renaming.new(old.encode()).decode()
        assert len(new) == len(old)
        assert new != old
        assert [part for part in new if part in "-_"] == [part for part in old if part in "-_"]
        assert new.partition("_")[0] == old.partition("_")[0] or "_" not in old


def test_a_source_without_transcripts_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="no transcripts"):
        build_tree(tmp_path / "tree", 1, 1, tmp_path)


def test_appended_lines_belong_to_the_session_and_are_new_each_time(
    tmp_path: Path, source: Path
) -> None:
    path = source / "-home-sam" / f"{SESSION}.jsonl"
    added = append_lines(path, 50_000, seed=1) + append_lines(path, 50_000, seed=2)
    found = [json.loads(line) for line in path.read_text().splitlines()]

    assert 100_000 <= added < 400_000
    assert {line["sessionId"] for line in found if "sessionId" in line} == {SESSION}
    uuids = [line["uuid"] for line in found if "uuid" in line]
    assert len(uuids) == len(set(uuids))


def test_the_statistics_are_printed(source: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--stats", str(source)]) == 0
    assert "sightings_per_message" in capsys.readouterr().out
    assert measure(source)["messages"] == 1
