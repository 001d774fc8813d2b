"""How good the estimates of `quick_tokens` are, how fast, and where their weights come from.

python -m benchmarks.counting_quick [--folder DIR ...]

Texts are pieces of the standard library's and the installed packages' files, of what `--folder`
names (documentation, manual pages, translations in .mo files), and made ones such as listings,
diffs and hex. A file, by its content, is either fitted to or held out. Errors are those of the
weights in `token_tracking/counting/quick.py` on what is held out; the weights fitted here stand
beside them. The weights there are those of

python -m benchmarks.counting_quick --folder /usr/share --folder /usr/include \\
    --folder /usr/lib/node_modules

on a Debian machine with manual pages and translations.
"""

import argparse
import base64
import difflib
import gettext
import gzip
import json
import math
import random
import re
import statistics
import string
import sys
import sysconfig
import time
import unicodedata
import uuid
import zlib
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from operator import mul
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.counting_pages import library_source, plain_o200k
from token_tracking.counting import quick

KINDS = {
    "Python": ".py",
    "JavaScript": ".js .mjs .ts",
    "C and others": ".c .h .rs .go .java .css .sh .pl .pm",
    "documents": ".md .rst .txt LICENSE README copyright",
    "HTML and XML": ".html .xml .svg",
    "JSON": ".json",
    "settings": ".toml .yaml .yml .ini .cfg METADATA RECORD",
    "tables and logs": ".csv .log",
    "manual pages": ".gz",
    "translations": ".mo",
}
LANGUAGE = re.compile(
    r"/(ar|cs|da|de|el|es|fi|fr|he|hi|hu|id|it|ja|ko|nb|nl|pl|pt|ro|ru|sv|th|tr|uk|vi|zh)"
    r"(_BR|_CN|_TW)?/LC_MESSAGES/"
)
SHORTEST, LONGEST = 200, 10_000  # characters of a piece
WEIGHTS = quick.WEIGHTS | quick.FOREIGN_WEIGHTS


class Piece(NamedTuple):
    """A text with its exact count. `held` says that nothing was fitted to its file."""

    kind: str
    held: bool
    text: str
    tokens: int


def read(path: Path) -> str:
    """A file's text; "" where it has none."""
    try:
        if path.stat().st_size > 3_000_000:
            return ""
        if path.suffix == ".mo":
            with path.open("rb") as file:
                catalog: dict[Any, str] = vars(gettext.GNUTranslations(file))["_catalog"]
            return "\n".join(catalog.values())
        data = path.read_bytes()
        return (gzip.decompress(data) if path.suffix == ".gz" else data).decode()
    except (OSError, ValueError, EOFError, zlib.error):
        return ""


def texts(folders: list[Path], rng: random.Random) -> Iterator[tuple[str, str]]:
    """Kind and text of each file, in an order of chance, until there is enough of a kind."""
    kinds = {end: kind for kind, ends in KINDS.items() for end in ends.split()}
    found: dict[str, list[Path]] = defaultdict(list)
    for path in (path for folder in folders for path in sorted(folder.rglob("*"))):
        if kind := kinds.get(path.suffix) or kinds.get(path.name):
            found[kind].append(path)
    for kind, paths in found.items():
        rng.shuffle(paths)
        seen = set[int]()
        for path in paths:
            language = LANGUAGE.search(path.as_posix())
            if len(seen) >= (800 if language else 300) or (path.suffix == ".mo" and not language):
                continue
            text = read(path)
            if len(text) >= SHORTEST and zlib.crc32(text.encode()) not in seen:
                seen.add(zlib.crc32(text.encode()))
                yield f"in {language[1]}" if kind == "translations" and language else kind, text
    yield from made(found["Python"], rng)


def made(sources: list[Path], rng: random.Random) -> Iterator[tuple[str, str]]:
    """What tools print, and what has no words."""
    emoji = [chr(code) for code in range(0x1F300, 0x1FAFF) if unicodedata.name(chr(code), "")]
    for _ in range(100):
        some = rng.sample(sources, 60)
        lines = [line for path in some[:8] for line in read(path).split("\n")][:600]
        less = [line for line in lines if rng.random() > 0.1]
        where = [f'  File "{path}", line {n * 37}, in {path.stem}\n' for n, path in enumerate(some)]
        items = [{"n": n, "text": t, "id": rng.randbytes(8).hex()} for n, t in enumerate(less[:99])]
        coded = rng.choice([base64.b64encode, base64.encodebytes])(rng.randbytes(5000))
        gap, comma = rng.choice(["", "\n", " ", "  x\n"]), rng.choice([",", ", ", "\t"])
        sizes, rule = rng.sample(range(9), 6), rng.choice("-=") * rng.randint(20, 120)
        cells = rng.choices(["name", "value", str(rng.randrange(9999)), "-", "", "ok"], k=5)
        yield "numbered lines", "\n".join(f"{n:6}\t{line}" for n, line in enumerate(lines, 1))
        yield "matches", "\n".join(f"{some[0]}:{n}:{line}" for n, line in enumerate(less, 1))
        yield "diffs", "\n".join(difflib.unified_diff(lines, less, "a/x.py", "b/x.py", lineterm=""))
        yield "tracebacks", "\n".join(map("{}    {}".format, where, map(str.strip, less)))
        yield (
            "listings",
            "\n".join(
                f"-rw-r--r-- 1 root root {p.stat().st_size:8} Nov {n % 30:2} 10:{n} {p.name}"
                for n, p in enumerate(some)
            ),
        )
        yield "paths", "\n".join(map(str, sorted(some)))
        yield "trees", "\n".join(f"{'│   ' * (n % 4)}├── {p.name}" for n, p in enumerate(some))
        yield "JSON lines", json.dumps(items, indent=rng.choice([None, 1, 2]))
        yield "base64", coded.decode()
        yield "hex", gap.join(rng.randbytes(20).hex() for _ in range(200))
        yield "random letters", "".join(rng.choices(string.ascii_lowercase, k=5000))
        yield "UUIDs", "\n".join(str(uuid.UUID(int=rng.getrandbits(128))) for _ in range(200))
        yield (
            "numbers",
            "\n".join(
                comma.join(f"{rng.random() * 10**n:.{9 - n}f}" for n in sizes) for _ in range(200)
            ),
        )
        yield (
            "tables",
            "\n".join(
                rule if n % 40 == 1 else "".join(cell.ljust(rng.randint(4, 24)) for cell in cells)
                for n in range(99)
            ),
        )
        yield "emoji", "\n".join(f"{rng.choice(emoji)} {line.strip()}" for line in less[:100])


def pieces(folders: list[Path]) -> list[Piece]:
    rng, encode = random.Random(7), plain_o200k().encode_ordinary
    found: list[Piece] = []
    for kind, text in texts(folders, rng):
        held = zlib.crc32(text.encode()) % 3 == 0
        for _ in range(3 if len(text) >= SHORTEST else 0):
            size = int(math.exp(rng.uniform(math.log(SHORTEST), math.log(LONGEST))))
            at = rng.randrange(max(1, len(text) - size + 1))
            part = text[at : at + size]
            found.append(Piece(kind, held, part, len(encode(part))))
    return found


def fitted(found: list[Piece]) -> list[float]:
    """Weights by least squares of relative errors. Errors over 5% count by their size, not its
    square; no kind counts for more than 400 pieces."""
    sizes = Counter(piece.kind for piece in found)
    shares = [min(1, 400 / sizes[kind]) * (0.6 if kind[:3] == "in " else 1) for kind, *_ in found]
    rows = [
        [value / piece.tokens for value in count + [0] * (len(WEIGHTS) - len(count))]
        for piece in found
        for count in [quick.measures(piece.text)]
    ]
    now, weights = shares, list[float]()
    for _ in range(8):
        weights = _solved(rows, now)
        errors = (abs(sum(map(mul, row, weights)) - 1) for row in rows)
        now = [share / max(error / 0.05, 1) for share, error in zip(shares, errors, strict=True)]
    return weights


def _solved(rows: list[list[float]], shares: list[float]) -> list[float]:
    """The normal equations, by Gauss and Jordan; a small ridge holds what hardly occurs."""
    scaled = [[value * share for value in row] for row, share in zip(rows, shares, strict=True)]
    columns, weighted = list(zip(*rows, strict=True)), list(zip(*scaled, strict=True))
    table = [[*(sum(map(mul, a, b), 0.0) for b in columns), sum(a, 0.0)] for a in weighted]
    for n, row in enumerate(table):
        row[n] = row[n] * 1.0001 + 1e-12
    for n, pivot in enumerate(table):
        pivot[:] = [value / pivot[n] for value in pivot]
        for row in table[:n] + table[n + 1 :]:
            row[:] = [value - row[n] * by for value, by in zip(row, pivot, strict=True)]
    return [row[-1] for row in table]


def errors(groups: Iterable[Sequence[Piece]]) -> list[float]:
    """Relative errors of texts, each group together: number, median, p95, and signed median."""
    signed = [
        sum(quick.quick_tokens_many(piece.text for piece in group)) / sum(p.tokens for p in group)
        - 1
        for group in groups
    ]
    sizes = sorted(map(abs, signed)) or [math.nan]
    bias = statistics.median(signed or [math.nan])
    return [len(signed), statistics.median(sizes), sizes[int(0.95 * len(sizes))], bias]


def measure(folders: list[Path]) -> dict[str, Any]:
    """Errors of the weights in use, the weights fitted here, and the speed."""
    library = [Path(sysconfig.get_path(name)) for name in ("stdlib", "purelib")]
    found = pieces([*library, *folders])
    held = [piece for piece in found if piece.held]
    mixed = random.Random(3).sample(held, len(held))
    kinds: dict[str, list[Piece]] = defaultdict(list)
    for piece in held:
        kinds[piece.kind].append(piece)
    return {
        "errors": {
            "all": errors([p] for p in held),
            "of 2,000 characters": errors([p] for p in held if len(p.text) >= 2000),
            "50 together": errors(mixed[at : at + 50] for at in range(0, len(held) - 49, 50)),
            "but translations": errors([p] for p in held if p.kind[:3] != "in "),
            **{kind: errors([p] for p in kinds[kind]) for kind in sorted(kinds)},
        },
        "speed": speed(),
        "weights": dict(zip(WEIGHTS, fitted([p for p in found if not p.held]), strict=True)),
    }


def speed(runs: int = 5) -> dict[str, float]:
    """The best of some runs over 4 MB of source in 3,000 texts, and in one, in turn with
    tiktoken in one thread; milliseconds."""
    source = library_source()[:4_000_000]
    texts = [source[at : at + 1334] for at in range(0, len(source), 1334)]
    encode = plain_o200k().encode_ordinary
    works: dict[str, Callable[[], object]] = {
        "3,000 texts": lambda: quick.quick_tokens_many(texts),
        "one text": lambda: quick.quick_tokens(source),
        "tiktoken": lambda: [len(encode(text)) for text in texts],
    }
    best = dict.fromkeys(works, math.inf)
    for _ in range(runs):
        for name, work in works.items():
            start = time.perf_counter()
            work()
            best[name] = min(best[name], (time.perf_counter() - start) * 1e3)
    return best


def page(found: dict[str, Any]) -> str:
    lines = [f"{'held-out texts':<24} {'number':>6} {'median':>7} {'p95':>6} {'bias':>7}"]
    for kind, (number, median, p95, bias) in found["errors"].items():
        lines.append(f"{kind:<24} {number:>6} {median:>7.1%} {p95:>6.1%} {bias:>+7.1%}")
    times = found["speed"]
    lines += ["", "4 MB of Python in one thread:"]
    for name, took in times.items():
        ratio = times["tiktoken"] / took
        lines.append(
            f"  {name:<12} {took:>7.1f} ms, {4000 / took:>5.0f} MB a second, x {ratio:.0f}"
        )
    lines += ["", f"{'weights':<26} {'here':>9} {'in use':>9}"]
    lines += [
        f"{name:<26} {value:>9.4f} {WEIGHTS[name]:>9.4f}"
        for name, value in found["weights"].items()
    ]
    return "\n".join(lines)


def main(arguments: list[str] | None = None) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.counting_quick")
    parser.add_argument("--folder", type=Path, action="append", default=[], metavar="DIR")
    options = parser.parse_args(arguments)
    print(page(measure(options.folder)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
