"""Figures as the page writes them, by the functions that it uses."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from token_tracking_server.dashboard import page

pytestmark = pytest.mark.skipif(shutil.which("node") is None, reason="no node")

CASES: list[tuple[str, list[Any], str]] = [
    ("money", [12.34], "$12.34"),
    ("money", [1234.5], "$1,234.50"),
    ("money", [0], "$0.00"),
    ("money", [0.004], "$0.0040"),
    ("money", [0.01], "$0.01"),
    ("money", [0.00001], "<$0.0001"),
    ("money", [-0.7], "-$0.70"),
    ("money", [None], "unknown"),
    ("tokens", [0], "0"),
    ("tokens", [9_999], "9,999"),
    ("tokens", [12_345], "12.3k"),
    ("tokens", [10_000], "10k"),
    ("tokens", [999_960], "1M"),
    ("tokens", [1_200_000], "1.2M"),
    ("tokens", [252_530_530], "253M"),
    ("tokens", [None], "unknown"),
    ("share", [0.5], "50.0%"),
    ("share", [1], "100.0%"),
    ("share", [0.9999], ">99.9%"),
    ("share", [0.0001], "<0.1%"),
    ("share", [0], "0.0%"),
    ("share", [None], "unknown"),
    ("percent", [58.2], "58.2%"),
    ("plural", [1, "message"], "1 message"),
    ("plural", [1_234, "message"], "1,234 messages"),
    ("duration", [20_000], "under a minute"),
    ("duration", [47 * 60_000], "47 min"),
    ("duration", [5 * 3_600_000], "5 h"),
    ("shortPath", ["/home/sam/shop/src/cart.py", 16], "…/src/cart.py"),
    ("shortPath", ["/short", 16], "/short"),
    ("shortName", ["Base of the prompt (system prompt)", 60], "Base of the prompt (system prompt)"),
    ("shortName", ["word " * 30, 12], "word word w…"),
    ("shortName", ["Read: /home/sam/a/b/c/d/module.py", 30], "Read: …/sam/a/b/c/d/module.py"),
    ("plain", ["cart\u202etxt.py\u2066\u0007"], "cart\ufffdtxt.py\ufffd\ufffd"),
    ("plain", ["a b\n\tc é ✓ 漢"], "a b\n\tc é ✓ 漢"),
    ("roughly", [0.714], "71%"),
    ("moment", [1_772_452_800_000], "2 Mar 2026, 13:00"),
]


def test_figures_read_as_people_write_them(tmp_path: Path) -> None:
    module = tmp_path / "format.mjs"
    shutil.copy(page.STATIC / "js" / "format.js", module)
    calls = ", ".join(f"f.{name}(...{json.dumps(given)})" for name, given, _ in CASES)
    program = tmp_path / "run.mjs"
    program.write_text(
        'import * as f from "./format.mjs";\nf.useZone("Europe/Berlin");\n'
        f"console.log(JSON.stringify([{calls}]));\n",
        encoding="utf-8",
    )
    told = subprocess.run(["node", str(program)], check=True, capture_output=True, text=True)
    assert json.loads(told.stdout) == [expected for *_, expected in CASES]
