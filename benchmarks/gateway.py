"""Our gateway and LiteLLM's proxy before the same provider, in one run.

    python -m benchmarks.gateway [--json] [--form openai|anthropic] [--seconds N] [--no-peers]

Added latency is the difference to asking the provider itself, the requests taken in turns; requests
per second are the median of rounds in which the servers take turns. Provider, client and servers
share the machine's cores. The provider answers at once: what is measured is what stands between.
"""

import argparse
import asyncio
import contextlib
import json
import sys
import tempfile
from collections.abc import Coroutine, Sequence
from pathlib import Path
from statistics import median, quantiles
from typing import Any

from benchmarks.gateway_load.caller import Target, alternating, throughput
from benchmarks.gateway_load.servers import Served, litellm, ours, provider
from token_tracking.store import TokenStore

IN_FLIGHT = (1, 16, 64)
ROUNDS = 3
SLOW = 3  # a peer is asked so many times less often for its latency
STREAMS = 100
WARM_UP_SECONDS = 1.0


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gateway", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--form", choices=("openai", "anthropic"), default="openai")
    parser.add_argument("--seconds", type=float, default=3.0, help="of load, a round and server")
    parser.add_argument("--requests", type=int, default=1_000, help="for the added latency")
    parser.add_argument("--no-peers", action="store_true", help="our gateway alone")
    parser.add_argument("--cache", type=Path, default=Path(".cache"), help="for LiteLLM")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        found = run(options, Path(folder))
    print(json.dumps(found, indent=2) if options.json else page(found))


def run(options: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """All figures."""
    with contextlib.ExitStack() as stack:
        upstream = stack.enter_context(provider())
        servers = [stack.enter_context(ours(upstream, folder))]
        if not options.no_peers:
            servers.append(stack.enter_context(litellm(upstream, folder, options.cache)))
        measured = _run(_measure(upstream, servers, options))
    # The gateway was asked to end, and has: what it was given is in the ledger, or is lost.
    measured["messages_recorded"] = asyncio.run(_recorded(folder / "ledger.db"))
    return measured


def _run(measuring: Coroutine[Any, Any, dict[str, Any]]) -> dict[str, Any]:
    """On the fastest loop there is, so that the client leaves the servers their time."""
    if sys.platform == "win32":
        return asyncio.run(measuring)
    import uvloop  # noqa: PLC0415 (not on Windows)

    return uvloop.run(measuring)


async def _measure(
    upstream: Served, servers: list[Served], options: argparse.Namespace
) -> dict[str, Any]:
    form = options.form
    direct, targets = upstream.target(form), [each.target(form) for each in servers]
    for target in targets:
        await throughput(target, 1, WARM_UP_SECONDS)
    found: dict[str, Any] = {"form": form, "servers": {each.name: {} for each in servers}}
    for name, figures in (await _latencies(direct, targets, options.requests)).items():
        found["servers"][name] |= figures
    rates = await _rates(targets, options.seconds)
    for each in servers:
        found["servers"][each.name] |= {
            "requests_per_second": rates[each.name],
            "resident_bytes": each.resident_bytes(),
        }
    return found | _summary(found["servers"]) | {"messages_sent": targets[0].answered}


async def _latencies(
    direct: Target, targets: list[Target], count: int
) -> dict[str, dict[str, float]]:
    """Each in turns with the provider itself, in milliseconds."""
    found: dict[str, dict[str, float]] = {}
    for target, times in zip(targets, (count, count // SLOW), strict=False):
        found[target.name] = await _added(direct, target, times)
    streams = await alternating(
        [direct, *targets], min(STREAMS, count), is_stream=True, take=lambda first, end: first
    )
    for target in targets:
        found[target.name] |= {
            "first_byte_ms_p50": 1000 * median(streams[target.name]),
            "added_first_byte_ms_p50": 1000
            * (median(streams[target.name]) - median(streams[direct.name])),
        }
    return found


async def _added(direct: Target, target: Target, count: int) -> dict[str, float]:
    found = await alternating([direct, target], count, is_stream=False, take=lambda first, end: end)
    there, through = found[direct.name], found[target.name]
    return {
        "added_ms_p50": 1000 * (median(through) - median(there)),
        "added_ms_p99": 1000 * (quantiles(through, n=100)[98] - quantiles(there, n=100)[98]),
    }


async def _rates(targets: list[Target], seconds: float) -> dict[str, dict[str, float]]:
    """Requests a second by how many are in flight."""
    rounds: dict[str, dict[str, list[float]]] = {target.name: {} for target in targets}
    for _ in range(ROUNDS):
        for in_flight in IN_FLIGHT:
            for target in targets:
                rate = await throughput(target, in_flight, seconds)
                rounds[target.name].setdefault(str(in_flight), []).append(rate)
    return {
        name: {in_flight: median(rates) for in_flight, rates in by.items()}
        for name, by in rounds.items()
    }


def _summary(servers: dict[str, Any]) -> dict[str, Any]:
    """What the goals are about. `rps_ratio` is the lowest of all numbers in flight."""
    first, *others = servers.values()
    ratios = {
        in_flight: rate / other["requests_per_second"][in_flight]
        for other in others
        for in_flight, rate in first["requests_per_second"].items()
    }
    names = ("added_ms_p50", "added_ms_p99", "first_byte_ms_p50")
    return {
        "rps_ratio": min(ratios.values(), default=None),
        "rps_ratios": ratios,
        **{name: first[name] for name in names},
    }


async def _recorded(ledger: Path) -> int:
    async with TokenStore.opened(ledger) as store:
        return sum(sums.messages for _, _, sums in await store.totals("quarter"))


def page(found: dict[str, Any]) -> str:
    """The figures as plain text."""
    rows = [("", *found["servers"])]
    figures = list(found["servers"].values())
    for in_flight in map(str, IN_FLIGHT):
        rates = [each["requests_per_second"][in_flight] for each in figures]
        rows.append((f"requests/s, {in_flight} in flight", *(f"{rate:,.0f}" for rate in rates)))
    for label, name in (
        ("added, p50 (ms)", "added_ms_p50"),
        ("added, p99 (ms)", "added_ms_p99"),
        ("first byte of a stream, p50 (ms)", "first_byte_ms_p50"),
        ("  of that added (ms)", "added_first_byte_ms_p50"),
    ):
        rows.append((label, *(f"{each[name]:.2f}" for each in figures)))
    memory = [each["resident_bytes"] for each in figures]
    rows.append(("memory (MB)", *("-" if each is None else f"{each / 1e6:.0f}" for each in memory)))
    lines = [f"{label:<34}" + "".join(f"{each:>16}" for each in cells) for label, *cells in rows]
    ratios = ", ".join(f"{ratio:.1f} at {n}" for n, ratio in found["rps_ratios"].items())
    return "\n".join(
        [
            f"Form: {found['form']}",
            *lines,
            f"Requests a second, ours to theirs: {ratios or 'not measured'} in flight",
            f"Messages sent {found['messages_sent']:,}, recorded {found['messages_recorded']:,}",
        ]
    )


if __name__ == "__main__":
    main()
