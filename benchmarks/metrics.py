"""How fast figures are answered, on ledgers of 10 thousand, 1 million and 10 million messages.

python -m benchmarks.metrics [--messages 10000 1000000 10000000] [--runs 30] [--keep FOLDER]
                             [--json]

Each question is asked of an open ledger in which everything is attributed, `--runs` times, sessions
drawn at random among the latest, the dearest and all others. The peer, in the same run, is what a
ledger without kept sums would do: add up the messages of the period in SQLite. `--keep` keeps the
ledgers for the next time.
"""

import argparse
import asyncio
import json
import random
import sqlite3
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from statistics import median, quantiles
from typing import Any, Final

from benchmarks.large_ledger import large_ledger
from benchmarks.transcripts import CACHE, build_tree
from token_tracking.attributing import Attributor
from token_tracking.efficiency import EfficiencyEngine
from token_tracking.ingest import ingest_claude_code
from token_tracking.metrics import TokenMetrics, parse_period, time_zone
from token_tracking.store import TokenStore

GOALS: Final = {"p50_ms": 30.0, "p99_ms": 100.0}
PERIODS: Final = ("last_hour", "last_day", "last_week", "last_month", "all_time")
GROUPINGS: Final = ("tool", "path", "mcp-server", "skill", "agent", "category", "project", "item")
METRICS: Final = ("cost", "tokens", "efficiency", "carried")
TEMPLATE_MEGABYTES: Final = 160

Question = Callable[[], Awaitable[Any]]


def questions(metrics: TokenMetrics, sessions: list[str]) -> Iterator[tuple[str, Question]]:
    """Each question by its name, with nothing to settle."""
    rng = random.Random(1)
    for period in PERIODS:
        yield f"snapshot {period}", lambda p=period: metrics.get_efficiency_snapshot(p)
        yield f"trend {period}", lambda p=period: metrics.get_trend(p)
        yield f"advice {period}", lambda p=period: metrics.get_advice(p)
    for metric in METRICS:
        yield f"top {metric} all_time", lambda m=metric: metrics.get_top_resources(m)
        yield (
            f"top {metric} last_month",
            lambda m=metric: metrics.get_top_resources(m, period="last_month"),
        )
    for by in GROUPINGS:
        for period in ("last_week", "last_month", "all_time"):
            yield f"by {by} {period}", lambda b=by, p=period: metrics.get_groups(b, p, limit=20)
    yield "session report", lambda: metrics.get_session_data(rng.choice(sessions))
    yield "session timeline", lambda: metrics.get_timeline(rng.choice(sessions))


async def _ledger(folder: Path, messages: int) -> Path:
    """A ledger of about so many messages; that of the smallest size is the template."""
    path = folder / f"ledger-{messages}.db"
    if path.exists():
        return path
    template = folder / "template.db"
    if not template.exists():
        await _template(folder, template)
    store = await TokenStore.open(path)
    await store.close()
    large_ledger(template, path, messages)
    return path


async def _template(folder: Path, path: Path) -> None:
    tree = folder / "tree"
    build_tree(tree, TEMPLATE_MEGABYTES, 5, None)
    async with TokenStore.opened(path) as store:
        await ingest_claude_code(store, [tree])
        await Attributor(store, EfficiencyEngine()).settle()


def _plain(path: Path, start: int | None) -> float:
    """Seconds to add up the messages of a period that begins at `start`."""
    with sqlite3.connect(path) as connection:
        began = time.perf_counter()
        connection.execute(
            "SELECT model, COUNT(*), SUM(cost_pico), SUM(input_tokens), SUM(cache_read_tokens),"
            " SUM(output_tokens) FROM messages WHERE at >= ? GROUP BY model",
            (start or 0,),
        ).fetchall()
        return time.perf_counter() - began


async def measure(path: Path, runs: int) -> dict[str, Any]:
    """Every question, in turn, on one ledger; milliseconds."""
    async with TokenStore.opened(path) as store:
        metrics = TokenMetrics(store, time_zone("Europe/Berlin"))
        rows = await store.session_ids(limit=5_000)
        asked = list(questions(metrics, rows))
        times: dict[str, list[float]] = {name: [] for name, _ in asked}
        for turn in range(runs + 1):
            for name, question in asked:
                began = time.perf_counter()
                await question()
                if turn:
                    times[name].append((time.perf_counter() - began) * 1e3)
        counts = await store.period_totals()
        month = parse_period("last_month", metrics.zone).start
    return {
        "messages": sum(sums.messages for sums in counts.values()),
        "megabytes": path.stat().st_size / 1e6,
        "questions": {name: _times(each) for name, each in times.items()},
        "plain_ms": {
            "last_month": _plain(path, month) * 1e3,
            "all_time": _plain(path, None) * 1e3,
        },
    }


def _times(milliseconds: list[float]) -> dict[str, float]:
    return {
        "p50_ms": median(milliseconds),
        "p99_ms": quantiles(milliseconds, n=100)[-1] if len(milliseconds) > 1 else milliseconds[0],
    }


def page(found: list[dict[str, Any]]) -> str:
    """The result as plain text, each figure beside its goal."""
    lines: list[str] = []
    for ledger in found:
        lines += _page_of(ledger)
    if len(found) > 1:
        first, last = found[0], found[-1]
        lines.append(f"\n{last['messages']:,} against {first['messages']:,} messages, ratio of p50")
        for name, times in last["questions"].items():
            before = first["questions"][name]["p50_ms"]
            lines.append(f"  {name:<28} {times['p50_ms'] / before:6.1f}")
    return "\n".join(lines)


def _page_of(ledger: dict[str, Any]) -> list[str]:
    lines = [f"\n{ledger['messages']:,} messages, {ledger['megabytes']:,.0f} MB"]
    for name, times in ledger["questions"].items():
        met = all(times[goal] <= most for goal, most in GOALS.items())
        verdict = "" if met else "  NOT met"
        lines.append(
            f"  {name:<28} p50 {times['p50_ms']:8.1f} ms  p99 {times['p99_ms']:8.1f} ms{verdict}"
        )
    for period, milliseconds in ledger["plain_ms"].items():
        ours = ledger["questions"][f"snapshot {period}"]["p50_ms"]
        lines.append(
            f"  plain sums of {period:<14} {milliseconds:12.1f} ms"
            f"  (snapshot {ours / milliseconds:.3f} of that)"
        )
    return lines


async def _measure_all(folder: Path, sizes: list[int], runs: int) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for size in sizes:
        began = time.perf_counter()
        path = await _ledger(folder, size)
        seconds = time.perf_counter() - began
        found.append({"made_in_seconds": seconds, **await measure(path, runs)})
    return found


def main(arguments: list[str] | None = None) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.metrics", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--messages", type=int, nargs="+", default=[10_000, 1_000_000, 10_000_000])
    parser.add_argument("--runs", type=int, default=30)
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="make the ledgers here")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(arguments)
    CACHE.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=CACHE, prefix="metrics-") as folder:
        kept = options.keep or Path(folder)
        kept.mkdir(exist_ok=True, parents=True)
        found = asyncio.run(_measure_all(kept, sorted(options.messages), options.runs))
    print(json.dumps(found, indent=1) if options.json else page(found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
