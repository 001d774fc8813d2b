"""Builds trees of Claude Code transcripts of any size, and prints a tree's statistics.

python -m benchmarks.transcripts --build DIR --megabytes 500 [--source corpus|generator|FOLDER]
python -m benchmarks.transcripts --stats DIR [--json]
"""

import argparse
import json
import random
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.copying import copy_tree
from benchmarks.generator import Session, Shape, fork_session, generate_session, profiles
from benchmarks.generator.filler import Filler
from benchmarks.measurement import measure, table

REPOSITORY = Path(__file__).resolve().parents[1]
CACHE = REPOSITORY / ".cache"
CORPUS = REPOSITORY.parent / "shared" / "data" / "transcripts"
FIRST_START = 1_788_000_000_000  # 2026-08-29, in milliseconds since 1970
DAYS = 80
PROJECTS = ("bookshop", "bookshop-web", "ledger", "notes/site", "infra", "atlas", "quiz", "mail")


def build_tree(target: Path, megabytes: float, seed: int, source: Path | None) -> Path:
    """Fill `target/projects` with about this many megabytes (10**6 bytes) of transcripts.

    From copies of the tree `source`, each with new ids, or else from the generator. The same
    arguments write the same bytes. Returns `target`, which serves as CLAUDE_CONFIG_DIR.
    """
    projects = target / "projects"
    if source:
        copy_tree(projects, source, megabytes * 1e6, seed)
        return target
    written = 0
    for session in generated_sessions(seed):
        if written >= megabytes * 1e6:
            break
        written += write_session(projects, session)
    return target


def generated_sessions(seed: int) -> Iterator[Session]:
    """Sessions without end, forks among them."""
    rng = random.Random(seed)
    filler = Filler(rng)
    while True:
        earlier = rng.random() < profiles.EARLIER_FORMAT
        profile = profiles.EARLIER if earlier else profiles.CURRENT
        session = generate_session(rng, filler, _shape(rng, profile))
        yield session
        if rng.random() < profiles.FORK_OF_SESSION:
            yield fork_session(rng, filler, session, _shape(rng, profile, session))


def _shape(rng: random.Random, profile: profiles.Profile, parent: Session | None = None) -> Shape:
    start = FIRST_START + rng.randrange(DAYS * 86_400_000)
    cwd = f"/home/sam/projects/{rng.choice(PROJECTS)}"
    branch = rng.choice(("main", "main", "fix/prices", "search"))
    if parent:
        start = parent.shape.start + rng.randrange(1, 4) * 3_600_000
        cwd = rng.choice((parent.shape.cwd, parent.shape.cwd, cwd))
    return Shape(profile, start, cwd, branch)


def write_session(projects: Path, session: Session) -> int:
    """Write a session's file and those of its subagents; their size in bytes."""
    folder = projects / session.folder
    written = _write_lines(folder / f"{session.session_id}.jsonl", session.lines, session)
    for agent_id, lines in session.agents.items():
        path = folder / session.session_id / "subagents" / f"agent-{agent_id}.jsonl"
        written += _write_lines(path, lines, session)
    return written


def _write_lines(path: Path, lines: list[dict[str, object]], session: Session) -> int:
    encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
    text = "\n".join(map(encode, lines)) + ("\n" if session.ends_with_newline else "")
    path.parent.mkdir(parents=True, exist_ok=True)
    return path.write_bytes(text.encode())


def source_tree(name: str) -> Path | None:
    """The tree that `--source` names; None stands for the generator.

    `corpus` is the shared corpus beside the repository, and `auto` the same where it is there.
    Raises FileNotFoundError where a named tree is missing.
    """
    if name == "generator" or (name == "auto" and not (CORPUS / "corpus.tar.xz").exists()):
        return None
    if name not in ("auto", "corpus"):
        if not Path(name).is_dir():
            raise FileNotFoundError(f"no folder {name}: give corpus, generator or a folder")
        return Path(name)
    unpacked = CACHE / "corpus"
    if not (unpacked / "projects").exists():
        with tarfile.open(CORPUS / "corpus.tar.xz") as archive:
            archive.extractall(unpacked, filter="data")
    return unpacked / "projects"


def main(arguments: list[str] | None = None) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.transcripts", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--build", type=Path, metavar="DIR", help="write a tree here")
    what.add_argument("--stats", type=Path, metavar="DIR", help="measure the tree here")
    parser.add_argument("--megabytes", type=float, default=500)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--source", default="auto", help="auto, corpus, generator or a folder")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(arguments)
    if options.build:
        build_tree(options.build, options.megabytes, options.seed, source_tree(options.source))
        return 0
    statistics = measure(options.stats)
    print(json.dumps(statistics, indent=1) if options.json else table(statistics))
    return 0


if __name__ == "__main__":
    sys.exit(main())
