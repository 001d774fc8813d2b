"""Twenty processes before one Redis, under load."""

import json
import sys
from pathlib import Path

import pytest

from benchmarks.limiter_peers import OURS
from benchmarks.limiter_peers.load import Task, fullest_window, reached
from benchmarks.limiter_peers.running import fresh, run
from tests.limits.rate.storages import REDIS_URL, need_redis

WINDOW = 4
"""Seconds: short, so that the test is."""


@pytest.mark.slow
def test_twenty_processes_together_never_pass_the_limit_and_reach_95_percent_of_it() -> None:
    need_redis()
    task = fresh(Task(OURS, "redis", REDIS_URL, "", 100_000, WINDOW, 3.0 * WINDOW, 0))
    start, answers = run(Path(sys.executable), task, 20)
    by_redis = [(at, tokens) for answer in answers for at, tokens in answer["granted"]]
    assert fullest_window(by_redis, WINDOW) <= task.limit, json.dumps(sorted(by_redis)[:50])
    taken = [(at, tokens) for answer in answers for at, tokens in answer["taken"]]
    assert reached(taken, start, task) >= 0.95
    assert all(answer["taken"] for answer in answers)  # and each process had a share
