"""No committed file knows the machine that it was written on."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

# Written so that this file does not match itself.
FOREIGN = {
    "the address of a package index": r"pypi[.]org/simple|[.]pythonhosted[.]org|registry[.]npmjs",
    "an option that names one": r"-{2}(?:extra-)?index-url[ =]\S+:|-{2}find-links[ =]\S",
    "a folder of a workplace": r"(?<![\w.~*-])[/](?:work|root|opt/pypi|opt/wheels)/[\w.-]",
    "a temporary folder of a workplace": r"[/]tmp/(?:venv|pk-|mcp)",
}


def committed() -> list[Path]:
    try:
        listed = subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            check=False,
            cwd=ROOT,
            capture_output=True,
            text=True,
        )
    except FileNotFoundError:
        pytest.skip("git is not installed")
    if listed.returncode or not (ROOT / ".git").exists():
        pytest.skip("not a git checkout")
    return [ROOT / name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()]


def test_no_file_holds_an_address_or_a_path_of_a_machine() -> None:
    found: list[str] = []
    for path in committed():
        text = path.read_bytes().decode("utf-8", "replace")
        for what, pattern in FOREIGN.items():
            found += [
                f"{path.relative_to(ROOT)}:{text.count(chr(10), 0, match.start()) + 1}: {what}:"
                f" {match[0]}"
                for match in re.finditer(pattern, text)
            ]
    assert not found, "\n".join(found)


OPTION, SLASH = "-" * 2, "/"


@pytest.mark.parametrize(
    "text",
    [
        f"{OPTION}index-url https://example.invalid/simple",
        f"{OPTION}extra-index-url=https://example.invalid/simple",
        f"{OPTION}find-links /srv/wheels",
        f"https://pypi.org{SLASH}simple",
        f"cd {SLASH}work/main",
        f"source {SLASH}tmp/venv/bin/activate",
    ],
)
def test_such_texts_are_found(text: str) -> None:
    assert any(re.search(pattern, text) for pattern in FOREIGN.values())


@pytest.mark.parametrize(
    "text",
    ["--no-emit-index-url", "https://pypi.org/project/token-tracking", "home/me/x", "~/me/x"],
)
def test_others_are_not(text: str) -> None:
    assert not any(re.search(pattern, text) for pattern in FOREIGN.values())
