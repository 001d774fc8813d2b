"""Prints what the conversations of a tree are, and how near their estimates are to the bills.

python -m benchmarks.window_sessions DIR
"""

import argparse
import json
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from statistics import median, quantiles
from typing import Any, Final

from benchmarks.window_sessions import (
    Conversation,
    conversations_of,
    estimated_prompts,
    read_sessions,
)
from token_tracking.window.laws import validate

_LONG: Final = 100_000


class Figures:
    """What is added up over all sessions."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.skipped: Counter[str] = Counter()
        self.broken: Counter[str] = Counter()
        self.residuals: list[float] = []

    def take(self, conversation: Conversation) -> None:
        """One conversation."""
        self.counts["conversations"] += 1
        self.counts["requests"] += len(conversation.requests)
        for estimate, request in zip(
            estimated_prompts(conversation), conversation.requests, strict=True
        ):
            billed = request.prompt_tokens
            self.counts["prompt_tokens"] += billed
            self.counts["requests_over_100k"] += billed > _LONG
            self.residuals.append(abs(estimate - billed) / max(1, billed))
        for broken in filter(None, map(validate, _longest(conversation))):
            self.broken[broken.law] += 1

    def told(self) -> dict[str, Any]:
        """The figures by name; residuals are shares of the billed prompt."""
        residuals = [0.0, 0.0, *self.residuals]
        return {
            **self.counts,
            "residual_median": round(median(residuals), 5),
            "residual_p95": round(quantiles(residuals, n=20)[-1], 5),
            "residual_worst": round(max(residuals), 3),
            "laws_broken": dict(self.broken),
            "skipped": dict(self.skipped),
        }


def _longest(conversation: Conversation) -> Iterator[list[dict[str, Any]]]:
    """The conversations that the next request did not merely continue: they hold all others."""
    keeps = [request.keep for request in conversation.requests[1:]]
    for messages, keep in zip(conversations_of(conversation), [*keeps, 0], strict=True):
        if keep < len(messages):
            yield messages


def measure(tree: Path) -> dict[str, Any]:
    """The figures of a tree."""
    figures = Figures()
    for session in read_sessions(tree):
        figures.counts["sessions"] += 1
        figures.skipped.update(session.skipped)
        for conversation in session.conversations:
            figures.take(conversation)
        figures.counts["sessions_over_100k"] += any(
            request.prompt_tokens > _LONG
            for conversation in session.conversations
            for request in conversation.requests
        )
    return figures.told()


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("tree", type=Path, help="a folder that holds `projects`, or is one")
    print(json.dumps(measure(parser.parse_args().tree), indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main())
