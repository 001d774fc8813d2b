"""Real processes that are killed at any moment: what they had recorded is in the ledger once."""

import asyncio
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.ledgers import dump
from tests.recording.sightings import in_spool, keys, sighting
from tests.recording.test_leftovers import drained
from token_tracking.store import TokenStore

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL is POSIX"),
]

RECORDING = """
import sys, threading, time
from pathlib import Path
from tests.recording.sightings import sighting
from token_tracking.recording import Recorder

database, name, kind = sys.argv[1:]
recorder = Recorder.open(database, drain=kind != "spool", in_child=kind == "child")

def record(thread):
    for number in range(10**6):
        event = sighting(f"{name}{thread}{number}")
        recorder.record(event)
        sys.stdout.write(event.key + "\\n")
        sys.stdout.flush()
        time.sleep(1e-4)

threads = [threading.Thread(target=record, args=(thread,)) for thread in "xy"]
for thread in threads:
    thread.start()
"""

DRAINING = """
import asyncio, sys
from tests.recording.test_leftovers import drained
from pathlib import Path
print("ready", flush=True)
while True:
    asyncio.run(drained(Path(sys.argv[1])))
"""


def started(program: str, *arguments: str) -> "subprocess.Popen[str]":
    command = [sys.executable, "-c", program, *arguments]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline()
    return process


def killed(process: "subprocess.Popen[str]") -> list[str]:
    """Kill it; the whole lines that it had printed since it was started."""
    process.send_signal(signal.SIGKILL)
    printed, _ = process.communicate()
    return printed.rpartition("\n")[0].split()


@pytest.mark.parametrize("kind", ["spool", "thread", "child"])
async def test_whatever_was_recorded_before_a_kill_is_in_the_ledger(
    database: Path, tmp_path: Path, kind: str
) -> None:
    chance = random.Random(3)
    told: list[str] = []
    for name in ("a", "b"):
        process = started(RECORDING, str(database), name, kind)
        # Random moments, of recording as of draining.
        reader = asyncio.create_task(asyncio.to_thread(_read, process, told))
        await asyncio.sleep(chance.uniform(0.05, 0.5))
        process.send_signal(signal.SIGKILL)
        await reader
        process.wait()
    assert told
    await _until_all_is_drained(database)
    found = keys(database)
    assert set(told) <= set(found)
    async with TokenStore.opened(tmp_path / "quiet.db") as quiet:
        await quiet.save_usage([sighting(key.removeprefix("msg_")) for key in found])
    assert await dump(database) == await dump(tmp_path / "quiet.db")


def _read(process: "subprocess.Popen[str]", told: list[str]) -> None:
    assert process.stdout is not None
    told += [line.strip() for line in process.stdout if line.endswith("\n")]
    process.stdout.close()


async def test_those_that_drain_may_be_killed_too(database: Path) -> None:
    chance = random.Random(4)
    recording = started(RECORDING, str(database), "a", "spool")
    time.sleep(0.3)
    told = killed(recording)
    count = len(told)
    for _ in range(4):
        both = [started(DRAINING, str(database)) for _ in range(2)]
        await asyncio.sleep(chance.uniform(0, 0.1))
        for process in both:
            killed(process)
    await _until_all_is_drained(database)
    assert count > 100
    assert set(told) <= set(keys(database))


async def _until_all_is_drained(database: Path) -> None:
    """A child that was left by its parent may still be saving a file."""
    async with asyncio.timeout(30):
        while in_spool(database, "*.jsonl"):
            await drained(database)
            await asyncio.sleep(0.01)
