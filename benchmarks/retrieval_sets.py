"""Documents and questions whose answers are known."""

import hashlib
import json
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from token_tracking_server.content.documents import Document, parse_document

SHIPPED = Path(__file__).parents[1] / "server" / "token_tracking_server" / "content" / "library"
QUESTIONS = {
    "how long does a cached prefix live before it is gone": "guides/prompt-caching",
    "is it worth writing the cache for one hour": "guides/prompt-caching",
    "when does deleting old history from the conversation pay": "guides/compaction",
    "sliding window or summary, which is cheaper": "guides/compaction",
    "what does the thinking of the model cost me": "guides/output-and-thinking",
    "make answers shorter": "guides/output-and-thinking",
    "should this task run in a separate agent": "guides/subagents",
    "several agents working in parallel": "guides/subagents",
    "which model is cheap enough for this job": "guides/choosing-models",
    "tool definitions of connected servers eat my context": "guides/mcp-servers",
    "what fills the window at the start of a session": "guides/context-window",
    "output of a command is too large": "guides/tool-results",
    "load documents only when they are needed": "guides/just-in-time-content",
    "when to begin a new conversation instead of going on": "guides/long-sessions",
    "what do the columns of the report mean": "guides/reading-reports",
    "review why my session was expensive and propose changes": "skills/token-review/SKILL",
}
"""Asked by hand of the library that the package ships: a smoke test, too few to compare by."""


class Query(NamedTuple):
    """A question, and the names of all documents that answer it."""

    text: str
    answers: frozenset[str]

    @property
    def half(self) -> int:
        """0 to tune on, 1 to report: by a hash, so that it never moves."""
        return hashlib.sha256(self.text.encode()).digest()[0] % 2


class RetrievalSet(NamedTuple):
    """Documents by name, and questions to them."""

    documents: dict[str, Document]
    queries: list[Query]


def sections_set(documents: Path, queries: Path, *, paths: bool = True) -> RetrievalSet:
    """The form of Anthropic's cookbooks: each section of a site is a document, named by its link.

    Its path is that of the link, unless `paths` is false: then it has its anchor alone.

    Raises:
        KeyError: a file has another form.
    """
    sections: list[dict[str, str]] = json.loads(documents.read_text())
    asked: list[dict[str, Any]] = json.loads(queries.read_text())
    return RetrievalSet(
        {each["chunk_link"]: _section(each, paths) for each in sections},
        [Query(each["question"], frozenset(each["correct_chunks"])) for each in asked],
    )


def _section(section: dict[str, str], paths: bool) -> Document:
    link, heading = urlsplit(section["chunk_link"]), section["chunk_heading"]
    text = section["text"].strip().removeprefix(heading).strip()
    category, _, page = link.path.strip("/").removeprefix("en/").partition("/")
    path = f"{page}/{link.fragment}".strip("/")
    return parse_document(
        category if paths else "docs",
        path if paths else link.fragment or "top",
        f"# {heading}\n\n{text}\n",
    )


def folder_set(folder: Path, queries: Path | None) -> RetrievalSet:
    """A folder of Markdown, and a file of `[{"query": ..., "answers": ["category/id"]}]`; the
    answers may be URIs, with or without `.md`. Without queries: those of the shipped library.

    Raises:
        ValueError: an answer is not in the folder.
    """
    documents = dict(_read(folder, path) for path in sorted(folder.rglob("*.md")))
    if queries is None:
        return RetrievalSet(documents, [Query(q, frozenset([a])) for q, a in QUESTIONS.items()])
    asked: list[dict[str, Any]] = json.loads(queries.read_text())
    read = [Query(each["query"], frozenset(map(_name, each["answers"]))) for each in asked]
    unknown = sorted({answer for query in read for answer in query.answers} - documents.keys())
    if unknown:
        raise ValueError(f"{queries}: not in {folder}: {', '.join(unknown[:5])}")
    return RetrievalSet(documents, read)


def _read(folder: Path, path: Path) -> tuple[str, Document]:
    category, *rest = path.relative_to(folder).with_suffix("").parts
    document_id = "/".join(rest) or category
    text = path.read_text(encoding="utf-8", errors="replace")
    document = parse_document(category if rest else "", document_id, text)
    return "/".join((category, *rest)), document


def _name(uri: str) -> str:
    return uri.removeprefix("content://").partition("#")[0].removesuffix(".md")
