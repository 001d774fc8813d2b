"""How well search finds what answers: recall and MRR of FTS5, of two fused lists, and of ours.

python -m benchmarks.retrieval                                  the shipped library: a smoke test
python -m benchmarks.retrieval --docs D.json --queries Q.json   sections of Claude's documentation
python -m benchmarks.retrieval --library DIR --queries Q.json   a folder of Markdown

D.json and Q.json are those of Anthropic's cookbooks (retrieval_augmented_generation/data:
anthropic_docs.json, docs_evaluation_dataset.json). With a folder, Q.json is a list of
{"query": ..., "answers": ["category/id", ...]}.

recall@k is the mean over the questions of |correct in the first k| / |correct|; MRR@10 of 1 / the
place of the first correct one. The halves are told apart by a hash of the question: what is tuned
is tuned on half 0. `--unrelated` counts how often a question that the library cannot answer gets an
answer, and one that it can gets none.
"""

import argparse
import json
import sqlite3
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.retrieval_rankers import Ranker, rankers, search_index
from benchmarks.retrieval_sets import (
    SHIPPED,
    Query,
    RetrievalSet,
    folder_set,
    sections_set,
)
from benchmarks.retrieval_unrelated import UNRELATED

PLACES = (1, 3, 5, 10)


def evaluate(rank: Ranker, queries: Sequence[Query]) -> dict[str, float]:
    """The mean recall at each place, and MRR@10; nothing without questions."""
    if not queries:
        return {}
    found = [(query.answers, rank(query.text)[: PLACES[-1]]) for query in queries]
    recalls = {
        f"recall@{place}": sum(
            len(answers & {*names[:place]}) / len(answers) for answers, names in found
        )
        / len(found)
        for place in PLACES
    }
    firsts = sum(_reciprocal_rank(answers, names) for answers, names in found)
    return {**recalls, "MRR@10": firsts / len(found)}


def _reciprocal_rank(answers: frozenset[str], names: Sequence[str]) -> float:
    return next((1 / place for place, name in enumerate(names, 1) if name in answers), 0.0)


def compare(given: RetrievalSet) -> dict[str, Any]:
    """Every ranker on both halves and on all questions."""
    parts = {
        "half 0, tuned on": [query for query in given.queries if not query.half],
        "half 1": [query for query in given.queries if query.half],
        "all": given.queries,
    }
    return {
        "documents": len(given.documents),
        "sqlite": sqlite3.sqlite_version,
        "questions": {part: len(queries) for part, queries in parts.items()},
        "figures": {
            name: {part: evaluate(rank, queries) for part, queries in parts.items()}
            for name, rank in rankers(given).items()
        },
    }


def refusals(given: RetrievalSet) -> dict[str, int]:
    """How the answers of `UNRELATED` and of the set's own questions are told apart."""
    index = search_index(given)
    return {
        "unrelated": len(UNRELATED),
        "unrelated_answered": sum(bool(index.search(each)) for each in UNRELATED),
        "questions": len(given.queries),
        "questions_refused": sum(not index.search(each.text) for each in given.queries),
    }


def speed(given: RetrievalSet) -> dict[str, float]:
    """Milliseconds a search takes, each question asked twice."""
    index = search_index(given)
    times: list[float] = []
    for query in [*given.queries, *given.queries]:
        start = time.perf_counter()
        index.search(query.text)
        times.append((time.perf_counter() - start) * 1000)
    times.sort()
    return {"p50": times[len(times) // 2], "p99": times[int(len(times) * 0.99)]}


def page(found: dict[str, Any]) -> str:
    """The figures as a table."""
    names = [*(f"recall@{place}" for place in PLACES), "MRR@10"]
    counts = ", ".join(f"{part}: {count}" for part, count in found["questions"].items())
    lines = [f"{found['documents']} documents, questions {counts}; SQLite {found['sqlite']}"]
    lines.append(" " * 38 + "".join(f"{name:>11}" for name in names))
    for ranker, parts in found["figures"].items():
        for part, figures in parts.items():
            cells = "".join(f"{figures[name]:>11.3f}" for name in names if figures)
            lines.append(f"{ranker:<18}{part:<20}{cells}")
    lines.append(f"search: p50 {found['ms']['p50']:.2f} ms, p99 {found['ms']['p99']:.2f} ms")
    if refused := found.get("refusals"):
        lines.append(
            f"unrelated questions answered: {refused['unrelated_answered']} of "
            f"{refused['unrelated']}; its own refused: {refused['questions_refused']} of "
            f"{refused['questions']}"
        )
    return "\n".join(lines)


def _arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    source = parser.add_mutually_exclusive_group()
    source.add_argument("--docs", type=Path, help="sections as JSON")
    source.add_argument("--library", type=Path, help="a folder of Markdown")
    parser.add_argument("--queries", type=Path, help="questions with their answers, as JSON")
    parser.add_argument("--without-paths", action="store_true", help="with --docs: anchors alone")
    parser.add_argument("--unrelated", action="store_true", help="count wrong answers to nothing")
    parser.add_argument("--json", action="store_true", help="print JSON")
    given = parser.parse_args(arguments)
    if (given.docs or given.library) and not given.queries:
        parser.error("--queries is missing: a file of questions with their answers")
    if given.queries and not (given.docs or given.library):
        parser.error("--docs or --library is missing: what the questions are asked of")
    for path in (given.docs, given.library, given.queries):
        if path is not None and not path.exists():
            parser.error(f"{path} does not exist; see --help for the sets that can be given")
    return given


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the comparison."""
    given = _arguments(arguments)
    if given.docs:
        chosen = sections_set(given.docs, given.queries, paths=not given.without_paths)
    else:
        chosen = folder_set(given.library or SHIPPED, given.queries)
    found = compare(chosen) | {"ms": speed(chosen)}
    if given.unrelated:
        found["refusals"] = refusals(chosen)
    print(json.dumps(found, indent=2) if given.json else page(found))
    if not (given.docs or given.library):
        print("The shipped library alone: too little to compare by. See --help for larger sets.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
