"""Attribution on a tree of transcripts: whether every session adds up, what is measured of it, how
far off estimates by bytes are, and how long it takes.

python -m benchmarks.attribution TREE
"""

import argparse
import asyncio
import json
import sys
import tempfile
import time
from collections import Counter, defaultdict
from pathlib import Path
from statistics import median
from typing import Any

from msgspec.structs import asdict

from token_tracking.attributing import session_shares
from token_tracking.attributing.conversation import conversation
from token_tracking.efficiency import scales
from token_tracking.efficiency.advice import find_waste
from token_tracking.efficiency.attribution import Attribution, Conversation, attribute
from token_tracking.efficiency.attribution.sizes import Sizes
from token_tracking.ingest import ingest_claude_code
from token_tracking.pricing import usd
from token_tracking.shares import Facts
from token_tracking.store import SessionChains, SessionData, TokenStore

_SESSIONS_AT_ONCE = 32

_LEAST_BYTES = 400
"""Smaller results say more about the frame of a block than about bytes."""


class Figures:
    """What is added up over all sessions."""

    def __init__(self) -> None:
        self.seconds: defaultdict[str, float] = defaultdict(float)
        self.findings: Counter[str] = Counter()
        self.kinds: Counter[str] = Counter()
        self.bases: Counter[str] = Counter()
        self.facts = Facts()
        self.tokens = self.pico = self.sessions = self.messages = self.wrong = 0
        self.errors: defaultdict[str, list[float]] = defaultdict(list)
        self.bytes: defaultdict[str, list[float]] = defaultdict(list)

    def clock(self, stage: str, started: float) -> None:
        """Processor time of a stage, since it started."""
        self.seconds[stage] += time.process_time() - started

    def take(self, found: Attribution, data: SessionData, store: TokenStore) -> None:
        """One session; wrong where it does not add up to what the ledger has."""
        self.sessions += 1
        self.tokens += found.prompt_tokens
        self.pico += found.prompt_pico or 0
        tokens = sum(item.prompt_tokens for item in found.items)
        pico = sum(item.cost_pico or 0 for item in found.items)
        self.wrong += (tokens, pico) != (data.sums.prompt_tokens, _prompt_pico(data, store))
        self.facts = sum(found.facts.values(), self.facts)
        for item in found.items:
            self.kinds[item.kind] += item.prompt_tokens
            self.bases[item.basis] += item.prompt_tokens
        for name in found.findings.__struct_fields__:
            self.findings[name] += getattr(found.findings, name)

    def measure(self, given: Conversation, sizes: Sizes) -> None:
        """Results that entered alone between two requests, the answer before them being final."""
        after = Counter(entry.after for entry in given.entries if entry.bytes is not None)
        messages = {message.key: message for message in given.messages}
        alone = {
            entry.after: entry
            for entry in given.entries
            if entry.kind == "tool"
            and after[entry.after] == 1
            and (entry.bytes or 0) > _LEAST_BYTES
        }
        for message in given.messages:
            before, entry = messages.get(message.parent or ""), alone.get(message.parent)
            if before is None or entry is None or not before.is_final:
                continue
            billed = message.usage.prompt_tokens - before.usage.prompt_tokens
            billed -= before.usage.output_tokens
            if billed > 0:
                model = message.model or ""
                self.errors[model].append(sizes.of_entry(entry, model) / billed - 1)
                self.bytes[model].append((entry.bytes or 0) / billed)


def _prompt_pico(data: SessionData, store: TokenStore) -> int:
    """What the prompts of a session's own messages cost, message by message."""
    total = 0
    for each in data.messages:
        if each.cost_pico is not None:
            cost = store.prices.cost(
                each.usage,
                each.model or "",
                each.timestamp,
                speed=each.speed,
                service_tier=each.service_tier,
                inference_geo=each.inference_geo,
            )
            total += cost.input_pico + cost.cache_read_pico
            total += cost.cache_write_5m_pico + cost.cache_write_1h_pico
    return total


async def _take(figures: Figures, chains: SessionChains, store: TokenStore, sizes: Sizes) -> None:
    """Attribute one session."""
    started = time.process_time()
    given = conversation(chains, store.prices)
    figures.clock("prepare", started)
    started = time.process_time()
    found = attribute(given)
    figures.clock("attribute", started)
    started = time.process_time()
    session_shares(chains.session_id, found, find_waste(given, found))
    figures.clock("advise", started)
    figures.messages += len(chains.messages)
    figures.take(found, await store.get_session_data(chains.session_id), store)
    figures.measure(given, sizes)


async def measure(tree: Path) -> dict[str, Any]:
    """The figures of a tree, from a ledger that is made for it."""
    figures = Figures()
    sizes = Sizes(scales())
    with tempfile.TemporaryDirectory() as folder:
        async with TokenStore.opened(Path(folder) / "ledger.db") as store:
            await ingest_claude_code(store, [tree])
            sessions = list(await store.session_facts())
            for first in range(0, len(sessions), _SESSIONS_AT_ONCE):
                started = time.process_time()
                read = await store.chains_of(sessions[first : first + _SESSIONS_AT_ONCE])
                figures.clock("read", started)
                for chains in read:
                    await _take(figures, chains, store, sizes)
            cells = await store.totals("session")
            ledger = sum(sums.prompt_tokens for _, _, sums in cells)
    return _told(figures, ledger)


def _told(figures: Figures, ledger_tokens: int) -> dict[str, Any]:
    return {
        "sessions": figures.sessions,
        "sessions_that_do_not_add_up": figures.wrong,
        "prompt_tokens": figures.tokens,
        "ledger_prompt_tokens": ledger_tokens,
        "prompt_cost_usd": str(usd(figures.pico)),
        "percent_of_tokens_by_basis": _percent(figures.bases),
        "percent_of_tokens_by_kind": _percent(figures.kinds),
        "findings": dict(figures.findings),
        "estimates_by_bytes": {
            model: _errors(errors, figures.bytes[model])
            for model, errors in sorted(figures.errors.items())
        },
        "caching": {name: each for name, each in asdict(figures.facts).items() if each},
        "processor_seconds": {name: round(each, 2) for name, each in figures.seconds.items()},
        "microseconds_a_message": {
            name: round(1e6 * each / max(1, figures.messages), 1)
            for name, each in figures.seconds.items()
        },
    }


def _percent(counts: Counter[str]) -> dict[str, float]:
    together = sum(counts.values()) or 1
    return {name: round(100 * count / together, 2) for name, count in counts.most_common()}


def _errors(errors: list[float], ratios: list[float]) -> dict[str, float]:
    """Relative errors of estimated against billed sizes."""
    absolute = sorted(map(abs, errors))
    return {
        "results": len(errors),
        "bytes_per_token": round(median(ratios), 2),
        "median_error": round(median(absolute), 3),
        "p95_error": round(absolute[min(len(absolute) - 1, int(0.95 * len(absolute)))], 3),
        "bias": round(median(errors), 3),
    }


def main() -> int:
    """Print the figures; 1 where a session does not add up."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("tree", type=Path, help="a folder that holds `projects`")
    found = asyncio.run(measure(parser.parse_args().tree))
    print(json.dumps(found, indent=2))
    right = found["prompt_tokens"] == found["ledger_prompt_tokens"]
    return int(found["sessions_that_do_not_add_up"] > 0 or not right)


if __name__ == "__main__":
    sys.exit(main())
