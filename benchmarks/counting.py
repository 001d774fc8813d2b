"""How good the token counts are, and how fast.

python -m benchmarks.counting [TREE] [--json] [--runs 7]

With TREE, a folder of Claude Code transcripts: the relative error of the default and of a learned
multiplier, model by model, on sessions that were not learned from. In a tree whose texts were
replaced by filler the errors say nothing about real texts.

The speed is that of whole pages of 1 MB in one process, in turn with tiktoken's own
`encode_ordinary` and its own pattern over the same vocabulary.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.counting_pages import library_source, pages, plain_o200k
from token_tracking.calibration import Sample, errors_of, learn, read_samples, split
from token_tracking.counting import default_multiplier, encoding_tokens, encoding_tokens_many
from token_tracking.sources.claude_code import transcripts

GOAL_SECONDS = 0.1
DOCUMENT = 5_000  # characters


def _timed(*works: Callable[[], int], runs: int) -> list[dict[str, float]]:
    """Seconds of each, in turn: the median and the least."""
    times: list[list[float]] = [[] for _ in works]
    for _ in range(runs):
        for work, seconds in zip(works, times, strict=True):
            start = time.perf_counter()
            work()
            seconds.append(time.perf_counter() - start)
    return [{"median": statistics.median(each), "least": min(each)} for each in times]


def measure_speed(runs: int) -> dict[str, Any]:
    """Loading, pages one by one, and many small documents."""
    plain = plain_o200k()
    rows: list[dict[str, Any]] = []
    made = pages()
    for name, text in made.items():
        tokens = len(plain.encode_ordinary(text))
        ours, theirs = _timed(
            lambda text=text: encoding_tokens(text),
            lambda text=text: len(plain.encode_ordinary(text)),
            runs=runs,
        )
        rows.append(
            {
                "page": name,
                "bytes": len(text.encode()),
                "tokens": tokens,
                "same": encoding_tokens(text) == tokens,
                "seconds": ours,
                "tiktoken_seconds": theirs,
                "ratio": ours["median"] / theirs["median"],
                "met": ours["median"] < GOAL_SECONDS,
            }
        )
    source = library_source()
    documents = [source[at : at + DOCUMENT] for at in range(0, len(source), DOCUMENT)][:2000]
    (many,) = _timed(lambda: sum(encoding_tokens_many(documents)), runs=3)
    size = sum(len(text.encode()) for text in documents)
    return {
        "cores": os.cpu_count(),
        "load_average": os.getloadavg()[0] if hasattr(os, "getloadavg") else None,
        "load_seconds": _load_seconds(),
        "pages": rows,
        "documents": {"count": len(documents), "bytes": size, "seconds": many},
    }


def _load_seconds() -> dict[str, float]:
    """What the first count of a process costs, the import of tiktoken included: in a new one."""
    program = (
        "import time; start = time.perf_counter(); import token_tracking.counting as c;"
        "imported = time.perf_counter(); c.encoding_tokens('x');"
        "print(imported - start, time.perf_counter() - imported)"
    )
    found: list[list[float]] = []
    for _ in range(5):
        run = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
        found.append(list(map(float, run.stdout.split())))
    imported, first = (statistics.median(each) for each in zip(*found, strict=True))
    return {"import": imported, "first_count": first}


def measure_errors(tree: Path) -> dict[str, Any]:
    """The errors of the default and of the learned multiplier on one half of the sessions.

    Raises FileNotFoundError where there is no such folder, or nothing billed in it.
    """
    failures: dict[str, str] = {}
    files = list(transcripts(tree, failures)) if tree.is_dir() else []
    start = time.perf_counter()
    samples = read_samples(files, failures)
    seconds = time.perf_counter() - start
    if not samples:
        raise FileNotFoundError(f"no billed texts of 200 tokens in transcripts under {tree}")
    by_model: dict[str, list[Sample]] = defaultdict(list)
    for sample in samples:
        by_model[sample.model].append(sample)
    return {
        "tree": str(tree),
        "files": len(files),
        "megabytes": sum(file.size for file in files) / 1e6,
        "seconds": seconds,
        "unreadable": failures,
        "models": [_model(model, by_model[model]) for model in sorted(by_model)],
    }


def _model(model: str, samples: list[Sample]) -> dict[str, Any]:
    taught = [sample for sample in samples if sample.kind != "call"]
    learned = learn(model, taught, 0)
    fitted_on = {sample.session for sample in split(taught)[0]}
    held = [sample for sample in samples if sample.session not in fitted_on]
    known = default_multiplier(model)
    default = 1.0 if known is None else known.multiplier
    kinds: dict[str, Any] = {}
    for kind in ("answer", "growth", "call"):
        of_kind = [sample for sample in held if sample.kind == kind]
        before = errors_of(of_kind, default)
        after = errors_of(of_kind, learned.fitted) if learned.fitted else None
        kinds[kind] = {
            "held_out": len(of_kind),
            "default": before._asdict() if before else None,
            "learned": after._asdict() if after else None,
        }
    return {
        "model": model,
        "samples": len(samples),
        "default": default,
        "learned": learned.fitted,
        "kept": learned.kept is not None,
        "reason": learned.reason,
        "kinds": kinds,
    }


def page(found: dict[str, Any]) -> str:
    """The result as plain text."""
    lines = _speed_lines(found["speed"])
    if "errors" in found:
        lines += ["", *_error_lines(found["errors"])]
    return "\n".join(lines)


def _speed_lines(speed: dict[str, Any]) -> list[str]:
    load, many = speed["load_seconds"], speed["documents"]
    rate = many["bytes"] / 1e6 / many["seconds"]["median"]
    busy = speed["load_average"]
    lines = [
        f"{speed['cores']} cores, load average {'unknown' if busy is None else f'{busy:.1f}'}",
        f"import {load['import'] * 1e3:.0f} ms, first count {load['first_count'] * 1e3:.0f} ms",
        f"{'a page':<30} {'tokens':>8} {'ms':>6} {'least':>6} {'tiktoken':>9} {'ratio':>6}",
    ]
    for row in speed["pages"]:
        ours, theirs = row["seconds"], row["tiktoken_seconds"]
        verdict = "met" if row["met"] else "NOT met"
        lines.append(
            f"{row['page']:<30} {row['tokens']:>8,} {ours['median'] * 1e3:>6.0f}"
            f" {ours['least'] * 1e3:>6.0f} {theirs['median'] * 1e3:>9.0f} {row['ratio']:>6.2f}"
            f"  {'same count' if row['same'] else 'OTHER COUNT'}, under 100 ms: {verdict}"
        )
    lines.append(f"{many['count']:,} documents of {DOCUMENT:,} characters: {rate:.0f} MB a second")
    return lines


def _error_lines(found: dict[str, Any]) -> list[str]:
    lines = [
        f"{found['tree']}: {found['megabytes']:,.0f} MB in {found['files']} files",
        f"read and counted in {found['seconds']:.1f} s",
        "relative errors on held-out sessions: median / p95 / bias; + is too many tokens",
    ]
    for row in found["models"]:
        fitted = "none" if row["learned"] is None else f"x {row['learned']:.3f}"
        lines.append(
            f"{row['model']}: default x {row['default']:.2f}, learned {fitted}"
            f" ({'kept' if row['kept'] else 'not kept'}: {row['reason']})"
        )
        for kind, errors in row["kinds"].items():
            if errors["held_out"]:
                lines.append(
                    f"  {kind:<7} {errors['held_out']:>5,} samples  default"
                    f" {_errors(errors['default'])}  learned {_errors(errors['learned'])}"
                )
    return lines


def _errors(errors: dict[str, float] | None) -> str:
    if errors is None:
        return "-"
    return f"{errors['median']:.1%} / {errors['p95']:.1%} / {errors['bias']:+.1%}"


def main(arguments: list[str] | None = None) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.counting", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("tree", nargs="?", type=Path, metavar="TREE")
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(arguments)
    found: dict[str, Any] = {}
    if options.tree:
        found["errors"] = measure_errors(options.tree)
    found["speed"] = measure_speed(options.runs)
    print(json.dumps(found, indent=1) if options.json else page(found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
