"""The example agent on a local server that plays the API, so that no key is needed.

    python examples/local.py FOLDER

In a clone of the repository, after `make test`, whose development tools the server needs. The model
is scripted: it reads the largest files of the folder one by one, then looks for some words.
"""

import argparse
import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Final

from agent import compare
from anthropic import AsyncAnthropic
from folder import Folder

from tests.upstream.app import Upstream
from tests.upstream.received import Received
from tests.upstream.scripts import Answer, ToolUse, Turn
from tests.upstream.serve import served

MOST_FILES: Final = 15
WORDS: Final = ("because", "never", "always", "until", "before", "after", "first", "last", "only",
                "each", "none", "where", "while", "every", "other", "again", "than", "still",
                "once", "twice", "empty", "whole", "small", "large")  # fmt: skip


def script(folder: Folder) -> Callable[[Received], Turn]:
    """What the model answers: a call a request, and at last a text."""
    files = sorted(folder.files, key=lambda path: -folder.files[path].stat().st_size)
    reads = [ToolUse("read_file", {"path": path}) for path in files[:MOST_FILES]]
    searches = [ToolUse("search_files", {"text": word}) for word in WORDS]
    calls = [ToolUse("list_files"), *reads, *searches]

    def answer(received: Received) -> Turn:
        done = sum(message["role"] == "assistant" for message in received.messages)
        if done == len(calls):
            return "That is what is in the folder."
        return Answer("I look further.", (calls[done],))

    return answer


async def run(upstream: Upstream, folder: Folder, database: str | Path) -> None:
    """Both runs, against a server that is up."""
    upstream.script(script(folder))
    async with AsyncAnthropic(base_url=upstream.base_url, api_key="none") as client:
        await compare(client, folder, "What is in this folder?", database)


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--db", default="agent.db", help="the ledger (agent.db)")
    options = parser.parse_args()
    with served() as upstream:
        asyncio.run(run(upstream, Folder(options.folder), options.db))


if __name__ == "__main__":
    main()
