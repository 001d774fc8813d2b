"""Real sessions sent again request by request, with ways to shorten them: what each costs.

python -m benchmarks.window [--claude-dir DIR] [--json]

The tree is one of Claude Code (`projects` in it, or itself), else the corpus beside the repository,
else a generated one. Only sessions that pass --min-tokens are replayed. The other libraries are
installed into .cache/window-peers at first use (one minute, 430 MB).
"""

import argparse
import asyncio
import json
import sys
from collections.abc import Generator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

if __package__ in (None, ""):  # python benchmarks/window.py
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.transcripts import CACHE, build_tree, source_tree
from benchmarks.window_peers.environment import PeersMissingError
from benchmarks.window_replay.figures import figures, missing
from benchmarks.window_replay.peers import NAMES, peers
from benchmarks.window_replay.policies import DEFAULT, NONE, ours, usual
from benchmarks.window_replay.reuse import build_reuse_tree
from benchmarks.window_replay.running import replay_all
from benchmarks.window_replay.scale import measure_scale, scale_page
from benchmarks.window_replay.subjects import Start
from benchmarks.window_replay.table import page
from benchmarks.window_sessions import read_sessions

MIN_TOKENS = 100_000
GENERATED_MEGABYTES = 20
REUSE_SESSIONS = 24
STANDARD = (NONE, DEFAULT, *usual(), *NAMES)
KNOWN = (*ours(), *usual(), *NAMES)


def measure(
    tree: Path,
    names: Sequence[str] = STANDARD,
    *,
    min_tokens: int = MIN_TOKENS,
) -> dict[str, Any]:
    """Replay a tree with these policies; `none` is always among them."""
    with ExitStack() as stack:
        starts: dict[str, Start] = {**ours(), **usual()}
        lacking: dict[str, str] = {}
        wanted = tuple(name for name in names if name in NAMES)
        if wanted:
            try:
                starts |= stack.enter_context(peers(CACHE, wanted))
            except PeersMissingError as error:
                lacking = dict.fromkeys(wanted, str(error).strip().splitlines()[-1])
        chosen = {name: starts[name] for name in (NONE, *names) if name in starts}
        found = figures(asyncio.run(replay_all(read_sessions(tree), chosen, min_tokens)))
    found["policies"] |= {name: missing(reason) for name, reason in lacking.items()}
    return found


@contextmanager
def _tree(given: argparse.Namespace) -> Generator[Path]:
    if given.claude_dir is not None:
        yield given.claude_dir
        return
    found = None if given.source == "reuse" else source_tree(given.source)
    if found is not None:
        yield found
        return
    with TemporaryDirectory() as folder:
        target = Path(folder)
        if given.source == "reuse":
            yield build_reuse_tree(target, REUSE_SESSIONS)
        else:
            yield build_tree(target, GENERATED_MEGABYTES, 1, None)


def _names(given: argparse.Namespace) -> list[str]:
    names: list[str] = given.policies.split(",") if given.policies else list(STANDARD)
    return [name for name in names if not (given.no_peers and name in NAMES)]


def _arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.window",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--claude-dir", type=Path, metavar="DIR", help="a tree of transcripts")
    parser.add_argument(
        "--source",
        default="auto",
        help="without --claude-dir: auto, corpus, generator, reuse (an agent that reads and edits"
        " Python's own library, and comes back to what it read), or a folder",
    )
    parser.add_argument("--min-tokens", type=int, default=MIN_TOKENS, metavar="N")
    parser.add_argument("--policies", metavar="A,B", help=f"of {', '.join(KNOWN)}")
    parser.add_argument("--no-peers", action="store_true", help="leave out the other libraries")
    parser.add_argument("--scale", action="store_true", help="time a conversation of 1M tokens")
    parser.add_argument("--json", action="store_true", help="print JSON")
    given = parser.parse_args(arguments)
    unknown = set(_names(given)) - set(KNOWN)
    if unknown:
        parser.error(f"no policy {', '.join(sorted(unknown))}: give some of {', '.join(KNOWN)}")
    if given.claude_dir is not None and not given.claude_dir.is_dir():
        parser.error(f"no folder {given.claude_dir}")
    return given


def _shown(found: Mapping[str, Any], text: str, *, as_json: bool) -> None:
    print(json.dumps(found, indent=2) if as_json else text)


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line."""
    given = _arguments(arguments)
    if given.scale:
        scale = measure_scale(None if given.no_peers else CACHE)
        _shown(scale, scale_page(scale), as_json=given.json)
        return 0
    with _tree(given) as tree:
        found = measure(tree, _names(given), min_tokens=given.min_tokens)
    _shown(found, page(found), as_json=given.json)
    return 0


if __name__ == "__main__":
    sys.exit(main())
