"""Documents in a request: put with what the user says, gone when the next turn begins."""

import asyncio
from typing import Final, cast

from msgspec import Struct

from token_tracking.window.documents import (
    Chosen,
    Document,
    Documents,
    DocumentSource,
    choose,
    joined,
    read_documents,
)
from token_tracking.window.draft import Draft
from token_tracking.window.edits import Text
from token_tracking.window.off_loop import off_loop

SHARE: Final = 0.25
"""Of what is left of the context, where the budget does not say how much is for documents."""

SEARCH_SECONDS: Final = 5.0
"""How long a source may search before the request goes without it."""

MANY_CHARACTERS: Final = 100_000
"""From so many on documents are chosen in a thread: counting them takes over 5 ms."""

_NAME: Final = "documents"


class _Memory(Struct):
    """The message whose documents were chosen, or for which none could be had, and of what."""

    settled: int = -1
    given: object = None


_KEY: Final = _Memory()
"""Stands for this module among the policies that remember something of a conversation."""


async def put_documents(
    draft: Draft, documents: Documents | None, *, seconds: float = SEARCH_SECONDS
) -> None:
    """Put documents in front of what the user says at the start of the last turn, as many as the
    budget has room for. They stay the same while the turn lasts, whatever is given meanwhile
    (which an action tells), and leave with the next. `seconds` is how long a source may search."""
    message = _opening(draft)
    _leave(draft, message)
    if message is None:
        return
    memory = draft.memory(_KEY, _Memory)
    is_settled = message in draft.edits.before or memory.settled == message
    if documents is not None and not is_settled:
        await _put(draft, message, documents, seconds)
        memory.settled, memory.given = message, _as_given(documents)
    elif documents is not None and _as_given(documents) != memory.given:
        _pass_over(draft, documents)
        memory.given = _as_given(documents)
    if message in draft.edits.before:
        draft.leaving = message


def _as_given(documents: Documents) -> object:
    """What was given, to be compared with what is given next: the caller's list may change."""
    return tuple(documents) if isinstance(documents, list) else documents


def _pass_over(draft: Draft, documents: Documents) -> None:
    """Check what is given while the turn lasts, and say that it is for the next."""
    found, faulty = ([None], 0) if hasattr(documents, "search") else read_documents(documents)
    if faulty:
        _note_none(draft, f"{faulty} of what was given are no documents, or have no text")
    if found:
        _note_none(draft, "those of this turn were chosen when it began, and stay")


async def _put(draft: Draft, message: int, documents: Documents, seconds: float) -> None:
    room = room_for_documents(draft)
    if room <= 0:
        _note_none(draft, "the prompt leaves no room for documents")
        return
    query = draft.last_question
    found = await _found(draft, documents, query, room, seconds)
    chosen = await _chosen(draft, found, room, query)
    if not chosen:
        if found:
            _note_none(draft, f"none of {len(found)} fits into {room:,} tokens")
        return
    text = joined(chosen)
    tokens = draft.sizer.text_now(text)
    draft.edits.before[message] = Text(text, tokens)
    draft.edits.touch(message)
    parts = sum(not each.is_whole for each in chosen)
    what = f"put in {len(chosen)} of {len(found)} documents, {parts} by section: {tokens:,} tokens"
    draft.note(_NAME, what, f"{room:,} tokens were left for documents")


def reserved_for_documents(draft: Draft, documents: Documents | None) -> int:
    """The tokens that policies are to leave for documents: what the budget grants them, where
    there are some to be put in."""
    message = _opening(draft)
    _leave(draft, message)
    if message in draft.edits.before:
        draft.leaving = message
        return 0
    if documents is None or message is None:
        return 0
    return draft.budget.max_rag_tokens or 0


def room_for_documents(draft: Draft) -> int:
    """The tokens that documents may have: what the budget says, or a quarter of what is left of
    the context, and never more than is left."""
    left = -draft.excess
    given = draft.budget.max_rag_tokens
    return max(0, min(left, int(SHARE * left) if given is None else given))


async def _found(
    draft: Draft, documents: Documents, query: str, room: int, seconds: float
) -> list[Document]:
    given: object = documents
    if hasattr(documents, "search"):
        source = cast("DocumentSource", documents)
        given = await _searched(draft, source, query, room, seconds)
    found, faulty = read_documents(given)
    if faulty:
        _note_none(draft, f"{faulty} of what was given are no documents, or have no text")
    return found


async def _searched(
    draft: Draft, source: DocumentSource, query: str, room: int, seconds: float
) -> object:
    """What a source finds in time; nothing where it fails, which an action tells."""

    async def search() -> object:
        return await source.search(query, room)

    task = asyncio.ensure_future(search())
    try:
        await asyncio.wait({task}, timeout=seconds)
        if not task.done():
            _note_none(draft, f"the search took longer than {seconds:g} seconds")
        elif task.cancelled():
            _note_none(draft, "the search was cancelled")
        elif (error := task.exception()) is not None:
            _note_none(draft, f"the search failed: {type(error).__name__}: {error}")
        else:
            return task.result()
    finally:
        task.cancel()
    return ()


async def _chosen(draft: Draft, found: list[Document], room: int, query: str) -> list[Chosen]:
    count = draft.sizer.text_now
    if sum(len(each.text) for each in found) < MANY_CHARACTERS:
        return choose(found, room, count, query=query)
    return await off_loop(choose, found, room, count, query=query)


def _opening(draft: Draft) -> int | None:
    """The first message of the last turn in which the user speaks."""
    conversation = draft.conversation
    for number in conversation.turn(-1) if conversation.turns else ():
        message = conversation.messages[number]
        if message["role"] == "assistant":
            return None
        if conversation.form.starts_turn(message):
            return number
    return None


def _leave(draft: Draft, message: int | None) -> None:
    """Take the documents of earlier turns out."""
    for number in [each for each in draft.edits.before if each != message]:
        del draft.edits.before[number]
        draft.edits.touch(number)


def _note_none(draft: Draft, why: str) -> None:
    draft.note(_NAME, "put in documents", why, done=False)
