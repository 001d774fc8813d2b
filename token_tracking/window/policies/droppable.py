"""What may be left out of a conversation so that it stays one, the oldest first."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain

from token_tracking.window.blocks import Block
from token_tracking.window.draft import Draft
from token_tracking.window.laws.reading import is_own_call, is_result


def droppable_turns(draft: Draft) -> Iterator[list[range]]:
    """The messages of each turn before the last, but for system messages at the front and what the
    user said first (the task), and for turns from the one on in which the user spoke last."""
    conversation = draft.conversation
    front = _front(draft)
    task = next((number for number in _turns(draft) if _says(draft, number)), 0)
    for number in range(min(_last_said(draft), len(conversation.turns) - 1)):
        turn = conversation.turn(number)
        start = max(turn.start, front)
        if number == task:
            start = max(start, _opening_end(draft, number))
        if start < turn.stop:
            yield [range(start, turn.stop)]


def droppable_rounds(draft: Draft) -> Iterator[list[range]]:
    """The rounds of the last turn, but for its opening, its last round, and those in which the
    user speaks. A round that leaves a call of the provider's tools open goes with the next."""
    rounds = draft.conversation.rounds(-1)
    parts: list[range] = []
    still_open: set[str | None] = set()
    for messages in rounds[1:-1]:
        parts.append(messages)
        for block in draft.blocks_of(messages):
            _follow(block, still_open)
        if not still_open:
            if not any(_speaks(draft, number) for part in parts for number in part):
                yield parts
            parts = []


def tokens_without(draft: Draft, parts: list[range], spared: list[int]) -> int:
    """The tokens of some messages, but for those that would be gone anyway (see `drop_oldest`)."""
    tokens = sum(map(draft.tokens_of, parts))
    return tokens - sum(spared[part.stop] - spared[part.start] for part in parts)


def drop_oldest(
    draft: Draft, spans: Iterable[list[range]], spared: list[int], excess: int
) -> tuple[int, int]:
    """Leave out what is oldest, until `excess` tokens are gone; how many parts that were, and their
    tokens. `spared` says by message (and for the end) how many of the tokens before it do not
    count, as they would be gone anyway."""
    removed, chosen = 0, list[list[range]]()
    for parts in spans:
        if removed >= excess:
            break
        tokens = tokens_without(draft, parts, spared)
        if tokens > 0:
            removed += tokens
            chosen.append(parts)
    for messages in chain.from_iterable(chosen):
        draft.drop(messages)
    return len(chosen), removed


def _follow(block: Block, still_open: set[str | None]) -> None:
    if block.kind == "tool_use" and not is_own_call(block):
        still_open.add(block.tool_id)
    elif block.kind == "tool_result" and not is_result(block):
        still_open.discard(block.tool_id)


def _front(draft: Draft) -> int:
    messages = draft.conversation.messages
    front = 0
    while front < len(messages) and messages[front]["role"] in ("system", "developer"):
        front += 1
    return front


def _opening_end(draft: Draft, turn: int) -> int:
    """The end of what the user says at the start of a turn. In Anthropic's form a system message
    may not stand in front of the next user's, so that it goes with the answer."""
    opening = draft.conversation.rounds(turn)[0]
    if draft.conversation.form.name != "anthropic":
        return opening.stop
    said = [number for number in opening if draft.conversation.messages[number]["role"] == "user"]
    return said[-1] + 1 if said else opening.start


def _turns(draft: Draft) -> Sequence[int]:
    return range(len(draft.conversation.turns))


def _last_said(draft: Draft) -> int:
    """The last turn in which the user says something in words."""
    return next((number for number in reversed(_turns(draft)) if _says(draft, number)), 0)


def _says(draft: Draft, turn: int) -> bool:
    return any(
        block.kind == "text" and block.text
        for number in draft.conversation.turn(turn)
        if _speaks(draft, number)
        for block in draft.conversation.blocks_of(number)
    )


def _speaks(draft: Draft, number: int) -> bool:
    return draft.conversation.form.starts_turn(draft.conversation.messages[number])
