"""An agent that works on a folder, without and with a window, and what each run was billed.

    python examples/agent.py FOLDER "QUESTION"

asks Claude, with the key in ANTHROPIC_API_KEY; `examples/local.py` shows the same without a key.
"""

import argparse
import asyncio
from decimal import Decimal
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

from anthropic import AsyncAnthropic
from folder import TOOLS, Folder

from token_tracking import TokenSystem, create_token_system
from token_tracking.window import (
    FETCH_TOOL,
    Budget,
    ClearToolResults,
    ContextWindow,
    Emergency,
    MemoryContentStore,
    fetch_call,
)

MODEL: Final = "claude-sonnet-4-6"
MAX_TOKENS: Final = 8_000
SYSTEM: Final = "You answer questions about the files of one folder. Look before you answer."


class Agent:
    """One conversation, whose usage goes into a ledger. `with_window` is all the difference."""

    def __init__(
        self, client: AsyncAnthropic, folder: Folder, ledger: TokenSystem, *, with_window: bool
    ) -> None:
        self.client, self.folder, self.ledger = client, folder, ledger
        self.session = str(uuid4())
        self.cleared = MemoryContentStore()
        policies = [ClearToolResults(store=self.cleared), Emergency(store=self.cleared)]
        budget = Budget(max_output_tokens=MAX_TOKENS)
        self.window = ContextWindow(MODEL, budget, policies) if with_window else None

    async def answer(self, question: str) -> str:
        """Ask until no tool is called any more."""
        messages: list[Any] = [{"role": "user", "content": question}]
        while True:
            message = await self.ask(messages)
            messages.append({"role": "assistant", "content": message.content})
            calls = [block for block in message.content if block.type == "tool_use"]
            if not calls:
                return "".join(block.text for block in message.content if block.type == "text")
            messages.append({"role": "user", "content": [self.result_of(call) for call in calls]})

    async def ask(self, messages: list[Any]) -> Any:
        """One request. Without a window it is the whole history, cached up to its end."""
        if self.window is None:
            request = {"system": SYSTEM, "messages": messages, "tools": TOOLS}
            request |= {"max_tokens": MAX_TOKENS, "cache_control": {"type": "ephemeral"}}
        else:
            prepared = await self.window.prepare(SYSTEM, messages, [*TOOLS, FETCH_TOOL])
            request = prepared.request()
        create: Any = self.client.messages.create
        message = await create(model=MODEL, **request)
        if self.window is not None:
            self.window.observe(message)
        about = {"model": message.model, "session_id": self.session}
        await self.ledger.tracker.track(message.id, message.usage, about)
        return message

    def result_of(self, call: Any) -> dict[str, Any]:
        """Run a call. What goes wrong is told to the model."""
        try:
            if call.name == FETCH_TOOL["name"]:
                text = fetch_call(self.cleared, call.input)
            else:
                text = self.folder.call(call.name, call.input)
        except (LookupError, OSError, ValueError) as error:
            text = f"Failed: {error}"
        return {"type": "tool_result", "tool_use_id": call.id, "content": text}


async def billed(ledger: TokenSystem, session: str) -> tuple[int, int, Decimal]:
    """Requests, prompt tokens and USD (NaN without a price) of a session, as the ledger has it."""
    messages = (await ledger.metrics.get_session_data(session)).messages
    costs = [Decimal("NaN") if each.cost_usd is None else each.cost_usd for each in messages]
    return len(messages), sum(each.usage.prompt_tokens for each in messages), sum(costs, Decimal(0))


async def compare(client: AsyncAnthropic, folder: Folder, question: str, db: str | Path) -> None:
    """Ask without and with a window, and print what both were billed."""
    found: list[tuple[int, int, Decimal]] = []
    async with await create_token_system(db) as ledger:
        for name in ("without", "with"):
            agent = Agent(client, folder, ledger, with_window=name == "with")
            await agent.answer(question)
            found.append(await billed(ledger, agent.session))
            requests, prompt, cost = found[-1]
            print(f"{name:<8} {requests:>3} requests {prompt:>12,} prompt tokens  ${cost:.4f}")
    (_, alone, alone_cost), (_, prompt, cost) = found
    print(f"{'saved':<8} {1 - prompt / alone:>25.0%} prompt tokens  {1 - cost / alone_cost:.0%}")


async def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("question", nargs="?", default="What is in this folder?")
    parser.add_argument("--db", default="agent.db", help="the ledger (agent.db)")
    options = parser.parse_args()
    async with AsyncAnthropic() as client:
        await compare(client, Folder(options.folder), options.question, options.db)


if __name__ == "__main__":
    asyncio.run(main())
