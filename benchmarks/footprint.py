"""What an assistant pays for a server before it asks anything, in tokens: ours beside others.

python -m benchmarks.footprint [--documents 10 1000] [--json]

Counted with o200k_base, of compact JSON. "Model" is the name, description and input schema of each
tool, which clients hand on to the model, and with the instructions makes "always": what every
conversation pays. Which of the other lists a model sees depends on the client.
"""

import argparse
import json
import random
import sys
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks.generator.filler import Filler
from benchmarks.listings import Listing, compact, read_listing
from benchmarks.other_servers import Server, other_servers
from benchmarks.transcripts import CACHE
from token_tracking.counting import encoding_tokens

MOST_TOKENS = 900
DOCUMENTS = (10, 1_000)
CATEGORIES = ("agents", "guides", "reference", "skills")
SECTIONS = 4
SECTION_CHARACTERS = 600
OURS = [sys.executable, "-m", "token_tracking_server.cli", "serve"]


@dataclass(frozen=True)
class Footprint:
    """One server's, in tokens."""

    name: str
    tool_count: int
    model: int
    instructions: int
    tools: int
    resources: int
    templates: int
    prompts: int

    @classmethod
    def of(cls, name: str, found: Listing) -> "Footprint":
        """Count what a server told."""
        return cls(
            name=name,
            tool_count=len(found.tools),
            model=sum(_tokens(tool) for tool in found.model_tools()),
            instructions=encoding_tokens(found.instructions),
            tools=_tokens(found.tools),
            resources=_tokens(found.resources),
            templates=_tokens(found.templates),
            prompts=_tokens(found.prompts),
        )

    @property
    def always(self) -> int:
        """What every conversation pays."""
        return self.model + self.instructions

    @property
    def everything(self) -> int:
        """What a client is told, all lists together."""
        lists = self.tools + self.resources + self.templates + self.prompts
        return lists + self.instructions


def _tokens(value: list[dict[str, Any]] | dict[str, Any]) -> int:
    return encoding_tokens(compact(value)) if value else 0


def our_servers(folder: Path, documents: list[int]) -> list[Server]:
    """Ours as it comes, and with libraries of so many documents."""
    servers: list[Server] = []
    for count in (0, *documents):
        home = folder / str(count)
        (home / "claude" / "projects").mkdir(parents=True)
        environment = {
            "TOKEN_TRACKING_DB": str(home / "ledger.db"),
            "TOKEN_TRACKING_CLAUDE_DIRS": str(home / "claude"),
        }
        if count:
            write_library(home / "library", count)
            environment["TOKEN_TRACKING_LIBRARY"] = str(home / "library")
        name = f"token-tracking, {count:,} documents" if count else "token-tracking"
        question = ("search_content", {"query": "order"})
        servers.append(Server(name, OURS, environment, question))
    return servers


def write_library(folder: Path, count: int) -> None:
    """A library of so many documents, in categories, with a title and sections each."""
    filler = Filler(random.Random(1))
    for number in range(count):
        path = folder / CATEGORIES[number % len(CATEGORIES)] / f"document-{number}.md"
        path.parent.mkdir(parents=True, exist_ok=True)
        sections = [
            f"## Section {section}\n\n{filler.text(SECTION_CHARACTERS)}\n"
            for section in range(SECTIONS)
        ]
        path.write_text("\n".join([f"# Document {number}\n", *sections]), encoding="utf-8")


def measure(documents: list[int]) -> list[Footprint]:
    """Ours first, then the others."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        servers = [*our_servers(home, documents), *other_servers(CACHE, home)]
        return [Footprint.of(server.name, read_listing(server)) for server in servers]


def table(rows: list[Footprint]) -> str:
    """A line for each server; ratios are to the first. Beneath, whether the goals are met."""
    columns = ["tools", "model", "instructions", "always", "ratio"]
    columns += ["tools/list", "resources", "templates", "prompts"]
    lines = [_line("", columns, columns)]
    for row in rows:
        counts = [row.tool_count, row.model, row.instructions, row.always]
        lists = [row.tools, row.resources, row.templates, row.prompts]
        figures = [
            *(f"{count:,}" for count in counts),
            f"{row.always / rows[0].always:.2f}",
            *(f"{count:,}" for count in lists),
        ]
        lines.append(_line(row.name, figures, columns))
    met = "met" if rows[0].model <= MOST_TOKENS else "NOT met"
    lines.append(f"\nall our tools, at most {MOST_TOKENS} tokens: {met}")
    lines += [
        f"{row.name}: {row.everything - rows[0].everything:+,} tokens in all that is listed"
        for row in rows[1:]
        if row.name.startswith(rows[0].name)
    ]
    return "\n".join(lines)


def _line(name: str, figures: list[str], columns: list[str]) -> str:
    shown = (
        f"{figure:>{len(column) + 2}}" for figure, column in zip(figures, columns, strict=True)
    )
    return f"{name:<32}{''.join(shown)}"


def main(arguments: list[str] | None = None) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.footprint", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--documents", type=int, nargs="*", default=list(DOCUMENTS))
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(arguments)
    rows = measure(options.documents)
    found = [{**asdict(row), "always": row.always} for row in rows]
    print(json.dumps(found, indent=1) if options.json else table(rows))
    return 0


if __name__ == "__main__":
    sys.exit(main())
