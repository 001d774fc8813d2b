"""Small conversations for the replay, of which everything is known."""

import random
from collections.abc import Callable, Sequence
from typing import Any

from benchmarks.window_replay.contents import Contents
from benchmarks.window_replay.outcome import Outcome
from benchmarks.window_replay.replaying import Replay
from benchmarks.window_replay.rules import PLACEHOLDER
from benchmarks.window_replay.subjects import Rule
from benchmarks.window_sessions import Conversation, Request
from token_tracking.usage import Usage

MODEL = "claude-opus-4-6"
START = 1_773_000_000_000
BASE = 2_000
Message = dict[str, Any]


def asked(text: str) -> Message:
    """What the user says."""
    return {"role": "user", "content": [{"type": "text", "text": text}]}


def said(text: str) -> Message:
    """What the model says."""
    return {"role": "assistant", "content": [{"type": "text", "text": text}]}


def called(number: int, **given: Any) -> Message:
    """One call of the model's."""
    call = {"type": "tool_use", "id": f"t{number}", "name": "WebFetch", "input": given}
    return {"role": "assistant", "content": [call]}


def result(number: int, text: str) -> Message:
    """The result of that call."""
    block = {"type": "tool_result", "tool_use_id": f"t{number}", "content": text}
    return {"role": "user", "content": [block]}


def conversation(*messages: Message, tokens: int = 1_000) -> Conversation:
    """Each answer is a request; every block has `tokens`, answers 50."""
    requests: list[Request] = []
    sent = 0
    for number, message in enumerate(messages):
        if message["role"] != "assistant":
            continue
        add = list(messages[sent:number])
        prompt = BASE + tokens * number
        requests.append(
            Request(
                at_ms=START + 5_000 * len(requests),
                model=MODEL,
                message_id=f"msg_{number}",
                keep=sent,
                add=add,
                add_tokens=[[tokens] * len(each["content"]) for each in add],
                answer=message,
                prompt_tokens=prompt,
                output_tokens=50,
                is_final=True,
                usage=Usage(input_tokens=prompt, output_tokens=50),
            )
        )
        sent = number
    return Conversation("session", "main", BASE, requests)


async def replayed(
    talk: Conversation, edit: Callable[[list[Message]], list[Message]]
) -> tuple[Outcome, Replay]:
    """What comes of a rule on a conversation."""
    replay = Replay(talk, Contents(talk), Rule(edit), 200_000)
    return await replay.run(), replay


def clearing(*calls: str) -> Callable[[list[Message]], list[Message]]:
    """A rule that clears the results of these calls once an answer has followed them."""

    def edit(messages: list[Message]) -> list[Message]:
        last = messages[-1]
        return [each if each is last else _cleared(each, calls) for each in messages]

    return edit


def _cleared(message: Message, calls: Sequence[str]) -> Message:
    blocks = [
        {**block, "content": PLACEHOLDER} if block.get("tool_use_id") in calls else block
        for block in message["content"]
    ]
    return {**message, "content": blocks}


def agent(rng: random.Random, rounds: int) -> Conversation:
    """Calls and results of any words, with names that come back, and the user in between."""
    messages = [asked("Begin with alpha_file.")]
    for number in range(rounds):
        name = f"name_{rng.randrange(rounds)}"
        messages += [called(number, path=f"/src/{name}.py"), result(number, f"{name} " * 40)]
        if rng.random() < 0.2:
            messages += [said(f"Now name_{rng.randrange(rounds)}."), asked("Go on.")]
    talk = conversation(*messages, said("Done."))
    at = START
    for request in talk.requests:
        request.at_ms = at
        at += rng.choice((5_000, 5_000, 5_000, 200_000, 400_000, 4_000_000))
    return talk
