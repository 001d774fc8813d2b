"""The command that replays sessions: its figures, its page, its trees and its peers."""

import json
import subprocess
import sys
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest

from benchmarks import window
from benchmarks.window_peers.environment import PeersMissingError
from benchmarks.window_replay import peers as replay_peers
from benchmarks.window_replay.peers import Time, peers
from benchmarks.window_replay.reuse import build_reuse_tree
from benchmarks.window_replay.reuse_sources import EDITS, READS
from benchmarks.window_replay.scale import conversation, scale_page, timed
from benchmarks.window_replay.subjects import Setting, Start, SubjectGaveUpError
from benchmarks.window_replay.table import page
from benchmarks.window_sessions import read_sessions
from token_tracking.window.laws import validate

REPOSITORY = Path(__file__).parents[2]
KEYS = {
    "tokens",
    "cost_5m",
    "cost_1h",
    "worst_session",
    "refused",
    "laws_broken",
    "prepare_ms_p50",
}
FAKE = """
import json, sys, threading
for line in sys.stdin:
    request = json.loads(line)
    if request["op"] == "open":
        peer, held, answer = request["peer"], 0, {"settings": "", "versions": {}, "error": None}
    else:
        held = request["keep"] + len(request["add"])
        if peer.endswith("fraction") and held > 6:
            threading.Event().wait()
        first = held // 2 if peer == "langchain_trim" else 0
        answer = {"messages": [{"ref": n} for n in range(first, held)], "ms": 2.0}
        answer |= {"extra": None, "note": None, "error": None}
        if peer == "langchain_clear":
            answer = {"messages": None, "error": "TypeError: no len()"}
        if peer == "langchain_summary":
            answer["extra"] = {"prompt_tokens": 1000, "output_tokens": 100}
    print(json.dumps(answer), flush=True)
"""


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A session that comes back to what it read."""
    return build_reuse_tree(tmp_path_factory.mktemp("reuse"), 1)


@pytest.fixture
def fake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Peers that do something simple, or give up."""
    program = tmp_path / "fake.py"
    program.write_text(FAKE)

    def started(cache: Path) -> replay_peers.PeerProcess:
        return replay_peers.PeerProcess([sys.executable, str(program)])

    monkeypatch.setattr(replay_peers.PeerProcess, "installed_in", started)


def test_the_figures_are_those_that_are_promised(tree: Path) -> None:
    found = window.measure(tree, ["default", "clear_every_request"], min_tokens=50_000)

    assert set(found) == {"sessions", "requests", "policies"}
    assert list(found["policies"]) == ["none", "default", "clear_every_request"]
    none, default, clear = found["policies"].values()
    assert all(set(each) >= KEYS for each in (none, default, clear))
    assert {none[key] for key in ("tokens", "cost_5m", "cost_1h", "worst_session")} == {1.0}
    assert (none["refused"], none["laws_broken"], none["gave_up"]) == (0.0, 0, 0)
    assert none["simulated_by_billed"] == pytest.approx(1, abs=0.1)
    assert none["recognisable_results"] > 0.5
    assert default["laws_broken"] == 0
    assert default["tokens"] < 1
    assert default["used_again_5m"] > 0
    assert json.loads(json.dumps(found)) == found


def test_sessions_under_the_limit_are_left_out(tree: Path) -> None:
    found = window.measure(tree, ["default"], min_tokens=10_000_000)

    assert (found["sessions"], found["requests"]) == (0, 0)
    assert found["policies"]["default"]["cost_5m"] is None
    assert "0 sessions" in page(found)


@pytest.mark.usefixtures("fake")
def test_what_peers_do_is_billed_and_said(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def hurried(cache: Path, names: tuple[str, ...]) -> AbstractContextManager[dict[str, Start]]:
        return peers(cache, names, {"langchain": (0.3, 60.0)})

    monkeypatch.setattr(window, "peers", hurried)
    names = [name for name in replay_peers.NAMES if name.startswith("langchain")]

    found = window.measure(tree, names, min_tokens=50_000)

    trim, clear, summary, fraction = (found["policies"][name] for name in names)
    assert trim["laws_broken"] > 0
    assert trim["prepare_ms_p50"] == 2.0
    assert clear["errors"] == found["requests"]
    assert "raised TypeError" in clear["note"]
    assert summary["cost_5m"] > summary["tokens"] > 1
    assert fraction["gave_up"] == found["sessions"]
    assert fraction["cost_5m"] == 1.0
    assert "gave up in 1 of 1" in fraction["note"]
    assert max(map(len, page(found).splitlines())) <= 80


@pytest.mark.usefixtures("fake")
async def test_a_peer_whose_time_is_spent_is_not_even_opened(tmp_path: Path) -> None:
    with peers(tmp_path, ("langchain_trim",), {"langchain": (1.0, 0.0)}) as starts:
        subject = starts["langchain_trim"](Setting("claude-opus-4-6", 200_000, 10, "5m"))
        with pytest.raises(SubjectGaveUpError, match="time was spent"):
            await subject.prepare([{"role": "user", "content": "hi"}], 0, 0)


def test_time_is_for_a_session_and_for_all() -> None:
    left = Time(5.0, 8.0)

    assert left.for_session("a") == 5.0
    left.spend("a", 4.0)
    assert (left.for_session("a"), left.for_session("b")) == (1.0, 4.0)


def test_peers_that_cannot_be_installed_are_reported_as_missing(
    tree: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def failing(cache: Path, names: Any) -> Any:
        raise PeersMissingError("no network\n")

    monkeypatch.setattr(window, "peers", failing)
    arguments = ["--claude-dir", str(tree), "--min-tokens", "999999"]

    code = window.main([*arguments, "--policies", "default,litellm_trim"])

    assert code == 0
    assert "litellm_trim: missing: no network." in capsys.readouterr().out


def test_the_command_works_as_a_file_and_names_unknown_policies(tree: Path) -> None:
    program = [sys.executable, "benchmarks/window.py", "--claude-dir", str(tree), "--json"]
    done = subprocess.run(
        [*program, "--min-tokens", "9999999", "--policies", "default", "--no-peers"],
        cwd=REPOSITORY,
        capture_output=True,
        check=True,
    )

    assert json.loads(done.stdout)["sessions"] == 0
    with pytest.raises(SystemExit):
        window.main(["--policies", "nothing_known"])


def test_a_reuse_tree_is_valid_and_the_same_each_time(tree: Path, tmp_path: Path) -> None:
    again = build_reuse_tree(tmp_path, 1)

    files = [sorted(each.rglob("*.jsonl")) for each in (tree, again)]
    assert [each.read_bytes() for each in files[0]] == [each.read_bytes() for each in files[1]]
    for session in read_sessions(tree):
        (talk,) = session.conversations
        messages = [message for request in talk.requests for message in request.add]
        assert validate(messages) is None
        assert session.skipped == {}


def test_the_distances_of_reuse_are_those_that_were_measured() -> None:
    def beyond(rounds: int) -> list[int]:
        return [
            sum(count for first, _, count in table if first > rounds) for table in (EDITS, READS)
        ]

    assert beyond(0) == [396, 207]
    assert [beyond(rounds) for rounds in (2, 4, 6, 8, 12, 20, 30)] == [
        [104, 112],
        [82, 97],
        [73, 86],
        [63, 82],
        [43, 63],
        [32, 40],
        [18, 27],
    ]


async def test_scale_times_conversations_of_the_size_that_it_says() -> None:
    found = await timed(20_000)

    assert 14_000 < found["tokens"] < 30_000
    assert validate([{"role": "user", "content": "Go."}, *conversation(20_000)]) is None
    missing = {"seconds": None, "note": "x"}
    shown = scale_page({"sizes": [{**found, "held_mb": 1.5}], "litellm": missing})
    assert max(map(len, shown.splitlines())) <= 90
