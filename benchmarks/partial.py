"""How far off estimates for partial output are: the final counts of answers that have one are
hidden, and what is estimated without them is compared with them.

python -m benchmarks.partial TREE
"""

import argparse
import asyncio
import json
import tempfile
from collections import Counter, defaultdict
from pathlib import Path
from statistics import median
from typing import Any

from msgspec.structs import replace

from token_tracking.attributing.conversation import conversation
from token_tracking.efficiency.attribution import Conversation, Message, attribute
from token_tracking.efficiency.partial import partial_estimates
from token_tracking.ingest import ingest_claude_code
from token_tracking.store import TokenStore

_RECORDED = 2
"""What lines without a final count record of an answer: 1 or 2 tokens in half of the real ones."""


class Figures:
    """Estimated and billed outputs, by how they were estimated."""

    def __init__(self) -> None:
        self.pairs: defaultdict[str, list[tuple[int, int]]] = defaultdict(list)
        self.partial: Counter[str] = Counter()
        self.recorded = self.more = 0

    def hide(self, given: Conversation) -> None:
        """A session with all its final counts hidden, as older clients leave them."""
        truth = {each.key: each for each in given.messages if each.is_own and each.is_final}
        blind = replace(given, messages=[_hidden(each) for each in given.messages])
        for each in partial_estimates(blind, attribute(blind)):
            billed = truth.get(each.key)
            if billed is None or billed.usage.output_tokens <= _RECORDED:
                continue
            if each.tokens_more is not None:
                recorded = min(_RECORDED, billed.usage.output_tokens)
                pair = (recorded + each.tokens_more, billed.usage.output_tokens)
            else:
                pair = (_RECORDED, billed.usage.output_tokens)
            self.pairs[each.method].append(pair)

    def estimate(self, given: Conversation) -> None:
        """The answers of a session that have no final count."""
        outputs = {each.key: each.usage.output_tokens for each in given.messages}
        for each in partial_estimates(given, attribute(given)):
            self.partial[each.method] += 1
            self.recorded += outputs[each.key]
            self.more += each.tokens_more or 0


def _hidden(message: Message) -> Message:
    if not message.is_final:
        return message
    output = min(_RECORDED, message.usage.output_tokens)
    return replace(message, is_final=False, usage=replace(message.usage, output_tokens=output))


async def measure(tree: Path) -> dict[str, Any]:
    """The figures of a tree, from a ledger that is made for it."""
    figures = Figures()
    with tempfile.TemporaryDirectory() as folder:
        async with TokenStore.opened(Path(folder) / "ledger.db") as store:
            await ingest_claude_code(store, [tree])
            for session in await store.session_facts():
                given = conversation(await store.session_chains(session), store.prices)
                figures.hide(given)
                figures.estimate(given)
    pairs = figures.pairs
    together = [pair for each in pairs.values() for pair in each]
    return {
        "hidden": {method: _errors(each) for method, each in sorted(pairs.items())},
        "hidden_together": _errors(together) if together else None,
        "partial_messages": dict(figures.partial),
        "recorded_output_tokens": figures.recorded,
        "estimated_more_tokens": figures.more,
    }


def _errors(pairs: list[tuple[int, int]]) -> dict[str, float]:
    """Relative errors of whole answers, and of their sum."""
    absolute = sorted(abs(estimated / billed - 1) for estimated, billed in pairs)
    estimated, billed = (sum(column) for column in zip(*pairs, strict=True))
    return {
        "answers": len(pairs),
        "billed_tokens": billed,
        "median_error": round(median(absolute), 3),
        "p95_error": round(absolute[min(len(absolute) - 1, int(0.95 * len(absolute)))], 3),
        "bias_of_sum": round(estimated / billed - 1, 3),
    }


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("tree", type=Path, help="a folder that holds `projects`")
    print(json.dumps(asyncio.run(measure(parser.parse_args().tree)), indent=2))


if __name__ == "__main__":
    main()
