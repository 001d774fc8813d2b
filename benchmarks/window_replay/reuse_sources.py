"""Python's own library as the files that an agent reads, and the sizes and distances of real ones.

Distances are rounds since a call last touched a file, of 396 edits and 207 reads of files that had
been touched before, and sizes are those of tool results, in 18 real sessions over 100k tokens.
"""

import random
import re
import sysconfig
from dataclasses import dataclass, field
from math import log
from pathlib import Path
from typing import Final

Distances = tuple[tuple[int, int, int], ...]
"""From, up to, and how many."""

EDITS: Final[Distances] = (
    (1, 2, 292),
    (3, 4, 22),
    (5, 6, 9),
    (7, 8, 10),
    (9, 12, 20),
    (13, 20, 11),
    (21, 30, 14),
    (31, 60, 18),
)
READS: Final[Distances] = (
    (1, 2, 95),
    (3, 4, 15),
    (5, 6, 11),
    (7, 8, 4),
    (9, 12, 19),
    (13, 20, 23),
    (21, 30, 13),
    (31, 60, 27),
)

CHARACTERS_A_TOKEN: Final = 3.5
ROOT: Final = "/home/sam/cpython/Lib"
_LEAST_BYTES, _MOST_BYTES = 6_000, 200_000
_P95: Final = 1.645
"""Standard deviations from the median to the 95th percentile."""

_NAME: Final = re.compile(r"\b(?:[a-z]+_[a-z_]+|[A-Z][a-z]+[A-Z]\w+)\b")


@dataclass(frozen=True)
class Size:
    """Tokens of results: log-normal, by median and 95th percentile, up to a most."""

    median: float
    p95: float
    most: int

    def characters(self, rng: random.Random) -> int:
        """One of them, in characters."""
        drawn = rng.lognormvariate(log(self.median), log(self.p95 / self.median) / _P95)
        return int(min(drawn, self.most) * CHARACTERS_A_TOKEN) + 20


READ: Final = Size(500, 6_000, 20_000)
OUTPUT: Final = Size(300, 6_000, 16_000)


@dataclass
class File:
    """A file, and what the agent saw of it: line ranges, with the rounds of its last touch."""

    path: str
    lines: list[str]
    seen: list[range] = field(default_factory=list[range])
    touched: int = 0

    def part(self, rng: random.Random, characters: int) -> range:
        """Lines from a random place that have about so many characters."""
        start = rng.randrange(len(self.lines))
        stop, left = start, characters
        while stop < len(self.lines) and left > 0:
            left -= len(self.lines[stop]) + 8
            stop += 1
        return range(start, stop)

    def numbered(self, part: range) -> str:
        """Lines as a tool shows them."""
        return "\n".join(f"{number + 1:>6}\t{self.lines[number]}" for number in part)


def library() -> list[tuple[str, list[str]]]:
    """Paths and lines of the files, in an order that is always the same."""
    root = Path(sysconfig.get_paths()["stdlib"])
    packages = ("", "asyncio", "email", "http", "importlib", "logging", "unittest", "xml/dom")
    found = [path for name in packages for path in sorted((root / name).glob("*.py"))]
    return [
        (f"{ROOT}/{path.relative_to(root).as_posix()}", lines)
        for path in found
        if _LEAST_BYTES <= path.stat().st_size <= _MOST_BYTES
        and (lines := path.read_text(encoding="utf-8", errors="replace").splitlines())
    ]


def drawn_distance(rng: random.Random, distances: Distances) -> int:
    """How many rounds back."""
    (first, last, _) = rng.choices(distances, [count for _, _, count in distances])[0]
    return rng.randint(first, last)


def names_in(text: str) -> list[str]:
    """Names of more than one word, each once."""
    return list(dict.fromkeys(_NAME.findall(text)))
