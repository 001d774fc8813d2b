"""The library that ships with the package: its links, commands, prices and sums are right."""

import ast
import operator
import re
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Final

import pytest
import yaml

import token_tracking_server
from token_tracking.pricing import PriceBook, Rates, limits
from token_tracking_server.cli.parser import build_parser
from token_tracking_server.content.documents import Document, parse_document

LIBRARY: Final = Path(token_tracking_server.__file__).parent / "content" / "library"
README: Final = Path(__file__).parents[2] / "README.md"
SKILL: Final = LIBRARY / "skills" / "token-review"
FILES: Final = sorted(LIBRARY.rglob("*.md"))
GUIDES: Final = sorted((LIBRARY / "guides").glob("*.md"))

PRICES_OF: Final = "2026-11-21"
AT: Final = int(datetime.fromisoformat(PRICES_OF).replace(tzinfo=UTC).timestamp() * 1000)
MILLION: Final = 10**6
COLUMNS: Final[dict[str, Callable[[Rates], Fraction]]] = {
    "Input": lambda rates: Fraction(rates.input, MILLION),
    "Output": lambda rates: Fraction(rates.output, MILLION),
    "Cache read": lambda rates: Fraction(rates.cache_read, MILLION),
    "5-minute write": lambda rates: Fraction(rates.cache_write_5m, MILLION),
    "1-hour write": lambda rates: Fraction(rates.cache_write_1h, MILLION),
    "R": lambda rates: Fraction(rates.cache_read, rates.input),
    "W 5 minutes": lambda rates: Fraction(rates.cache_write_5m, rates.input),
    "W 1 hour": lambda rates: Fraction(rates.cache_write_1h, rates.input),
}
OPERATORS: Final[dict[type[ast.operator], Callable[[Fraction, Fraction], Fraction]]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: lambda one, other: one / other,
}


def name_of(path: Path) -> str:
    return path.relative_to(LIBRARY).as_posix()


def document(path: Path) -> Document:
    category, _, below = name_of(path).removesuffix(".md").partition("/")
    return parse_document(category, below, path.read_text("utf-8"))


def rates(model: str, *, prompt_tokens: int = 0) -> Rates:
    return PriceBook().rates(model, AT, prompt_tokens=prompt_tokens)


every_file = pytest.mark.parametrize("path", FILES, ids=name_of)
every_guide = pytest.mark.parametrize("path", GUIDES, ids=name_of)


def test_there_are_guides_and_a_skill_to_ask_for() -> None:
    assert len(GUIDES) >= 8
    assert (SKILL / "SKILL.md") in FILES


@every_guide
def test_a_guide_says_what_it_is_and_when_to_read_it(path: Path) -> None:
    guide = document(path)
    assert guide.problem is None
    assert guide.title
    assert guide.text.startswith(f"# {guide.title}\n")
    assert guide.description.startswith("Read this ")
    assert guide.description.index(".") == len(guide.description) - 1
    assert len(guide.description) <= 240
    assert len(guide.tags) >= 3
    assert len(set(guide.tags)) == len(guide.tags)


@every_file
def test_a_document_is_short_and_so_are_its_sections(path: Path) -> None:
    of = document(path)
    assert 300 <= len(of.text.split()) <= 950
    for section in of.sections:
        assert len(of.own_text(section)) <= 2_600, section.anchor
        assert section.anchor, section.title


@every_file
def test_an_anchor_names_one_section(path: Path) -> None:
    titles = [section.title for section in document(path).sections]
    assert len(set(titles)) == len(titles)


ANCHORS: Final = {
    f"content://{each.category}/{each.document_id}": {section.anchor for section in each.sections}
    for each in map(document, FILES)
}


@every_file
def test_links_lead_to_sections_that_exist(path: Path) -> None:
    text = path.read_text("utf-8")
    for link in re.findall(r"content://[\w./#-]+", text):
        uri, _, anchor = link.rstrip(".").partition("#")
        assert uri in ANCHORS, link
        assert not anchor or anchor in ANCHORS[uri], link
    for target in re.findall(r"\]\((?!content://)([^)#]+)", text):
        assert (path.parent / target).is_file(), target


FENCED: Final = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def commands(text: str) -> Iterator[str]:
    for _, block in FENCED.findall(text):
        yield from re.findall(r"^token-tracking .+$", block, re.MULTILINE)
    for span in re.findall(r"`(token-tracking\s[^`]+)`", FENCED.sub("", text)):
        yield " ".join(span.split())


@every_file
def test_commands_are_those_of_the_command_line(path: Path) -> None:
    parser = build_parser()
    for command in commands(path.read_text("utf-8")):
        try:
            parser.parse_args(shlex.split(command)[1:])
        except SystemExit:
            pytest.fail(f"no such command: {command}")


def test_the_guides_show_how_to_check_what_they_say() -> None:
    without = [path.stem for path in GUIDES if not [*commands(path.read_text("utf-8"))]]
    assert without == ["just-in-time-content"]  # the assistant's tools show that one


def tables(text: str) -> Iterator[list[list[str]]]:
    for block in re.findall(r"(?:^\|.*\|\n)+", text, re.MULTILINE):
        lines = [line.strip("|").split("|") for line in block.splitlines()]
        yield [[cell.strip() for cell in line] for line in lines]


@every_file
def test_tables_of_prices_hold_what_the_price_book_has(path: Path) -> None:
    text = path.read_text("utf-8")
    for head, _, *rows in tables(text):
        if head[0] != "Model":
            continue
        assert PRICES_OF in text
        assert set(head) <= {"Model", "Prompt tokens", *COLUMNS}
        for cells in rows:
            row = dict(zip(head, cells, strict=True))
            prompt = int(row.pop("Prompt tokens", "0").replace(",", ""))
            of = rates(row.pop("Model"), prompt_tokens=prompt)
            expected = {name: COLUMNS[name](of) for name in row}
            assert {name: Fraction(cell) for name, cell in row.items()} == expected


def calculations(text: str) -> Iterator[tuple[list[Rates], list[str]]]:
    """The blocks of sums, each with the rates of the models that its first line names."""
    for kind, block in FENCED.findall(text):
        if kind != "calc":
            continue
        lines = block.splitlines()
        models: list[Rates] = []
        if lines[0].startswith("# "):
            names, _, over = lines.pop(0)[2:].partition(" over ")
            prompt = int(over.replace(",", "")) + 1 if over else 0
            models = [rates(name, prompt_tokens=prompt) for name in names.split()]
        yield models, lines


@every_file
def test_sums_use_the_prices_of_their_model(path: Path) -> None:
    text = path.read_text("utf-8")
    for models, lines in calculations(text):
        prices = {COLUMNS[name](each) for each in models for name in list(COLUMNS)[:5]}
        reads = {COLUMNS["R"](each) for each in models}
        for line in lines:
            used = {Fraction(price) for price in re.findall(r"\$([\d.]+)/M", line)}
            assert used <= prices, line
            shares = re.findall(r"\((0\.\d+) x |- (0\.\d+)\)", line)
            assert {Fraction(one or other) for one, other in shares} <= reads, line
    assert not re.findall(r"\$[\d.]+/M", FENCED.sub("", text))


def value(text: str) -> Fraction:
    plain = text.replace("$", "").replace(",", "").replace(" x ", " * ").replace("/M", "/1000000")
    return evaluate(ast.parse(plain.strip(), mode="eval").body)


def evaluate(node: ast.expr) -> Fraction:
    match node:
        case ast.BinOp(left, kind, right):
            return OPERATORS[type(kind)](evaluate(left), evaluate(right))
        case ast.UnaryOp(ast.USub(), operand):
            return -evaluate(operand)
        case ast.Constant(int() | float() as number):
            return Fraction(str(number))
        case _:
            raise AssertionError(f"no sum: {ast.dump(node)}")


def half_of_last_digit(text: str) -> Fraction:
    exponent = Decimal(text.replace("$", "").replace(",", "")).as_tuple().exponent
    assert isinstance(exponent, int)
    return Fraction(10) ** exponent / 2


@every_file
def test_sums_are_right(path: Path) -> None:
    for _, lines in calculations(path.read_text("utf-8")):
        for line in lines:
            first, *rest = re.split(r" ([=~]) ", line.rpartition(": ")[2])
            assert rest, line
            for sign, result in zip(rest[::2], rest[1::2], strict=True):
                allowed = half_of_last_digit(result) if sign == "~" else 0
                assert abs(value(first) - value(result)) <= allowed, line


def test_what_the_text_says_of_prices_holds() -> None:
    current = ["claude-opus-5-5", "claude-sonnet-5-5", "claude-haiku-5-5", "claude-fable-5-2"]
    for model in current:
        assert COLUMNS["W 5 minutes"](rates(model)) == Fraction("1.25")
        assert COLUMNS["W 1 hour"](rates(model)) == 2
        assert COLUMNS["Output"](rates(model)) == 5 * COLUMNS["Input"](rates(model))
    tenth = [model for model in current if COLUMNS["R"](rates(model)) == Fraction("0.1")]
    assert tenth == ["claude-haiku-5-5"]  # "wrong for most current models"
    opus = rates("claude-opus-5-5")
    assert opus.output == 100 * opus.cache_read
    assert opus.cache_read == rates("claude-fable-5-2").cache_read
    assert (
        opus.cache_read < rates("claude-sonnet-4-6").cache_read < rates("claude-opus-5").cache_read
    )


FIVE: Final = ("input", "output", "cache_read", "cache_write_5m", "cache_write_1h")


@pytest.mark.parametrize(
    ("factor", "changed", "usual"),
    [
        pytest.param(
            Fraction(5),
            PriceBook().rates("claude-haiku-5-5", AT, prompt_tokens=100_001),
            PriceBook().rates("claude-haiku-5-5", AT, prompt_tokens=100_000),
            id="long prompts of Haiku 5.5",
        ),
        pytest.param(
            Fraction(2),
            PriceBook().rates("claude-opus-5-5", AT, speed="fast"),
            PriceBook().rates("claude-opus-5-5", AT),
            id="fast mode of Opus 5.5",
        ),
        pytest.param(
            Fraction("0.5"),
            PriceBook().rates("claude-haiku-5-5", AT, service_tier="batch"),
            PriceBook().rates("claude-haiku-5-5", AT),
            id="batch",
        ),
        pytest.param(
            Fraction("1.1"),
            PriceBook().rates("claude-opus-5-5", AT, inference_geo="us"),
            PriceBook().rates("claude-opus-5-5", AT),
            id="inference in the US",
        ),
        pytest.param(
            Fraction(1),
            PriceBook().rates("claude-sonnet-5-5", AT, prompt_tokens=900_000),
            PriceBook().rates("claude-sonnet-5-5", AT),
            id="long prompts of Sonnet 5.5",
        ),
    ],
)
def test_a_factor_of_all_prices_is_as_the_text_says(
    factor: Fraction, changed: Rates, usual: Rates
) -> None:
    assert [Fraction(getattr(changed, name), getattr(usual, name)) for name in FIVE] == [factor] * 5


@pytest.mark.parametrize(
    ("model", "window"),
    [
        ("claude-opus-5-5", 1_000_000),
        ("claude-sonnet-5-5", 1_000_000),
        ("claude-haiku-5-5", 1_000_000),
        ("claude-haiku-4-5", 200_000),
    ],
)
def test_windows_are_as_the_text_says(model: str, window: int) -> None:
    found = limits(model)
    assert found is not None
    assert found.context_window == window


def test_the_report_that_is_explained_is_that_of_the_readme() -> None:
    readme = README.read_text("utf-8")
    text = (LIBRARY / "guides" / "reading-reports.md").read_text("utf-8")
    shown = re.findall(r"^    ((?:Month|2026-02) .*)$", text, re.MULTILINE)
    assert len(shown) == 2
    assert set(shown) <= set(readme.splitlines())
    for figure in ("$207.29", "$1,055.78", "96.4%", "1,623"):
        assert figure in readme


def test_the_skill_keeps_to_the_specification_of_agent_skills() -> None:
    _, front, body = (SKILL / "SKILL.md").read_text("utf-8").split("---\n", 2)
    fields = yaml.safe_load(front)
    allowed = {"name", "description", "license", "compatibility", "metadata", "allowed-tools"}
    assert set(fields) <= allowed
    assert fields["name"] == SKILL.name
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", fields["name"])
    assert len(fields["name"]) <= 64
    assert 1 <= len(fields["description"]) <= 1_024
    assert 1 <= len(fields["compatibility"]) <= 500
    assert len(body.splitlines()) < 500


def break_even(*arguments: str) -> "subprocess.CompletedProcess[str]":
    script = SKILL / "scripts" / "break_even.py"
    return subprocess.run(
        [sys.executable, str(script), *arguments], capture_output=True, text=True, check=False
    )


def test_the_script_of_the_skill_finds_the_break_even_of_the_guide() -> None:
    commanded = re.findall(
        r"python scripts/break_even\.py (.+?)[`\n]",
        (LIBRARY / "guides" / "compaction.md").read_text("utf-8")
        + (SKILL / "SKILL.md").read_text("utf-8"),
    )
    assert len(commanded) == 2
    for arguments in commanded:
        done = break_even(*arguments.split())
        assert done.returncode == 0, done.stderr
        assert done.stdout.startswith(
            "Break-even at 16.0 requests: it pays if at least 17 follow.\n"
        )


def test_the_script_says_what_is_wrong_with_its_numbers() -> None:
    done = break_even("--read", "0.05", "--write", "1.25", "--clear", "0", "--keep", "1")
    assert done.returncode == 2
    assert "must be above 0" in done.stderr
