"""The library at 1,000 and at 10,000 documents: first index, start, search and load.

python -m benchmarks.content [--documents 1000 10000] [--json]

The peer of the index and of the search is plain FTS5 over whole files (porter, OR of quoted words);
of a load the smallest `mcp` server whose one tool reads a file; of a start the same server with an
empty library.
"""

import argparse
import asyncio
import json
import os
import random
import re
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median, quantiles
from typing import Any, NamedTuple

from mcp import Client, StdioServerParameters, stdio_client

from benchmarks.documents import write_library
from benchmarks.processes import Run, interleaved
from benchmarks.startup import handshake
from token_tracking.counting import encoding_tokens_many
from token_tracking_server.content.library import Library

SEARCHES = 1_000
LOADS = 200
STARTS = 11
GOALS = {
    "index_seconds": 15.0,
    "start_adds_ms": 30.0,
    "search_p50_ms": 3.0,
    "search_p99_ms": 10.0,
    "load_p50_ms": 8.0,
}
SERVE = [sys.executable, "-m", "token_tracking_server.cli", "serve"]
PEER = [sys.executable, str(Path(__file__).with_name("text_server.py"))]


class Times(NamedTuple):
    """Milliseconds."""

    p50: float
    p99: float

    @classmethod
    def of(cls, seconds: Sequence[float]) -> "Times":
        """Of many calls."""
        return cls(median(seconds) * 1e3, quantiles(seconds, n=100)[-1] * 1e3)


class Plain:
    """FTS5 as everybody begins with it."""

    def __init__(self, path: Path) -> None:
        self._connection = sqlite3.connect(path)
        self._connection.execute(
            "CREATE VIRTUAL TABLE texts USING fts5(path, text, tokenize = 'porter')"
        )

    def index(self, folder: Path) -> None:
        """Every file."""
        with self._connection:
            for file in folder.rglob("*.md"):
                row = (str(file), file.read_text("utf-8"))
                self._connection.execute("INSERT INTO texts VALUES (?, ?)", row)

    def search(self, question: str) -> list[Any]:
        """The ten best."""
        wanted = " OR ".join(f'"{word}"' for word in re.findall(r"\w+", question))
        return self._connection.execute(
            "SELECT path FROM texts WHERE texts MATCH ? ORDER BY rank LIMIT 10", (wanted,)
        ).fetchall()


def measure(documents: int, work: Path) -> dict[str, Any]:
    """Everything, for a library of so many documents."""
    folder = work / "library"
    questions = write_library(folder, documents)
    random.Random(2).shuffle(questions)
    questions = (questions * (SEARCHES // len(questions) + 1))[:SEARCHES]
    size = sum(file.stat().st_size for file in folder.rglob("*.md"))
    plain = Plain(work / "plain.db")
    peer_seconds = _seconds(lambda: plain.index(folder))
    found = asyncio.run(_in_process(folder, work, questions, plain))
    found["peer_index_seconds"] = peer_seconds
    found |= _start(folder, work)
    found |= asyncio.run(_loads(folder, work))
    return {"documents": documents, "megabytes": size / 1e6} | found


def _seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


async def _in_process(
    folder: Path, work: Path, questions: Sequence[str], plain: Plain
) -> dict[str, Any]:
    encoding_tokens_many(["the vocabulary is loaded once"])
    started = time.perf_counter()
    library = Library([folder], work / "catalogs")
    await library.ask(lambda catalog: catalog.size(), patience=None)
    index = time.perf_counter() - started
    ours: list[float] = []
    peer: list[float] = []
    matched = 0
    for question in questions:
        started = time.perf_counter()
        found = await library.ask(lambda catalog, q=question: catalog.search(q, None, 10))
        ours.append(time.perf_counter() - started)
        matched += bool(found)
        peer.append(_seconds(lambda q=question: plain.search(q)))
    await library.close()
    (catalog,) = (work / "catalogs").glob("*.db")
    return {
        "index_seconds": index,
        "catalog_megabytes": catalog.stat().st_size / 1e6,
        "search": Times.of(ours)._asdict(),
        "peer_search": Times.of(peer)._asdict(),
        "searches_with_an_answer": matched,
        "searches": len(questions),
    }


def _environment(work: Path, folder: Path) -> dict[str, str]:
    """Of a server whose catalog is the one that was just made."""
    return {
        **os.environ,
        "CLAUDE_CONFIG_DIR": str(work / "claude"),
        "TOKEN_TRACKING_DB": str(work / "ledger.db"),
        "TOKEN_TRACKING_LIBRARY": str(folder),
    }


def _start(folder: Path, work: Path) -> dict[str, Any]:
    """From spawn to the answer to `initialize`, and to that of a first search after it."""
    empty = work / "empty"
    empty.mkdir()
    full, none = (_environment(work, each) for each in (folder, empty))
    for environment in (full, none):
        handshake(SERVE, environment)
    ours, without = interleaved(
        STARTS, lambda: handshake(SERVE, full), lambda: handshake(SERVE, none)
    )
    first, first_without = interleaved(
        STARTS, lambda: _first_search(full), lambda: _first_search(none)
    )
    return {
        "start_ms": ours.median * 1e3,
        "start_without_ms": without.median * 1e3,
        "first_search_ms": first.median * 1e3,
        "first_search_without_ms": first_without.median * 1e3,
    }


def _first_search(environment: dict[str, str]) -> Run:
    """From spawn to the answer of a search, with nothing changed in the library."""

    async def ask() -> float:
        started = time.perf_counter()
        parameters = StdioServerParameters(command=SERVE[0], args=SERVE[1:], env=environment)
        async with Client(stdio_client(parameters), mode="legacy") as client:
            await client.call_tool("search_content", {"query": "how to retry a request"})
            return time.perf_counter() - started

    return Run(asyncio.run(ask()), 0, b"")


async def _loads(folder: Path, work: Path) -> dict[str, Any]:
    files = random.Random(3).sample(sorted(folder.rglob("*.md")), min(LOADS, 200))
    uris = [f"content://{file.parent.name}/{file.stem}" for file in files]
    serve = StdioServerParameters(command=SERVE[0], args=SERVE[1:], env=_environment(work, folder))
    peer = StdioServerParameters(command=PEER[0], args=PEER[1:])
    ours: list[float] = []
    theirs: list[float] = []
    async with (
        Client(stdio_client(serve), mode="legacy") as client,
        Client(stdio_client(peer), mode="legacy") as other,
    ):
        await client.call_tool("load_content", {"uris": uris[:1]})
        for file, uri in zip(files, uris, strict=True):
            started = time.perf_counter()
            answer = await client.call_tool("load_content", {"uris": [uri], "again": True})
            ours.append(time.perf_counter() - started)
            assert not answer.is_error, answer
            started = time.perf_counter()
            await other.call_tool("load", {"path": str(file)})
            theirs.append(time.perf_counter() - started)
    return {"load": Times.of(ours)._asdict(), "peer_load": Times.of(theirs)._asdict()}


def page(found: dict[str, Any]) -> str:
    """A library's figures beside their goals."""
    search, peer_search = found["search"], found["peer_search"]
    load, peer_load = found["load"], found["peer_load"]
    adds = found["start_ms"] - found["start_without_ms"]
    first = found["first_search_ms"] - found["first_search_without_ms"]
    answered = f"{found['searches_with_an_answer']:,} of {found['searches']:,} with an answer"
    rows = [
        ("first index, s", found["index_seconds"], found["peer_index_seconds"], "index_seconds"),
        ("search p50, ms", search["p50"], peer_search["p50"], "search_p50_ms"),
        ("search p99, ms", search["p99"], peer_search["p99"], "search_p99_ms"),
        ("load over stdio p50, ms", load["p50"], peer_load["p50"], "load_p50_ms"),
    ]
    size = f"{found['megabytes']:.1f} MB; catalog {found['catalog_megabytes']:.1f} MB"
    lines = [
        f"{found['documents']:,} documents, {size}",
        f"{'':<26}{'ours':>9}{'peer':>9}{'ratio':>8}",
    ]
    for name, ours, peer, goal in rows:
        verdict = _verdict(ours, goal)
        lines.append(f"{name:<26}{ours:>9.2f}{peer:>9.2f}{ours / peer:>8.2f}  {verdict}")
    verdict = _verdict(adds, "start_adds_ms")
    lines += [
        f"start adds {adds:.0f} ms to {found['start_without_ms']:.0f}; {verdict}",
        f"a first search adds {first:.0f} ms to {found['first_search_without_ms']:.0f}",
        f"searches: {answered}",
    ]
    return "\n".join(lines)


def _verdict(value: float, goal: str) -> str:
    limit = GOALS[goal]
    return f"under {limit:g}: {'met' if value < limit else 'NOT met'}"


def main(arguments: list[str] | None = None) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.content", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--documents", type=int, nargs="+", default=[1_000, 10_000])
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(arguments)
    results: list[dict[str, Any]] = []
    for documents in options.documents:
        with tempfile.TemporaryDirectory() as work:
            results.append(measure(documents, Path(work)))
        if not options.json:
            print(page(results[-1]), end="\n\n", flush=True)
    if options.json:
        print(json.dumps(results, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
