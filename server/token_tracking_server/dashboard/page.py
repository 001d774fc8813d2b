"""The page, put together from its sources: served in pieces, or as one file that needs no other.

The scripts are ES modules, so that tools can read them, and import each other by name alone.
Joined in the order of their imports, each as a function that returns what it exports, they are one
script: a page needs one request, and a file that is opened from a disk may load no module.
"""

import base64
import hashlib
import re
from functools import cache
from pathlib import Path
from typing import Final

STATIC: Final = Path(__file__).parent / "static"
_IMPORT: Final = re.compile(r'^import \{([^}]*)\} from "\./([a-z_]+)\.js";\n', re.MULTILINE)
_EXPORT: Final = re.compile(r"^export (?:async )?(?:function|const|class) (\w+)", re.MULTILINE)
_FOR_READERS: Final = re.compile(r"^ *//.*\n|^ +|^\n", re.MULTILINE)
_CSS_FOR_READERS: Final = re.compile(
    r"/\*.*?\*/\n?|^\s+|(?<=[{};:,]) | (?=[{}])", re.MULTILINE | re.DOTALL
)
_ADDRESS: Final = re.compile(r"^(?: \* https?://|//# sourceMappingURL=).*\n?", re.MULTILINE)


@cache
def script() -> str:
    """The page's own script, without the comments and the indentation of its sources."""
    return '"use strict";\n' + _FOR_READERS.sub("", "".join(_modules("main", {}).values()))


@cache
def style() -> str:
    """The page's style sheet, without its comments and the spaces that only readers need."""
    return _CSS_FOR_READERS.sub("", _read("style.css"))


@cache
def chart_library() -> str:
    """Chart.js, as its publishers made it (vendor/NOTICE), without the addresses in its comments:
    a page of ours names no outside one."""
    return _ADDRESS.sub("", _read("vendor/chart.umd.min.js"))


def index() -> str:
    """The page that loads its pieces from where it came from."""
    return _read("index.html")


def whole(data: bytes | None = None, *, is_closed: bool = False) -> str:
    """The page as one file, with the data (JSON) that it shows; without, it gets them from the
    host that shows it. A closed one forbids itself to load anything else."""
    scripts = [chart_library(), script()]
    policy = _policy(scripts) if is_closed else ""
    held = "" if data is None else _held(data)
    parts = {
        "<!-- policy -->\n": policy,
        '<link rel="stylesheet" href="style.css">\n': f"<style>{style()}</style>\n",
        '<script defer src="chart.js"></script>\n': "",
        '<script defer src="app.js"></script>\n': "",
        "</body>": "".join([held, *(f"<script>{each}</script>\n" for each in scripts), "</body>"]),
    }
    page = index()
    for piece, inline in parts.items():
        before, found, after = page.rpartition(piece)
        assert found, piece
        page = f"{before}{inline}{after}"
    return page


def _modules(name: str, before: dict[str, str]) -> dict[str, str]:
    """The modules that one needs, in the order in which they can run, and it."""
    text = _read(f"js/{name}.js")
    for found in _IMPORT.finditer(text):
        if found[2] not in before:
            _modules(found[2], before)
    taken = _IMPORT.sub(r"const {\1} = in_\2;\n", text)
    given = ", ".join(each[1] for each in _EXPORT.finditer(text))
    body = _EXPORT.sub(lambda each: each[0].removeprefix("export "), taken)
    before[name] = f"const in_{name} = (() => {{\n{body}return {{ {given} }};\n}})();\n"
    return before


def _policy(scripts: list[str]) -> str:
    allowed = " ".join(map(_digest, scripts))
    rules = (
        f"default-src 'none'; script-src {allowed}; style-src {_digest(style())};"
        " img-src data:; base-uri 'none'; form-action 'none'"
    )
    return f'<meta http-equiv="Content-Security-Policy" content="{rules}">\n'


def _digest(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _held(data: bytes) -> str:
    """JSON in an element, which it cannot end."""
    text = data.decode().replace("<", "\\u003c")
    return f'<script type="application/json" id="data">{text}</script>\n'


def _read(name: str) -> str:
    return (STATIC / name).read_text(encoding="utf-8")
