"""Pages of 1 MB of several kinds, of texts that every machine with Python has, and tiktoken's own
encoding to count them with."""

import ast
import json
import random
import sysconfig
from pathlib import Path
from pydoc_data.topics import topics
from typing import TypeGuard

import tiktoken

from token_tracking.counting.packed import packed_file, unpack

PAGE = 1_000_000  # bytes of UTF-8
_PLAIN_O200K = "|".join(  # as tiktoken_ext.openai_public has it
    (
        r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?",
        r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?",
        r"\p{N}{1,3}",
        r" ?[^\s\p{L}\p{N}]+[\r\n/]*",
        r"\s*[\r\n]+",
        r"\s+(?!\S)",
        r"\s+",
    )
)


def pages() -> dict[str, str]:
    """Pages of 1 MB. The Chinese and Japanese is made up: words of the vocabulary, the earlier the
    more often, in clauses of 4 to 10 words."""
    prose, code = "\n\n".join(topics.values()), library_source()
    texts = {
        "English prose": _docstrings() + prose,
        "Markdown with code": _markdown(prose, code),
        "JSON": json.dumps(
            [{"line": n, "text": t} for n, t in enumerate(code.split("\n"))], indent=1
        ),
        "Chinese and Japanese, made up": _cjk(random.Random(1)),
    }
    return {name: _cut(text) for name, text in texts.items()}


def _cut(text: str) -> str:
    return text.encode()[:PAGE].decode("utf-8", "ignore")


def _library_files() -> list[Path]:
    return sorted(Path(sysconfig.get_path("stdlib")).glob("*.py"))


def library_source() -> str:
    return "\n".join(path.read_text("utf-8", "replace") for path in _library_files())


def _docstrings() -> str:
    """Those of the standard library, up to about a page."""
    found = ""
    for path in _library_files():
        if len(found) < PAGE:
            nodes = ast.walk(ast.parse(path.read_bytes()))
            found += "\n\n".join(ast.get_docstring(node) or "" for node in nodes if _has_doc(node))
    return found


def _has_doc(node: ast.AST) -> TypeGuard[ast.Module | ast.ClassDef | ast.FunctionDef]:
    return isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)


def _markdown(prose: str, code: str) -> str:
    step, made = 1500, list[str]()
    for begin in range(0, PAGE // 2, step):
        made += [f"## Part {begin}\n\n", prose[begin : begin + step]]
        made += ["\n\n```python\n", code[begin : begin + step], "\n```\n\n"]
    return "".join(made)


def _cjk(rng: random.Random) -> str:
    words: list[str] = []
    for token in _tokens():
        text = token.decode("utf-8", "ignore")
        if text and all("\u3041" <= c <= "\u30fa" or "\u4e00" <= c <= "\u9fa5" for c in text):
            words.append(text)
    common = [1 / rank for rank in range(1, len(words) + 1)]
    clauses = (
        "".join(rng.choices(words, common, k=rng.randint(4, 10)))
        + rng.choice("\uff0c\uff0c\u3002\n")
        for _ in range(PAGE // 20)
    )
    return "".join(clauses)


def _tokens() -> list[bytes]:
    return unpack(packed_file("o200k_base").read_bytes())


def plain_o200k() -> tiktoken.Encoding:
    """The encoding as tiktoken itself makes it, without its download."""
    ranks = {token: rank for rank, token in enumerate(_tokens())}
    return tiktoken.Encoding(
        "plain", pat_str=_PLAIN_O200K, mergeable_ranks=ranks, special_tokens={}
    )
