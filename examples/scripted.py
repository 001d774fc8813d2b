"""A local server in Claude's place: it reads a folder file by file, then looks for some words.

It needs a clone of the repository and its development tools (`make test`).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from folder import Folder
from tests.upstream.app import Upstream
from tests.upstream.received import Received
from tests.upstream.scripts import Answer, ToolUse, Turn
from tests.upstream.serve import served

MOST_FILES: Final = 15
WORDS: Final = ("because", "never", "always", "until", "before", "after", "first", "last", "only",
                "each", "none", "where", "while", "every", "other", "again", "than", "still",
                "once", "twice", "empty", "whole", "small", "large")  # fmt: skip


def calls(folder: Folder) -> list[ToolUse]:
    """What the agent calls: all files, the largest of them, and the lines with some words."""
    files = sorted(folder.files, key=lambda path: -folder.files[path].stat().st_size)
    reads = [ToolUse("read_file", {"path": path}) for path in files[:MOST_FILES]]
    searches = [ToolUse("search_files", {"text": word}) for word in WORDS]
    return [ToolUse("list_files"), *reads, *searches]


@contextmanager
def local_claude(folder: Folder, upstream: Upstream | None = None) -> Iterator[str]:
    """The address of a server that plays the API, for as long as it is needed."""
    steps = calls(folder)

    def answer(received: Received) -> Turn:
        done = sum(message["role"] == "assistant" for message in received.messages)
        if done == len(steps):
            return "That is what is in the folder."
        return Answer("I look further.", (steps[done],))

    with served(upstream) as server:
        server.script(answer)
        yield server.base_url
