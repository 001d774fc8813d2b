"""What editing may not lose: the result is compared with the messages as they were."""

from typing import Any, Final

from token_tracking.window.blocks import Block
from token_tracking.window.forms.anthropic import last_control
from token_tracking.window.laws.reading import (
    Fault,
    Law,
    Reading,
    is_own_call,
    is_result,
    texts,
)


class Edited:
    """A conversation before and after editing; which messages are which. Where thinking `is_bound`
    to what stood before it, it may go from the last turn as well: behind an edit it has to."""

    def __init__(self, original: Reading, result: Reading, *, is_bound: bool = False) -> None:
        self.original = original
        self.result = result
        self.is_bound = is_bound
        self.source, self.stray = _sources(original, result)
        """By message of the result, the number of the original that it is, or None for a new one;
        and the first that stands out of order."""


def _task_kept(edited: Edited) -> Fault | None:
    task, first = _spoken(edited.original)[:1], _spoken(edited.result)[:1]
    if not task:
        return None
    found = iter(texts(edited.result.blocks[first[0]]) if first else [])
    if all(text in found for text in texts(edited.original.blocks[task[0]])):
        return None
    return first[0] if first else None, "the user's first message is not what it was"


def _last_user_message_kept(edited: Edited) -> Fault | None:
    asked, last = _spoken(edited.original)[-1:], _spoken(edited.result)[-1:]
    if not asked:
        return None
    found = iter(texts(edited.result.blocks[last[0]]) if last else [])
    if all(text in found for text in texts(edited.original.blocks[asked[0]])):
        return None
    return last[0] if last else None, "the user's last message is not what it was"


def _end_kept(edited: Edited) -> Fault | None:
    before, after = edited.original, edited.result
    if not before.messages or not after.messages:
        return None
    last = len(after.messages) - 1
    if before.role(len(before.messages) - 1) != after.role(last):
        return last, "the conversation ends with another role than it did"
    if not _ids(before.blocks[-1]) <= _ids(after.blocks[-1]):
        return last, "the conversation no longer ends with the same calls or results"
    return None


def _system_kept(edited: Edited) -> Fault | None:
    if edited.original.is_anthropic:
        return None
    for number, message in enumerate(edited.original.messages):
        if message["role"] not in ("system", "developer"):
            return None
        if number >= len(edited.result.messages) or edited.result.messages[number] != message:
            return number, "a system message at the front is gone, or changed"
    return None


def _order_kept(edited: Edited) -> Fault | None:
    if edited.stray is None:
        return None
    return edited.stray, f"message {edited.stray} stands before one that it followed"


def _thinking_intact(edited: Edited) -> Fault | None:
    homes = _homes(edited.original)
    turn = edited.original.turns.starts[-1:] or [0]
    for number, blocks in enumerate(edited.result.blocks):
        thoughts = [block.raw for block in blocks if block.kind == "thinking"]
        source = edited.source[number]
        if thoughts:
            same = [home for home in homes.get(_sign(thoughts[0]), []) if home == thoughts]
            if not same:
                return number, f"message {number} has thinking that is not what it was"
        elif edited.is_bound or source is None or source < turn[0]:
            continue
        elif _thinks(edited.original.blocks[source]):
            return number, f"message {number} is of the last turn and has lost its thinking"
    return None


def _breakpoints_kept(edited: Edited) -> Fault | None:
    for number, source in enumerate(edited.source):
        if source is None:
            continue
        marks = [b for b in edited.original.blocks[source] if _control(b)]
        for mark in marks:
            same = [b for b in edited.result.blocks[number] if _is_same(b, mark)]
            if same and not any(_control(block) == _control(mark) for block in same):
                if _has_unmarked_twin(edited.original, source, mark):
                    continue
                return number, f"block {mark.index} of message {number} has lost cache_control"
    return None


def _has_unmarked_twin(original: Reading, source: int, mark: Block) -> bool:
    """Whether a message that says the same has no breakpoint there: it may be the one that is
    left, since nothing else tells them apart."""
    said = _identity(original.role(source), original.blocks[source])
    return any(
        number != source
        and _identity(original.role(number), blocks) == said
        and not any(_control(block) for block in blocks if _is_same(block, mark))
        for number, blocks in enumerate(original.blocks)
    )


def _not_trimmed_to_nothing(edited: Edited) -> Fault | None:
    if edited.original.messages and not edited.result.messages:
        return None, "nothing is left of the conversation"
    for number, source in enumerate(edited.source):
        if source is None:
            continue
        full = {b.tool_id for b in edited.original.blocks[source] if is_result(b) and _says(b)}
        for block in edited.result.blocks[number]:
            if is_result(block) and not _says(block) and block.tool_id in full:
                return number, f"the result {block.tool_id} is left with nothing; say what it was"
    return None


def _sources(original: Reading, result: Reading) -> tuple[list[int | None], int | None]:
    """From the end, as windows keep what is new: each message of the result is the last of the
    original that says or carries the same and stands before the next one's."""
    places: dict[Any, list[int]] = {}
    for number, blocks in enumerate(original.blocks):
        places.setdefault(_identity(original.role(number), blocks), []).append(number)
    sources: list[int | None] = [None] * len(result.blocks)
    bound, stray = len(original.blocks), None
    for number in reversed(range(len(result.blocks))):
        candidates = places.get(_identity(result.role(number), result.blocks[number]), [])
        while candidates and candidates[-1] >= bound:
            candidates.pop()
            stray = number if not candidates else stray
        if candidates:
            sources[number] = bound = candidates.pop()
    return sources, stray


def _identity(role: str | None, blocks: list[Block]) -> Any:
    """What a message is known by after editing: the ids that it carries, or else its words."""
    ids = frozenset(_ids(blocks))
    return role, ids or tuple(texts(blocks))


def _ids(blocks: list[Block]) -> set[str | None]:
    return {block.tool_id for block in blocks if is_own_call(block) or is_result(block)}


def _homes(original: Reading) -> dict[Any, list[list[Any]]]:
    """The thinking of each message, by a sign of its first block."""
    homes: dict[Any, list[list[Any]]] = {}
    for blocks in original.blocks:
        thoughts = [block.raw for block in blocks if block.kind == "thinking"]
        if thoughts:
            homes.setdefault(_sign(thoughts[0]), []).append(thoughts)
    return homes


def _sign(thought: Any) -> str:
    return str(thought.get("signature") or thought.get("data") or thought.get("thinking"))


def _spoken(reading: Reading) -> list[int]:
    """The messages in which a user says something in words."""
    numbers = range(len(reading.messages))
    return [n for n in numbers if reading.speaks(n) and any(texts(reading.blocks[n]))]


def _thinks(blocks: list[Block]) -> bool:
    return any(block.kind == "thinking" for block in blocks)


def _control(block: Block) -> Any:
    return None if isinstance(block.raw, str) else last_control(block.raw)


def _is_same(block: Block, other: Block) -> bool:
    if block.kind != other.kind or block.tool_id != other.tool_id:
        return False
    return block.tool_id is not None or block.text == other.text


def _says(block: Block) -> bool:
    return bool(block.text.strip()) or block.flat_tokens > 0


EDITING_LAWS: Final[tuple[Law[Edited], ...]] = (
    Law("task_kept", "The text of the user's first message stays; more may follow it.", _task_kept),
    Law(
        "last_user_message_kept",
        "The last message in which the user speaks stays.",
        _last_user_message_kept,
    ),
    Law(
        "end_kept",
        "The conversation ends with the role, calls and results it ended with.",
        _end_kept,
    ),
    Law("system_kept", "System messages at the front stay (OpenAI).", _system_kept),
    Law("order_kept", "What stays keeps its order.", _order_kept),
    Law(
        "thinking_intact",
        "Thinking is byte for byte what it was, or gone from its message; in the last turn it goes "
        "only for models that bind it to what stood before.",
        _thinking_intact,
    ),
    Law(
        "breakpoints_kept",
        "The caller's cache breakpoints stay with their blocks.",
        _breakpoints_kept,
    ),
    Law(
        "not_trimmed_to_nothing",
        "Neither the conversation nor a result is left with nothing.",
        _not_trimmed_to_nothing,
    ),
)
"""In the order in which they are named where one message breaks several."""
