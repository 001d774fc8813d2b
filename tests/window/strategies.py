"""Random conversations that are valid, and the ways in which to break them.

`anthropic_conversations()` and `openai_conversations()` draw lists of plain messages that break no
law and that a request may end with: a user's message, or results of tools. `broken(messages)`
draws one of them with a fault, and `lossy(messages)` an editing that lost something; both give the
law's name beside it.
"""

import copy
from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st

from token_tracking.window.forms import form_of

Message = dict[str, Any]
Fault = tuple[list[Message], str]
"""Messages, and the name of the law that they break."""

PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGP4z8AAAAMBAQDJ/pLvAAAAAElFTkSuQmCC"
"""An image of one pixel."""

_WORDS = (
    "find",
    "the",
    "invoice",
    "src/app.py",
    "4711",
    "überall",
    "and",
    "\u65e5\u672c",
    "{}",
    "why?",
)


def words(most: int = 12) -> st.SearchStrategy[str]:
    """A text that is not blank; at times a long one."""
    short = st.lists(st.sampled_from(_WORDS), min_size=1, max_size=most).map(" ".join)
    long = st.tuples(short, st.integers(20, 400)).map(lambda pair: " ".join([pair[0]] * pair[1]))
    return st.one_of(short, short, short, long)


@st.composite
def anthropic_conversations(draw: st.DrawFn, most_turns: int = 4) -> list[Message]:
    """Valid messages of Anthropic's form, with parallel tools, thinking, images and documents,
    blocks that nobody knows, errors and cache breakpoints."""
    messages: list[Message] = []
    ids = _ids("toolu_")
    turns = draw(st.integers(1, most_turns))
    for turn in range(turns):
        messages.append({"role": "user", "content": draw(_said())})
        rounds = draw(st.integers(0, 3))
        for _ in range(rounds):
            messages += draw(_anthropic_round(ids))
        if turn < turns - 1:
            messages.append({"role": "assistant", "content": draw(_answer())})
    _mark(draw, messages)
    return messages


@st.composite
def openai_conversations(draw: st.DrawFn, most_turns: int = 4) -> list[Message]:
    """Valid messages of OpenAI's form, with a system message or none, tools and images."""
    messages: list[Message] = []
    if draw(st.booleans()):
        role = draw(st.sampled_from(["system", "developer"]))
        messages.append({"role": role, "content": draw(words())})
    ids = _ids("call_")
    turns = draw(st.integers(1, most_turns))
    for turn in range(turns):
        messages.append({"role": "user", "content": draw(_openai_said())})
        for _ in range(draw(st.integers(0, 3))):
            messages += draw(_openai_round(ids))
        if turn < turns - 1:
            messages.append({"role": "assistant", "content": draw(words())})
    return messages


def broken(messages: list[Message]) -> st.SearchStrategy[Fault]:
    """One of the faults that an API refuses, put into valid messages."""
    name = form_of(messages).name
    ways = [*_WAYS, *(_ANTHROPIC_WAYS if name == "anthropic" else [])]
    found = [fault for way in ways if (fault := way(copy.deepcopy(messages))) is not None]
    return st.sampled_from(found)


def lossy(messages: list[Message]) -> st.SearchStrategy[Fault]:
    """An editing of valid messages that leaves them valid, but has lost something."""
    found = [loss for way in _LOSSES if (loss := way(copy.deepcopy(messages))) is not None]
    return st.sampled_from(found)


def _ids(prefix: str) -> Callable[[], str]:
    numbers = iter(range(10**6))
    return lambda: f"{prefix}{next(numbers):04d}"


def _text(text: str) -> Message:
    return {"type": "text", "text": text}


def _image() -> Message:
    return {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PNG}}


def _unknown() -> Message:
    return {"type": "hologram", "payload": {"depth": 3, "label": "unknown"}}


def _document(text: str) -> Message:
    source = {"type": "text", "media_type": "text/plain", "data": text}
    return {"type": "document", "source": source, "title": "notes"}


def _said() -> st.SearchStrategy[Any]:
    extras = st.one_of(st.builds(_image), st.builds(_unknown), words().map(_document))
    blocks = st.tuples(st.lists(extras, max_size=2), words().map(_text))
    return st.one_of(words(), blocks.map(lambda pair: [*pair[0], pair[1]]))


def _openai_said() -> st.SearchStrategy[Any]:
    image = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PNG}"}}
    return st.one_of(words(), words().map(lambda text: [_text(text), copy.deepcopy(image)]))


@st.composite
def _thinking(draw: st.DrawFn) -> list[Message]:
    signature = draw(st.text("abcdefghijklmnop", min_size=12, max_size=20))
    kind = draw(st.sampled_from(["none", "none", "thinking", "redacted", "omitted"]))
    if kind == "none":
        return []
    if kind == "redacted":
        return [{"type": "redacted_thinking", "data": signature}]
    thinking = "" if kind == "omitted" else draw(words())
    return [{"type": "thinking", "thinking": thinking, "signature": signature}]


@st.composite
def _answer(draw: st.DrawFn) -> Any:
    blocks = [*draw(_thinking()), _text(draw(words()))]
    return blocks if len(blocks) > 1 or draw(st.booleans()) else blocks[0]["text"]


@st.composite
def _anthropic_round(draw: st.DrawFn, ids: Callable[[], str]) -> list[Message]:
    names = draw(st.lists(st.sampled_from(["Read", "Bash", "search"]), min_size=1, max_size=3))
    calls: list[Message] = [
        {"type": "tool_use", "id": ids(), "name": name, "input": {"path": draw(words(3))}}
        for name in names
    ]
    said = [_text(draw(words()))] if draw(st.booleans()) else []
    results = [draw(_result(call["id"])) for call in draw(st.permutations(calls))]
    after = [_text(draw(words(4)))] if draw(st.integers(0, 5)) == 0 else []
    return [
        {"role": "assistant", "content": [*draw(_thinking()), *said, *calls]},
        {"role": "user", "content": [*results, *after]},
    ]


@st.composite
def _result(draw: st.DrawFn, tool_id: str) -> Message:
    content = draw(
        st.one_of(words(), st.just(""), words().map(lambda text: [_text(text), _image()]))
    )
    result: Message = {"type": "tool_result", "tool_use_id": tool_id, "content": content}
    if draw(st.integers(0, 4)) == 0:
        result["is_error"] = True
    return result


@st.composite
def _openai_round(draw: st.DrawFn, ids: Callable[[], str]) -> list[Message]:
    names = draw(st.lists(st.sampled_from(["read", "search"]), min_size=1, max_size=3))
    calls = [
        {"id": ids(), "type": "function", "function": {"name": name, "arguments": '{"n": 1}'}}
        for name in names
    ]
    said = draw(st.one_of(st.none(), words()))
    results = [
        {"role": "tool", "tool_call_id": call["id"], "content": draw(words())} for call in calls
    ]
    return [{"role": "assistant", "content": said, "tool_calls": calls}, *results]


def _mark(draw: st.DrawFn, messages: list[Message]) -> None:
    """Puts up to four cache breakpoints, those of an hour first."""
    able = [
        block
        for message in messages
        for block in _listed(message)
        if block["type"] in ("text", "tool_result", "tool_use")
    ]
    places = sorted(draw(st.sets(st.integers(0, max(0, len(able) - 1)), max_size=4)))
    long = draw(st.integers(0, len(places)))
    for rank, place in enumerate(places if able else []):
        control = {"type": "ephemeral"} | ({"ttl": "1h"} if rank < long else {})
        able[place]["cache_control"] = control


def _listed(message: Message) -> list[Message]:
    return [] if isinstance(message["content"], str | None) else message["content"]


def _blocks(messages: list[Message], kind: str) -> list[tuple[int, int]]:
    return [
        (number, index)
        for number, message in enumerate(messages)
        for index, block in enumerate(_listed(message))
        if block["type"] == kind
    ]


def _calls(messages: list[Message]) -> list[int]:
    numbers = {number for number, _ in _blocks(messages, "tool_use")}
    return sorted(numbers | {n for n, m in enumerate(messages) if m.get("tool_calls")})


def _without_messages(messages: list[Message]) -> Fault | None:
    return [], "not_empty"


def _odd_role(messages: list[Message]) -> Fault | None:
    messages[-1]["role"] = "narrator"
    return messages, "messages_are_messages"


def _list_for_a_role(messages: list[Message]) -> Fault | None:
    messages[0]["role"] = ["user"]
    return messages, "messages_are_messages"


def _no_content(messages: list[Message]) -> Fault | None:
    if messages[-1]["role"] != "user" or _blocks(messages[-1:], "tool_result"):
        return None
    messages[-1]["content"] = []
    return messages, "content_not_empty"


def _without_results(messages: list[Message]) -> Fault | None:
    if not _calls(messages):
        return None
    first = _calls(messages)[0]
    end = first + 1
    while end < len(messages) and messages[end]["role"] == "tool":
        end += 1
    del messages[first + 1 : max(end, first + 2)]
    messages.append({"role": "user", "content": "and now?"})
    return messages, "calls_have_results"


def _without_calls(messages: list[Message]) -> Fault | None:
    if not _calls(messages):
        return None
    del messages[_calls(messages)[0]]
    return messages, "results_have_calls"


def _starts_with_answer(messages: list[Message]) -> Fault | None:
    return [{"role": "assistant", "content": "hello"}, *messages], "starts_with_user"


def _blank_text(messages: list[Message]) -> Fault | None:
    messages[0]["content"] = [_text(" \n")]
    return messages, "text_not_blank"


def _result_without_id(messages: list[Message]) -> Fault | None:
    for number, index in _blocks(messages, "tool_result")[:1]:
        del messages[number]["content"][index]["tool_use_id"]
        return messages, "results_have_ids"
    return None


def _same_id_twice(messages: list[Message]) -> Fault | None:
    for number, index in _blocks(messages, "tool_use")[:1]:
        twin = copy.deepcopy(messages[number]["content"][index])
        twin.pop("cache_control", None)
        messages[number]["content"].append(twin)
        return messages, "ids_are_unique"
    return None


def _strange_id(messages: list[Message]) -> Fault | None:
    for number, index in _blocks(messages, "tool_use")[:1]:
        call = messages[number]["content"][index]
        for block in messages[number + 1]["content"]:
            if block.get("tool_use_id") == call["id"]:
                block["tool_use_id"] = "call|1"
        call["id"] = "call|1"
        return messages, "ids_are_plain"
    return None


def _results_apart(messages: list[Message]) -> Fault | None:
    for number in _calls(messages):
        content = messages[number + 1]["content"]
        if [block["type"] for block in content[:2]] == ["tool_result", "tool_result"]:
            second = {"role": "user", "content": content[1:]}
            messages[number + 1 : number + 2] = [{"role": "user", "content": content[:1]}, second]
            return messages, "results_in_one_message"
    return None


def _text_before_results(messages: list[Message]) -> Fault | None:
    for number in _calls(messages)[:1]:
        messages[number + 1]["content"].insert(0, _text("here they are"))
        return messages, "results_come_first"
    return None


def _five_breakpoints(messages: list[Message]) -> Fault | None:
    marked = [{**_text("x"), "cache_control": {"type": "ephemeral"}} for _ in range(5)]
    messages[-1] = {"role": "user", "content": [*_list(messages[-1]["content"]), *marked]}
    return messages, "at_most_four_breakpoints"


def _hour_after_minutes(messages: list[Message]) -> Fault | None:
    for message in messages:
        for block in _list(message["content"]):
            block.pop("cache_control", None)
    short = {**_text("x"), "cache_control": {"type": "ephemeral", "ttl": "5m"}}
    long = {**_text("y"), "cache_control": {"type": "ephemeral", "ttl": "1h"}}
    messages[-1]["content"] = [*_list(messages[-1]["content"]), short, long]
    return messages, "ttl_order"


def _thinking_cached(messages: list[Message]) -> Fault | None:
    for number, index in _blocks(messages, "thinking")[:1]:
        for message in messages:
            for block in _list(message["content"]):
                block.pop("cache_control", None)
        messages[number]["content"][index]["cache_control"] = {"type": "ephemeral"}
        return messages, "no_breakpoint_on_thinking"
    return None


def _list(content: Any) -> list[Message]:
    """The content as blocks, which may be changed in place if they were blocks."""
    return [_text(content)] if isinstance(content, str) else content or []


def _other_task(messages: list[Message]) -> Fault | None:
    first = next(message for message in messages if message["role"] == "user")
    first["content"] = "something else altogether"
    return messages, "task_kept"


def _nothing_left(messages: list[Message]) -> Fault | None:
    return [], "not_empty"


def _other_thinking(messages: list[Message]) -> Fault | None:
    for number, index in _blocks(messages, "thinking")[-1:]:
        messages[number]["content"][index]["thinking"] += "?"
        return messages, "thinking_intact"
    return None


def _breakpoint_gone(messages: list[Message]) -> Fault | None:
    for message in messages:
        for block in _list(message["content"]):
            if block.pop("cache_control", None):
                return messages, "breakpoints_kept"
    return None


def _other_system(messages: list[Message]) -> Fault | None:
    if messages[0]["role"] not in ("system", "developer"):
        return None
    messages[0]["content"] = "changed"
    return messages, "system_kept"


def _last_dropped(messages: list[Message]) -> Fault | None:
    users = [n for n, m in enumerate(messages) if m["role"] == "user"]
    if len(users) < 2 or users[-1] != len(messages) - 1 or _blocks(messages[-1:], "tool_result"):
        return None
    messages[-1]["content"] = "changed"
    return messages, "last_user_message_kept"


_WAYS = [
    _without_messages,
    _odd_role,
    _list_for_a_role,
    _no_content,
    _without_results,
    _without_calls,
]
_ANTHROPIC_WAYS = [
    _starts_with_answer,
    _blank_text,
    _result_without_id,
    _same_id_twice,
    _strange_id,
    _results_apart,
    _text_before_results,
    _five_breakpoints,
    _hour_after_minutes,
    _thinking_cached,
]
_LOSSES = [
    _other_task,
    _nothing_left,
    _other_thinking,
    _breakpoint_gone,
    _other_system,
    _last_dropped,
]
