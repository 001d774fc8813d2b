"""The protocol that the peers of the window benchmark speak, with a tiny process for a peer."""

import hashlib
import io
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from benchmarks.window_peers import environment as peer_environment
from benchmarks.window_peers.__main__ import NetworkError, serve, stay_offline
from benchmarks.window_peers.client import (
    ExtraRequest,
    PeerFailedError,
    PeerGaveUpError,
    PeerProcess,
)
from benchmarks.window_peers.environment import PeersMissingError, environment, installed
from tests.benchmarks.peer_conversations import CALLS, RESULTS, SHORT, USER, opened

FAKE = """
import json, os, sys, threading
peer = None
for line in sys.stdin:
    request = json.loads(line)
    if request["op"] == "open":
        peer, held = request["peer"], 0
        error = "LookupError: no such peer" if peer == "unknown" else None
        answer = {"settings": " ".join(os.environ), "versions": {"fake": "1"}, "error": error}
    elif peer == "hangs":
        threading.Event().wait()
    elif peer == "dies":
        sys.exit("out of memory, it says")
    elif peer == "raises":
        answer = {"messages": None, "error": "TypeError: no len()"}
    else:
        held = request["keep"] + len(request["add"])
        messages = [{"ref": n} for n in range(held)]
        if peer == "summarises":
            messages = [{"role": "user", "content": "in short"}, *messages[-1:]]
        extra = {"prompt_tokens": 40, "output_tokens": 7} if peer == "summarises" else None
        answer = {"messages": messages, "ms": 1.5, "extra": extra, "note": None, "error": None}
    print(json.dumps(answer), flush=True)
"""


@pytest.fixture
def fake(tmp_path: Path) -> Iterator[PeerProcess]:
    """A process that speaks the protocol, and keeps everything unless its peer's name says else."""
    program = tmp_path / "fake.py"
    program.write_text(FAKE)
    with PeerProcess([sys.executable, str(program)]) as process:
        yield process


def test_a_reference_is_the_very_message_that_was_given(fake: PeerProcess) -> None:
    answer = opened(fake, "keeps").prepare(0, SHORT)
    assert answer.messages is not None
    assert [id(message) for message in answer.messages] == [id(message) for message in SHORT]
    assert (answer.origins, answer.milliseconds, answer.extra) == ([0, 1, 2], 1.5, None)


def test_a_new_message_and_an_extra_request_are_handed_on(fake: PeerProcess) -> None:
    answer = opened(fake, "summarises").prepare(0, SHORT)
    assert answer.messages == [{"role": "user", "content": "in short"}, RESULTS]
    assert answer.origins == [None, 2]
    assert answer.extra == ExtraRequest(prompt_tokens=40, output_tokens=7)


def test_the_history_goes_back_to_what_is_kept(fake: PeerProcess) -> None:
    session = opened(fake, "keeps")
    session.prepare(0, SHORT)
    other = {"role": "user", "content": "No, count them."}
    assert session.prepare(1, [CALLS, other]).messages == [USER, CALLS, other]


def test_a_peer_that_raises_is_told_and_the_session_goes_on(fake: PeerProcess) -> None:
    session = opened(fake, "raises")
    answers = [session.prepare(0, SHORT), session.prepare(3, [CALLS, RESULTS])]
    assert [answer.error for answer in answers] == ["TypeError: no len()"] * 2
    assert [answer.messages for answer in answers] == [None, None]


def test_a_session_that_takes_too_long_gives_up_and_the_next_starts_anew(
    fake: PeerProcess,
) -> None:
    session = opened(fake, "hangs", budget_seconds=0.05)
    for _ in range(2):
        with pytest.raises(PeerGaveUpError, match="hangs gave up after 0 requests"):
            session.prepare(0, SHORT)
    assert session.gave_up
    assert opened(fake, "keeps").prepare(0, SHORT).messages == SHORT


def test_a_session_gives_up_once_its_answers_have_used_its_time(fake: PeerProcess) -> None:
    session = opened(fake, "keeps")
    session.prepare(0, SHORT)
    assert session.budget_seconds < 60
    session.budget_seconds = 0
    with pytest.raises(PeerGaveUpError, match="after 1 requests"):
        session.prepare(3, [CALLS, RESULTS])


def test_a_process_that_ends_tells_its_last_words(fake: PeerProcess) -> None:
    session = opened(fake, "dies")
    with pytest.raises(PeerFailedError, match="out of memory, it says"):
        session.prepare(0, SHORT)
    assert opened(fake, "keeps").prepare(0, SHORT).error is None


def test_a_peer_that_cannot_be_opened_is_named(fake: PeerProcess) -> None:
    with pytest.raises(PeerFailedError, match="unknown could not be opened: LookupError"):
        opened(fake, "unknown")


def test_no_key_reaches_the_peers(fake: PeerProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "not for them")
    names = opened(fake, "keeps").settings.split()
    assert "LITELLM_LOCAL_MODEL_COST_MAP" in names
    assert "ANTHROPIC_API_KEY" not in names


def test_an_unknown_peer_is_an_answer_and_not_the_end() -> None:
    asked: list[dict[str, Any]] = [
        {"op": "open", "peer": "of_nobody"},
        {"op": "prepare", "keep": 0, "add": []},
    ]
    answers = io.StringIO()
    serve(io.StringIO("".join(json.dumps(one) + "\n" for one in asked)), answers)
    errors = [json.loads(line)["error"] for line in answers.getvalue().splitlines()]
    assert errors == ["KeyError: 'of_nobody'", "LookupError: no peer is open"]


def test_the_peers_may_not_reach_beyond_this_machine() -> None:
    stay_offline("socket.connect", (None, ("127.0.0.1", 80)))
    stay_offline("socket.connect", (None, "/run/a.socket"))
    stay_offline("open", ("a file",))
    with pytest.raises(NetworkError, match=r"192\.0\.2\.1"):
        stay_offline("socket.connect", (None, ("192.0.2.1", 443)))
    with pytest.raises(NetworkError, match=r"example\.org"):
        stay_offline("socket.getaddrinfo", ("example.org", 443, 0, 0, 0))


def test_an_environment_of_other_requirements_is_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    requirements = tmp_path / "requirements.txt"
    requirements.write_text("one==1\n")
    monkeypatch.setattr(peer_environment, "REQUIREMENTS", requirements)
    digest = hashlib.sha256(b"one==1\n").hexdigest()
    assert installed(tmp_path) is None
    (tmp_path / "window-peers").mkdir()
    mark = tmp_path / "window-peers" / "installed"
    mark.write_text(f"{sys.version_info.major}.{sys.version_info.minor} {digest}")
    assert installed(tmp_path) == environment(tmp_path)
    requirements.write_text("one==2\n")
    assert installed(tmp_path) is None


def test_a_failed_installation_says_what_pip_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(command: list[str], **_: Any) -> None:
        raise subprocess.CalledProcessError(1, command, stderr=b"no space left")

    monkeypatch.setattr(subprocess, "run", fail)
    with pytest.raises(PeersMissingError, match="no space left"):
        environment(tmp_path)
    assert installed(tmp_path) is None
