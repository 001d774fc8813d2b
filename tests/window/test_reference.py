"""The reference scenario: an assistant with tools, whose turns have 744 tokens on average."""

from itertools import cycle, islice
from typing import Any

import msgspec

from tests.window.talk import Message, assistant, user, window_of, words
from token_tracking.window.laws import validate
from token_tracking.window.policies.hybrid import Hybrid
from token_tracking.window.prepared import Prepared
from token_tracking.window.summaries import SummaryRequest
from token_tracking.window.window import ContextWindow

BASE = 5_059
TURN = 744
RESULTS = {"search_documents": 590, "call_transcript": 442, "list_files": 411}
ASKED, ANSWERED, CALLED = 40, 205, 6
"""Tokens of the user's text, of the answer, and of a call, whose name is one of them; a message
has three of its own."""

SUMMARY = 200
TOOLS = [{"name": name, "input_schema": {"type": "object"}} for name in RESULTS]


def system() -> str:
    """With the tools it has as many tokens as the base."""
    counted = "\n".join(msgspec.json.encode(tool).decode() for tool in TOOLS)
    return words(BASE - len(counted.split()), "rule")


def turn(number: int, tool: str) -> list[Message]:
    arguments = {"query": words(CALLED - 2, "about")}
    call = {"type": "tool_use", "id": f"t{number}", "name": tool, "input": arguments}
    found = words(RESULTS[tool], f"found{number}_")
    result = {"type": "tool_result", "tool_use_id": f"t{number}", "content": found}
    return [
        user(words(ASKED, f"asked{number}_")),
        {"role": "assistant", "content": [call]},
        {"role": "user", "content": [result]},
        assistant(words(ANSWERED, f"answered{number}_")),
    ]


def turns(count: int) -> list[list[Message]]:
    tools = islice(cycle(RESULTS), count)
    return [turn(number, tool) for number, tool in enumerate(tools)]


class Notes:
    """A summariser that counts what it was given and what it gave."""

    def __init__(self) -> None:
        self.tokens = 0

    def __call__(self, request: SummaryRequest) -> str:
        read = f"{request.previous or ''} {request.task} {request.transcript()}"
        self.tokens += len(read.split()) + SUMMARY
        return words(SUMMARY, "note")


def managed(notes: Notes) -> ContextWindow:
    """The last three turns are kept whole, the current one among them."""
    return window_of(Hybrid(notes, keep_turns=2), context=8_000, history=2_000)


async def sent(window: ContextWindow, messages: list[Message]) -> Prepared:
    prepared = await window.prepare(system(), messages, TOOLS)
    assert validate(prepared.messages, original=messages) is None
    return prepared


async def both_requests(window: ContextWindow, count: int) -> list[tuple[Prepared, Prepared]]:
    """What is sent in each turn: with the question, and with the result."""
    messages: list[Message] = []
    found: list[tuple[Prepared, Prepared]] = []
    for question, call, result, answer in turns(count):
        messages.append(question)
        first = await sent(window, messages)
        messages += [call, result]
        found.append((first, await sent(window, messages)))
        messages.append(answer)
    return found


def beyond_the_base(prompts: list[Prepared]) -> int:
    return sum(prompt.tokens.total - BASE for prompt in prompts)


async def test_a_turn_has_the_tokens_of_the_scenario():
    messages: list[Any] = [message for each in turns(3) for message in each]
    prepared = await sent(window_of(()), [*messages, user("end")])
    assert prepared.tokens.system + prepared.tokens.tools == BASE
    assert prepared.tokens.history == 3 * TURN


async def test_the_request_of_the_twentieth_turn_is_under_7_000_tokens():
    window = managed(Notes())
    twentieth, _ = (await both_requests(window, 20))[-1]
    assert twentieth.tokens.total < 7_000
    kept = str(twentieth.messages)
    for number in (17, 18):
        assert all(str(message["content"])[1:-1] in kept for message in turns(20)[number])
    assert "asked19_0" in kept
    assert "asked16_0" not in kept


async def test_fifteen_turns_send_under_50_000_tokens_beyond_the_base():
    alone = [second for _, second in await both_requests(window_of(()), 15)]
    assert 86_000 < beyond_the_base(alone) < 90_000
    notes = Notes()
    prompts = await both_requests(managed(notes), 15)
    assert beyond_the_base([second for _, second in prompts]) + notes.tokens < 50_000
    assert all(prompt.tokens.total < 50_000 for pair in prompts for prompt in pair)
