"""Writes the sample that ships with the package, for people who have no transcripts yet.

python -m benchmarks.sample
"""

import random
import shutil
import sys
from dataclasses import replace
from pathlib import Path

from benchmarks.generator import Session, Shape, fork_session, generate_session
from benchmarks.generator.filler import Filler
from benchmarks.generator.profiles import CURRENT, Size
from benchmarks.transcripts import REPOSITORY, write_session

SAMPLE = REPOSITORY / "server" / "token_tracking_server" / "sample"
SEED = 13
SHRINK = 0.12  # of every text's length: the sample stays below 150 kB
HOUR = 3_600_000
PROFILE = replace(CURRENT, snapshots=0.1, attachments=0.05, agent_requests=Size(3, 3.1, 5))
START = 1_793_700_000_000  # 2026-11-03, in milliseconds since 1970
TOOLS = ("mcp__github__list_issues", "Skill", "Read", "Bash", "Edit", "Agent", "Read", "Edit")


def sample_sessions() -> list[Session]:
    """Three sessions of one project, and a fork of the first; with one subagent."""
    rng = random.Random(SEED)
    filler = Filler(rng)
    opus = Shape(PROFILE, START, model="claude-opus-5-5", messages=12, shrink=SHRINK)
    opus = replace(opus, first_tools=TOOLS)
    first = generate_session(rng, filler, opus)
    fork = replace(opus, start=START + HOUR, branch="search", messages=4, first_tools=("Read",))
    sonnet = Shape(PROFILE, START + 30 * HOUR, model="claude-sonnet-5-5", shrink=SHRINK)
    sonnet = replace(sonnet, messages=8, first_tools=("mcp__github__list_issues", "Bash", "Read"))
    haiku = Shape(PROFILE, START + 200 * HOUR, model="claude-haiku-5-5", shrink=SHRINK)
    haiku = replace(haiku, messages=6, first_tools=("Skill", "Bash", "Edit"))
    others = [generate_session(rng, filler, shape) for shape in (sonnet, haiku)]
    return [first, fork_session(rng, filler, first, fork), *others]


def write_sample(folder: Path) -> None:
    """Write `folder/projects`."""
    for session in sample_sessions():
        write_session(folder / "projects", session)


def main() -> int:
    """Replace the sample."""
    shutil.rmtree(SAMPLE / "projects", ignore_errors=True)
    write_sample(SAMPLE)
    for path in sorted(SAMPLE.rglob("*.jsonl")):
        print(f"{path.stat().st_size:>8,} {path.relative_to(SAMPLE)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
