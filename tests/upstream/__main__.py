"""`python -m tests.upstream --port N`: the server by hand, until it is interrupted."""

import argparse
import sys
import time
from contextlib import suppress

from tests.upstream.app import Upstream
from tests.upstream.received import Received
from tests.upstream.scripts import Answer, ToolUse, Turn
from tests.upstream.serve import served
from tests.upstream.values import blocks, objects


def demonstration(received: Received) -> Turn:
    """Calls the first tool it is given once a turn, then says so."""
    tools = objects(received.json.get("tools"))
    last = received.messages[-1]
    answered = last["role"] == "tool" or any(
        each["type"] == "tool_result" for each in blocks(last["content"])
    )
    names = [each.get("name") or each["function"]["name"] for each in tools]
    if names and not answered:
        return Answer(f"I use {names[0]}.", (ToolUse(names[0]),))
    return f"I have read {len(received.messages)} messages."


def main() -> None:
    """Serve until interrupted."""
    parser = argparse.ArgumentParser(prog="python -m tests.upstream", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0 chooses a free one")
    upstream = Upstream(time.time)
    upstream.script(demonstration)
    with served(upstream, parser.parse_args().port), suppress(KeyboardInterrupt):
        sys.stdout.write(f"ANTHROPIC_BASE_URL={upstream.base_url}\n")
        sys.stdout.write(f"OPENAI_BASE_URL={upstream.base_url}/v1\n")
        sys.stdout.flush()
        while True:
            time.sleep(3_600)


if __name__ == "__main__":
    main()
