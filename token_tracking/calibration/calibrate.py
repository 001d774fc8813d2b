"""Calibration: reads the transcripts again, learns, and saves what is better than the defaults.

The ledger holds no text, so it cannot be learned from alone.
"""

import asyncio
import os
import re
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from token_tracking.calibration.learning import Learned, learn
from token_tracking.calibration.samples import Candidate, FileSamples, Sample
from token_tracking.counting import encoding_tokens_many, multiplier_key
from token_tracking.counting.count import public_encoding
from token_tracking.errors import SourceError
from token_tracking.reading import FoundFile
from token_tracking.sources.claude_code import claude_folders, transcripts
from token_tracking.sources.claude_code.lines import decode_line
from token_tracking.store import TokenStore
from token_tracking.usage import SYNTHETIC_MODEL

LEAST_TOKENS: Final = 200
"""Of o200k_base. In a shorter text, what stands around every text weighs too much."""

_ENOUGH: Final = 2000
"""Samples of one kind of one model: more change nothing, and each has to be counted."""

_LEAST_CHARACTERS: Final = 2 * LEAST_TOKENS
"""A text shorter than this is hardly 200 tokens, and is not even counted. Only Chinese, Japanese
and Korean come near two characters a token."""

_MODEL: Final = re.compile(r"[!-~]{1,128}")
"""A model's name. What else a transcript has there is not kept under."""

Progress = Callable[[int, int], None]


class Calibration(NamedTuple):
    """What was learned, model by model; the files that could not be read, and why."""

    learned: list[Learned]
    files: int
    failures: dict[str, str]


async def calibrate(
    store: TokenStore,
    folders: Sequence[Path] = (),
    *,
    environment: Mapping[str, str] | None = None,
    progress: Progress | None = None,
) -> Calibration:
    """Learn the multipliers of all models in Claude Code's transcripts, and keep them in the
    ledger where they are better than the defaults on sessions that were not learned from.

    A model that has too few samples now keeps what was learned for it before.

    Raises:
        SourceError: folders were given, and none of them can be read.
        StoreError: the database cannot be written; nothing was changed.
    """
    failures: dict[str, str] = {}
    found = _found(folders, os.environ if environment is None else environment, failures)
    samples = await asyncio.to_thread(read_samples, found, failures, progress)
    by_model: dict[str, list[Sample]] = defaultdict(list)
    for sample in samples:
        if sample.kind != "call":
            by_model[sample.model].append(sample)
    now = time.time_ns() // 1_000_000
    learned = [learn(model, by_model[model], now) for model in sorted(by_model)]
    await store.save_multipliers(
        {each.model: each.kept for each in learned if each.fitted is not None}
    )
    return Calibration(learned, len(found), failures)


def _found(
    folders: Sequence[Path], environment: Mapping[str, str], failures: dict[str, str]
) -> list[FoundFile]:
    roots = claude_folders(folders, environment)
    present = [root for root in roots if root.is_dir()]
    if folders and not present:
        raise SourceError(
            f"{', '.join(map(str, roots))}: no such folder. Give the folder that holds `projects`."
        )
    return [file for root in present for file in transcripts(root, failures)]


def read_samples(
    files: Sequence[FoundFile], failures: dict[str, str], progress: Progress | None = None
) -> list[Sample]:
    """The samples of these files, the newest first; at most 2,000 of a kind of each model.

    A file that cannot be read is put into `failures` with the reason.
    """
    taken = _Taken()
    total, done = sum(file.size for file in files), 0
    for file in sorted(files, key=lambda file: (-file.modified_ns, file.path)):
        try:
            taken.take(_candidates(file))
        except OSError as error:
            failures[file.path] = error.strerror or str(error)
        done += file.size
        if progress is not None:
            progress(done, total)
    return taken.samples


def _candidates(file: FoundFile) -> list[Candidate]:
    samples = FileSamples(Path(file.path).stem)
    with Path(file.path).open("rb") as lines:
        for text in lines:
            line = decode_line(text)
            if line is not None:
                samples.take(line)
    return list(samples.candidates())


class _Taken:
    """The samples so far: each message once, and no more of one kind than are needed."""

    def __init__(self) -> None:
        self.samples: list[Sample] = []
        self._seen: set[tuple[str, str]] = set()
        self._counts: Counter[tuple[str, str]] = Counter()

    def take(self, candidates: Sequence[Candidate]) -> None:
        """Count those of one file that are wanted."""
        wanted: list[Candidate] = []
        for each in candidates:
            model = multiplier_key(each.model)
            if self._wants(each, model):
                self._seen.add((each.key, each.kind))
                self._counts[model, each.kind] += 1
                wanted.append(each._replace(model=model))
        tokens = encoding_tokens_many([each.text for each in wanted])
        for each, counted in zip(wanted, tokens, strict=True):
            if counted >= LEAST_TOKENS:
                sample = Sample(each.model, each.session, each.kind, each.billed, counted)
                self.samples.append(sample)
            else:
                self._counts[each.model, each.kind] -= 1

    def _wants(self, each: Candidate, model: str) -> bool:
        return (
            each.billed > 0
            and len(each.text) >= _LEAST_CHARACTERS
            and (each.key, each.kind) not in self._seen
            and self._counts[model, each.kind] < _ENOUGH
            and model != SYNTHETIC_MODEL
            and _MODEL.fullmatch(model) is not None
            and public_encoding(model) is None
        )
