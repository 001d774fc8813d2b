"""Conversations that the tests send through the peers of the window benchmark."""

from typing import Any

from hypothesis import strategies as st

from benchmarks.window_peers.client import PeerProcess, PeerSession
from benchmarks.window_peers.history import Message

MODEL = "claude-sonnet-4-5-20250929"

USER: Message = {"role": "user", "content": "List the files."}
CALLS: Message = {
    "role": "assistant",
    "content": [
        {"type": "thinking", "thinking": "Two at once.", "signature": "c2ln"},
        {"type": "text", "text": "I look at both."},
        {"type": "tool_use", "id": "t1", "name": "ls", "input": {"path": "a"}},
        {"type": "tool_use", "id": "t2", "name": "ls", "input": {"path": "b"}},
    ],
}
IMAGE: Message = {
    "type": "image",
    "source": {"type": "base64", "media_type": "image/png", "data": "aWdub3JlZA=="},
}
RESULTS: Message = {
    "role": "user",
    "content": [
        {"type": "tool_result", "tool_use_id": "t1", "content": "one.py", "is_error": False},
        {"type": "tool_result", "tool_use_id": "t2", "content": [IMAGE], "is_error": True},
        {"type": "text", "text": "Go on.", "cache_control": {"type": "ephemeral"}},
    ],
}
SHORT = [USER, CALLS, RESULTS]

texts = st.text(st.characters(codec="utf-8"), min_size=1, max_size=20)
inputs = st.dictionaries(texts, texts | st.integers() | st.none(), max_size=3)


def blocks(**fields: Any) -> st.SearchStrategy[Message]:
    """Blocks with these fields: strategies, or values as they are."""
    given: dict[str, st.SearchStrategy[Any]] = {
        name: value if isinstance(value, st.SearchStrategy) else st.just(value)
        for name, value in fields.items()
    }
    return st.fixed_dictionaries(given)


PAGE = {"type": "url", "url": "https://example.org/a.pdf"}
plain_blocks = (
    blocks(type="text", text=texts)
    | st.just(IMAGE)
    | blocks(type="document", source=PAGE)
    | blocks(type="of_tomorrow", body=st.lists(texts, max_size=2))
)
answer_blocks = (
    blocks(type="text", text=texts)
    | blocks(type="thinking", thinking=texts, signature="s")
    | blocks(type="redacted_thinking", data="b3BhcXVl")
)
result_contents: st.SearchStrategy[Any] = st.none() | texts | st.lists(plain_blocks, max_size=3)


@st.composite
def conversations(draw: st.DrawFn) -> list[Message]:
    """Turns of a user, an answer that calls some tools, and their results with or without text."""
    messages: list[Message] = [{"role": "user", "content": draw(texts)}]
    for turn in range(draw(st.integers(0, 4))):
        names = [f"call_{turn}_{n}" for n in range(draw(st.integers(0, 3)))]
        answer = draw(st.lists(answer_blocks, max_size=3))
        answer += [
            {"type": "tool_use", "id": n, "name": "ls", "input": draw(inputs)} for n in names
        ]
        results: list[Message] = []
        for name in names:
            content = draw(result_contents)
            held = {} if content is None else {"content": content}
            results.append({"type": "tool_result", "tool_use_id": name, **held})
        said = draw(st.lists(plain_blocks, min_size=not names, max_size=2))
        messages.append({"role": "assistant", "content": answer})
        messages.append({"role": "user", "content": results + said})
    return messages


def agent_loop(calls: int, characters: int) -> list[Message]:
    """A task, then as many calls, each with thinking and a result of that many characters."""
    messages: list[Message] = [USER]
    for n in range(calls):
        call = {"type": "tool_use", "id": f"c{n}", "name": "ls", "input": {"n": n}}
        thinking = {"type": "thinking", "thinking": f"Now {n}.", "signature": "c2ln"}
        result = {
            "type": "tool_result",
            "tool_use_id": f"c{n}",
            "content": "line\n" * (characters // 5),
        }
        messages.append({"role": "assistant", "content": [thinking, call]})
        messages.append({"role": "user", "content": [result]})
    return messages


def talk(turns: int, words: int) -> list[Message]:
    """Turns of a user and an assistant, each with as many words, and a last word of the user."""
    said = "word " * words
    answered = [{"role": role, "content": said} for role in ("user", "assistant")] * turns
    return [*answered, {"role": "user", "content": "more"}]


def opened(process: PeerProcess, peer: str, budget_seconds: float = 60) -> PeerSession:
    """A session of that peer, with a system prompt of 1,000 tokens."""
    return process.open(peer, model=MODEL, system_tokens=1_000, budget_seconds=budget_seconds)
