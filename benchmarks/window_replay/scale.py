"""`prepare` on conversations of up to a million tokens: time, memory, and the event loop.

python -m benchmarks.window_replay.scale --tokens N [--memory]   (one size, as JSON)
"""

import argparse
import asyncio
import json
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median, quantiles
from typing import Any, Final

from benchmarks.window_peers.client import PeerGaveUpError
from benchmarks.window_peers.environment import PeersMissingError
from benchmarks.window_replay.peers import peers
from benchmarks.window_replay.subjects import Setting, SubjectGaveUpError
from token_tracking.window.blocks import PlainMessage
from token_tracking.window.window import ContextWindow

SIZES: Final = (250_000, 500_000, 1_000_000)
TURNS: Final = 50
MODEL: Final = "claude-opus-4-6"
PEER: Final = "litellm_trim_100k"
PEER_TOKENS: Final = 250_000
PEER_SECONDS: Final = 120.0
GOALS: Final = {"next_ms_p50": 5.0, "cold_ms": 400.0, "held_ms": 20.0}
_MESSAGE_TOKENS: Final = 333
"""3,000 messages make a million tokens."""
_TICK: Final = 0.001

REPOSITORY = Path(__file__).parents[2]


def conversation(tokens: int, first: int = 0) -> list[PlainMessage]:
    """Calls and results of about so many tokens, all different; the user speaks every 20th time."""
    messages: list[PlainMessage] = []
    for number in range(first, first + tokens // _MESSAGE_TOKENS // 2):
        path = f"/home/sam/shop/module_{number}.py"
        call = {"type": "tool_use", "id": f"call_{number}", "name": "read_file"}
        call = {**call, "input": {"path": path}}
        said = {"type": "text", "text": f"Now module_{number}, as step {number} asks."}
        result = {"type": "tool_result", "tool_use_id": f"call_{number}", "content": _file(number)}
        spoken = (
            [{"type": "text", "text": f"Go on with part {number}."}] if number % 20 == 0 else []
        )
        messages += [
            {"role": "assistant", "content": [said, call]},
            {"role": "user", "content": [result, *spoken]},
        ]
    return messages


def _file(number: int) -> str:
    """About 600 tokens of code."""
    lines = (
        f"    value_{number}_{line} = handle(order, {number * line}, retry=True)  # of the basket"
        for line in range(2 * _MESSAGE_TOKENS * 4 // 75)
    )
    return "\n".join(lines)


class Ticker:
    """A task that wants to run every millisecond; `held` is the longest that it had to wait
    beyond that, in seconds."""

    def __init__(self) -> None:
        self.held = 0.0

    async def __aenter__(self) -> "Ticker":
        self._task = asyncio.create_task(self._tick())
        await asyncio.sleep(10 * _TICK)
        self.held = 0.0
        return self

    async def __aexit__(self, *_: object) -> None:
        await asyncio.sleep(2 * _TICK)
        self._task.cancel()

    async def _tick(self) -> None:
        while True:
            start = time.perf_counter()
            await asyncio.sleep(_TICK)
            self.held = max(self.held, time.perf_counter() - start - _TICK)


async def timed(tokens: int) -> dict[str, Any]:
    """The first call of a process, and the turns that follow it: with the default policy, then
    with none, as the default clears most of a conversation that it meets in the middle."""
    found = await _timed(tokens, None)
    unedited = await _timed(tokens, ())
    return {
        **found,
        "tokens": unedited["tokens"],
        "held_ms": max(found["held_ms"], unedited["held_ms"]),
        "next_ms_unedited_p50": unedited["next_ms_p50"],
    }


async def _timed(tokens: int, policy: tuple[()] | None) -> dict[str, Any]:
    messages: list[PlainMessage] = [{"role": "user", "content": "Go through the shop."}]
    messages += conversation(tokens)
    count = len(messages)
    window = ContextWindow(MODEL, window=2 * SIZES[-1], policy=policy, form="anthropic")
    async with Ticker() as ticker:
        start = time.perf_counter()
        prepared = await window.prepare("You help.", messages)
        cold = time.perf_counter() - start
        seconds = [await _next(window, messages, turn) for turn in range(TURNS)]
    return {
        "tokens": prepared.tokens.total,
        "messages": count,
        "cold_ms": cold * 1000,
        "next_ms_p50": median(seconds) * 1000,
        "next_ms_p99": quantiles(seconds, n=100)[-1] * 1000,
        "held_ms": 1000 * ticker.held,
    }


async def _next(window: ContextWindow, messages: list[PlainMessage], turn: int) -> float:
    messages += conversation(2 * _MESSAGE_TOKENS, len(messages) + turn)
    start = time.perf_counter()
    await window.prepare("You help.", messages)
    seconds = time.perf_counter() - start
    await asyncio.sleep(0)  # the loop is free between turns
    return seconds


async def traced(tokens: int) -> dict[str, Any]:
    """The memory that a window holds beside the caller's messages."""
    messages: list[PlainMessage] = [{"role": "user", "content": "Go through the shop."}]
    messages += conversation(tokens)
    await ContextWindow(MODEL, form="anthropic").prepare(None, messages[:1])  # what is imported
    tracemalloc.start()
    window = ContextWindow(MODEL, window=2 * SIZES[-1], policy=(), form="anthropic")
    await window.prepare("You help.", messages)
    held, peak = tracemalloc.get_traced_memory()
    return {"held_mb": held / 1e6, "peak_mb": peak / 1e6}


def measure_scale(cache: Path | None, sizes: Sequence[int] = SIZES) -> dict[str, Any]:
    """Every size in a fresh process each; with `cache`, LiteLLM beside it on 250,000 tokens."""
    found = [
        _in_process(["--tokens", str(tokens)]) | _in_process(["--tokens", str(tokens), "--memory"])
        for tokens in sizes
    ]
    measured: dict[str, Any] = {"sizes": found}
    if cache is not None:
        measured["litellm"] = asyncio.run(_peer(cache))
        seconds = measured["litellm"].get("seconds")
        if seconds:
            measured["litellm"]["by_ours_cold"] = 1000 * seconds / found[0]["cold_ms"]
    return measured


def _in_process(arguments: list[str]) -> dict[str, Any]:
    command = [sys.executable, "-m", __name__, *arguments]
    done = subprocess.run(command, cwd=REPOSITORY, check=True, capture_output=True)
    return json.loads(done.stdout)


async def _peer(cache: Path) -> dict[str, Any]:
    """LiteLLM's `trim_messages` to 100k tokens; the time inside its call, or that it gave up."""
    messages: list[PlainMessage] = [{"role": "user", "content": "Go."}]
    messages += conversation(PEER_TOKENS)
    setting = Setting(MODEL, PEER_TOKENS, 1_000, "5m")
    try:
        with peers(cache, (PEER,), {"litellm": (PEER_SECONDS, PEER_SECONDS)}) as starts:
            edited = await starts[PEER](setting).prepare(messages, 0, 0)
    except (PeerGaveUpError, SubjectGaveUpError) as error:
        return {"seconds": None, "note": f"{error}: {PEER_SECONDS:g} s with its start"}
    except PeersMissingError as error:
        return {"seconds": None, "note": f"missing: {error}"}
    return {"seconds": edited.seconds, "tokens": PEER_TOKENS}


def scale_page(measured: Mapping[str, Any]) -> str:
    """The figures beside their goals."""
    lines = ["".join(f"{head:>10}" for head in _COLUMNS)]
    for each in measured["sizes"]:
        cells = [each[key] for key in _COLUMNS.values()]
        shown = [f"{cell:>10,.1f}" if isinstance(cell, float) else f"{cell:>10,}" for cell in cells]
        lines.append("".join(shown))
    largest = measured["sizes"][-1]
    lines += [
        f"goal: {key} under {goal:g}: {largest[key]:.1f}, {_met(largest[key] < goal)}"
        for key, goal in GOALS.items()
    ]
    litellm = measured.get("litellm")
    if litellm and litellm["seconds"]:
        lines.append(
            f"LiteLLM trim_messages to 100k, on {litellm['tokens']:,} tokens:"
            f" {litellm['seconds']:.1f} s, {litellm['by_ours_cold']:,.0f} times ours cold"
        )
    elif litellm:
        lines.append(f"LiteLLM trim_messages, beside the first line: {litellm['note']}")
    lines += [
        "",
        "cold: the first call, in a fresh process; next: 50 turns that follow it; plain: the same",
        "without a policy; held: the longest that the event loop was held; holds: memory beside",
        "the caller's messages, without a policy. Times are in milliseconds.",
    ]
    return "\n".join(lines)


_COLUMNS: Final = {
    "tokens": "tokens",
    "messages": "messages",
    "cold": "cold_ms",
    "next p50": "next_ms_p50",
    "next p99": "next_ms_p99",
    "plain p50": "next_ms_unedited_p50",
    "held": "held_ms",
    "holds MB": "held_mb",
}


def _met(is_met: bool) -> str:
    return "met" if is_met else "MISSED"


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--tokens", type=int, default=SIZES[-1])
    parser.add_argument("--memory", action="store_true")
    given = parser.parse_args()
    print(json.dumps(asyncio.run((traced if given.memory else timed)(given.tokens))))
    return 0


if __name__ == "__main__":
    sys.exit(main())
