"""A gateway that is killed in the middle loses nothing of what was answered."""

import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.contract.ledger import Ledger, anthropic_counts, openai_counts
from tests.contract.processes import GatewayProcess, config_file, ingest, quiet_environment
from tests.upstream.app import Upstream
from tests.upstream.serve import served

CALLERS = 6
KILLS = 3
ANSWERS_BEFORE_KILL = 150
ANTHROPIC: dict[str, Any] = {"model": "claude-opus-4-8", "max_tokens": 99}
HELLO = [{"role": "user", "content": "Hello, who is there?"}]
HEADERS = {"x-api-key": "test", "anthropic-version": "2023-06-01", "authorization": "Bearer test"}

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL"),
]


class Callers:
    """Threads that ask on and on, and note which answers they got whole."""

    def __init__(self) -> None:
        self.whole: set[str] = set()
        self.broken = 0
        self._lock = threading.Lock()
        self.enough = threading.Event()
        self._goal = 0

    def until(self, more: int) -> None:
        """Set `enough` after this many more answers."""
        self.enough.clear()
        self._goal = len(self.whole) + more

    def ask_on(self, url: str, number: int, stop: threading.Event) -> None:
        """Ask until `stop`, or until the gateway is gone."""
        with httpx2.Client(base_url=url, headers=HEADERS, timeout=20, verify=False) as client:
            while not stop.is_set():
                try:
                    found = _KINDS[number % len(_KINDS)](client)
                except httpx2.HTTPError:
                    self.broken += 1
                    return
                with self._lock:
                    self.whole.add(found)
                    if len(self.whole) >= self._goal:
                        self.enough.set()


def _message(client: httpx2.Client) -> str:
    answer = client.post("/v1/messages", json=ANTHROPIC | {"messages": HELLO})
    return answer.raise_for_status().json()["id"]


def _stream(client: httpx2.Client) -> str:
    body = ANTHROPIC | {"messages": HELLO, "stream": True}
    text = client.post("/v1/messages", json=body).raise_for_status().text
    assert text.endswith('{"type": "message_stop"}\n\n')
    return text.split('"id": "')[1].split('"')[0]


def _completion(client: httpx2.Client) -> str:
    body = {"model": "gpt-4o-mini", "messages": HELLO, "stream": True}
    text = client.post("/v1/chat/completions", json=body).raise_for_status().text
    assert text.endswith("data: [DONE]\n\n")
    return text.split('"id":"')[1].split('"')[0]


_KINDS: tuple[Callable[[httpx2.Client], str], ...] = (_message, _stream, _completion)


def _run_and_kill(process: GatewayProcess, callers: Callers) -> None:
    stop = threading.Event()
    callers.until(ANSWERS_BEFORE_KILL)
    with ThreadPoolExecutor(CALLERS) as pool:
        asking = [pool.submit(callers.ask_on, process.url, n, stop) for n in range(CALLERS)]
        assert callers.enough.wait(60), "the gateway answered too little"
        process.kill()
        for each in asking:
            each.result()


def _check(ledger: Ledger, upstream: Upstream, callers: Callers) -> None:
    told = {each.message_id: each.usage for each in upstream.requests if each.message_id}
    for name in callers.whole:
        usage = told[name]
        assert usage is not None
        counts = anthropic_counts(usage) if name.startswith("msg_") else openai_counts(usage)
        entries = ledger.entries(name)
        assert [(each.counts, each.is_final) for each in entries] == [(counts, True)], name
    # What was answered but never arrived may be there, and nothing else may.
    assert len(callers.whole) <= len(ledger) <= len(told)


def test_each_whole_answer_is_in_the_ledger_once_though_the_gateway_was_killed(
    tmp_path: Path,
) -> None:
    environment = quiet_environment(tmp_path)
    database, empty = tmp_path / "ledger.db", tmp_path / "claude"
    (empty / "projects").mkdir(parents=True)
    callers = Callers()
    with served() as upstream:
        config = config_file(tmp_path, upstream.base_url)
        for _ in range(KILLS):
            with GatewayProcess(database, config, environment) as process:
                _run_and_kill(process, callers)
        assert len(callers.whole) >= KILLS * ANSWERS_BEFORE_KILL
        assert callers.broken == KILLS * CALLERS
        ingest(database, empty, environment)
        _check(Ledger(database), upstream, callers)
        rows = len(Ledger(database))
        ingest(database, empty, environment)
        assert len(Ledger(database)) == rows


def test_a_gateway_that_is_told_to_end_has_recorded_everything(tmp_path: Path) -> None:
    environment = quiet_environment(tmp_path)
    database = tmp_path / "ledger.db"
    with served() as upstream:
        config = config_file(tmp_path, upstream.base_url)
        with (
            GatewayProcess(database, config, environment) as process,
            httpx2.Client(base_url=process.url, headers=HEADERS, verify=False) as client,
        ):
            names = [kind(client) for kind in _KINDS * 10]
            began = time.monotonic()
            assert process.end() == 0
            assert time.monotonic() - began < 10
        ledger = Ledger(database)
        assert all(len(ledger.entries(name)) == 1 for name in names)
        assert len(ledger) == len(names)


def test_what_a_killed_gateway_left_is_taken_in_while_a_new_one_runs(tmp_path: Path) -> None:
    environment = quiet_environment(tmp_path)
    database, empty = tmp_path / "ledger.db", tmp_path / "claude"
    (empty / "projects").mkdir(parents=True)
    names: list[str] = []
    with served() as upstream:
        config = config_file(tmp_path, upstream.base_url)
        for last in (False, True):
            with (
                GatewayProcess(database, config, environment) as process,
                httpx2.Client(base_url=process.url, headers=HEADERS, verify=False) as client,
            ):
                names += [kind(client) for kind in _KINDS * 5]
                if last:
                    ingest(database, empty, environment)
                    assert process.end() == 0
                else:
                    process.kill()
    ledger = Ledger(database)
    assert [len(ledger.entries(name)) for name in names] == [1] * len(names)
    assert len(ledger) == len(names)
