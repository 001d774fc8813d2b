"""A tree of sessions in which the model comes back to what it read, as real agents do.

python -m benchmarks.window_replay.reuse DIR [--sessions N]

Transcripts that may be shared have filler for words, and then no replay can see what is used
again. Here an agent reads and edits the source files of Python's own library, with the distances
and sizes of real sessions; its conversations have 60 to 150 requests in 5 to 10 turns.
"""

import argparse
import random
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks.generator import Session, Shape, profiles
from benchmarks.generator.chain import Chain, Envelope
from benchmarks.generator.filler import Filler
from benchmarks.transcripts import write_session
from benchmarks.window_replay.reuse_agent import MODEL, Agent
from benchmarks.window_replay.reuse_sources import library

FIRST_START = 1_773_000_000_000  # 2026-03-08, in milliseconds since 1970
HOUR_SHARE = 0.69  # of sessions that write their cache for an hour: 1,346 of 1,945 requests


def build_reuse_tree(target: Path, sessions: int, seed: int = 1) -> Path:
    """Fill `target/projects` with so many sessions; the same arguments write the same bytes with
    the same Python. Returns `target`."""
    rng = random.Random(seed)
    filler = Filler(rng)
    sources = library()
    for number in range(sessions):
        write_session(target / "projects", _session(rng, filler, sources, number))
    return target


def _session(
    rng: random.Random, filler: Filler, sources: list[tuple[str, list[str]]], number: int
) -> Session:
    shape = Shape(profiles.CURRENT, FIRST_START + number * 86_400_000, "/home/sam/cpython")
    envelope = Envelope(filler.uuid(), shape.cwd, shape.branch, "2.1.200", entrypoint="cli")
    chain = Chain(rng, filler, envelope, shape.start)
    base = rng.randint(20_000, 40_000)
    agent = Agent(rng, chain, sources, base, hour=rng.random() < HOUR_SHARE)
    turns, left = rng.randint(5, 10), rng.randint(60, 150)
    for turn in range(turns, 0, -1):
        requests = left if turn == 1 else max(2, round(left / turn * rng.uniform(0.5, 1.5)))
        agent.turn(min(requests, left))
        left -= requests
        if left <= 0 or agent.is_full:
            break
    return Session(envelope.session_id, shape, chain.lines, {}, [], MODEL)


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("target", type=Path, metavar="DIR")
    parser.add_argument("--sessions", type=int, default=24)
    given = parser.parse_args(arguments)
    build_reuse_tree(given.target, given.sessions)
    return 0


if __name__ == "__main__":
    sys.exit(main())
