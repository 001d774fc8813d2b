"""A library of generated documents, and questions about them.

Words follow Zipf's law over a vocabulary of which the commonest are English, so that a word's
documents are as many as in real text. The same seed gives the same bytes.
"""

import os
import random
import time
from bisect import bisect
from collections.abc import Iterator
from itertools import accumulate
from pathlib import Path

from benchmarks.generator.filler import TEXT

VOCABULARY = 40_000
CATEGORIES = ("agents", "guides", "skills", "runbooks", "decisions", "apis", "teams", "projects")
SECTIONS = (1, 8)
WORDS_PER_SECTION = (30, 220)
SYLLABLES = [a + b for a in "bcdfghklmnprstv" for b in "aeiou"]
FRAMES = (
    "how do I {} the {}",
    "what is {} and {}",
    "when should we {} a {} with {}",
    "{} {} error",
)
YESTERDAY = time.time() - 86_400
"""What was written just now is read again at the next look: it may be written once more."""

PROSE = 0.75  # of lines; the others are lists and code; chosen


class Words:
    """A vocabulary, and draws from it."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._words: list[str] = list(dict.fromkeys(TEXT.split()))
        known: set[str] = set(self._words)
        while len(self._words) < VOCABULARY:
            word = "".join(rng.choices(SYLLABLES, k=rng.randint(2, 5)))
            if word not in known:
                known.add(word)
                self._words.append(word)
        self._weights = list(accumulate(1 / (rank + 2.7) for rank in range(VOCABULARY)))

    def draw(self, count: int) -> list[str]:
        """Words of running text."""
        total = self._weights[-1]
        return [
            self._words[bisect(self._weights, self._rng.random() * total)] for _ in range(count)
        ]

    def topic(self, count: int) -> list[str]:
        """Words that a document is about: neither the commonest nor the rarest."""
        return [self._words[self._rng.randrange(200, 12_000)] for _ in range(count)]


def write_library(folder: Path, documents: int, seed: int = 1) -> list[str]:
    """Write Markdown with front matter; returns a question for each document."""
    rng = random.Random(seed)
    words = Words(rng)
    questions: list[str] = []
    for number in range(documents):
        topic = words.topic(6)
        path = folder / rng.choice(CATEGORIES) / f"{topic[0]}-{number}.md"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("\n".join(_lines(rng, words, topic)), "utf-8")
        os.utime(path, (YESTERDAY, YESTERDAY))
        questions.append(_question(rng, topic))
    return questions


def _lines(rng: random.Random, words: Words, topic: list[str]) -> Iterator[str]:
    yield f"---\ntitle: {topic[0].title()} {topic[1]}"
    yield f"description: {' '.join(words.draw(8) + topic[:2])}."
    yield f"tags: [{', '.join(topic[2:4])}]\n---\n"
    yield f"# {topic[0].title()} {topic[1]}\n"
    for _ in range(rng.randint(*SECTIONS)):
        yield f"## {' '.join([rng.choice(topic).title(), *words.draw(2)])}\n"
        text = words.draw(rng.randint(*WORDS_PER_SECTION))
        for place in range(5, len(text), 17):
            text[place] = rng.choice(topic)
        for start in range(0, len(text), 14):
            line = " ".join(text[start : start + 14])
            yield line if rng.random() < PROSE else f"- `{line}`"
        yield ""


def _question(rng: random.Random, topic: list[str]) -> str:
    frame = rng.choice(FRAMES)
    return frame.format(*rng.sample(topic, frame.count("{}")))
