"""No more than a few tool calls a turn: what is beyond gets an error, which the model reads."""

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, cast

from msgspec import Struct

from token_tracking.window.blocks import Block, PlainMessage
from token_tracking.window.draft import Draft
from token_tracking.window.edits import Extra
from token_tracking.window.forms import Form, form_of
from token_tracking.window.forms.plain import plain_message
from token_tracking.window.laws.reading import is_own_call
from token_tracking.window.policies.checks import check_count

PER_TURN: Final = 3


class _Memory(Struct):
    """Where the last round begins that was looked at, and the calls of its turn before it."""

    round: int = 0
    calls: int = 0


class ToolCallLimit(Struct, frozen=True, kw_only=True):
    """Lets the model call `per_turn` tools in a turn of the user's.

    An agent's loop asks `split` which calls of an answer to run, runs those, and goes on: each
    call that it left out gets exactly one error result, which says so. Calls beyond the limit that
    have a result keep it; calls within the limit that have none are for the loop to answer.

    Raises:
        InvalidBudgetError: `per_turn` is no whole number from 0 on.
    """

    per_turn: int = PER_TURN

    def __post_init__(self) -> None:
        check_count("per_turn", self.per_turn, least=0)

    @property
    def name(self) -> str:
        """As in actions."""
        return "tool_call_limit"

    def split(self, answer: Any, messages: Sequence[object]) -> tuple[list[Any], list[Any]]:
        """The calls of an answer that may be run, and those that are refused.

        Args:
            answer: the model's message, as a dict or the SDK's object, in either form.
            messages: the conversation before it, or with it at the end.

        Raises:
            InvalidConversationError: something among these is no message.
        """
        form = form_of([answer])
        plain = plain_message(answer, len(messages))
        calls = [block for block in form.blocks(plain, 0) if is_own_call(block)]
        if not calls:
            return [], []
        allowed = max(0, self.per_turn - _made(form, messages, calls))
        given = [_given(answer, plain, block) for block in calls]
        return given[:allowed], given[allowed:]

    async def shape(self, draft: Draft) -> None:
        """Answer the calls that were refused, once each."""
        memory = draft.memory(self, _Memory)
        turns = draft.conversation.turns
        refused = 0
        for answers, results in _rounds(draft, memory.round):
            if bisect_right(turns, answers.start) > bisect_right(turns, memory.round):
                memory.calls = 0
            else:
                memory.calls += len(_calls(draft, range(memory.round, answers.start)))
            memory.round = answers.start
            refused += self._refuse(draft, memory.calls, answers, results)
        if refused:
            why = f"{self.per_turn} tool calls a turn are allowed"
            draft.note(self.name, f"answered {refused} refused calls with an error", why)

    def _refuse(self, draft: Draft, made: int, answers: range, results: range) -> int:
        """Answer those calls of a round that are beyond the limit and have no result."""
        calls, following = _calls(draft, answers), draft.blocks_of(results)
        answered = {_key(block) for block in following if block.kind == "tool_result"}
        beyond = calls[max(0, self.per_turn - made) :]
        refused = [call for call in beyond if _key(call) not in answered]
        if not results and len(refused) < len(calls):
            refused = []  # the loop has not yet run those that it may run
        return len(refused) if self._answer(draft, refused, answers.stop - 1, results) else 0

    def _answer(self, draft: Draft, refused: list[Block], place: int, results: range) -> bool:
        """Put the errors behind a message, and into the one that has the other results; whether
        that is new."""
        edits = draft.edits
        known, wanted = edits.results.get(place), self._extra(draft, refused)
        if wanted is None:
            edits.results.pop(place, None)
        else:
            edits.results[place] = wanted
        if wanted != known:
            edits.touch(place)
        if results and wanted is not None and results.start not in edits.changed:
            edits.touch(results.start)
        return wanted != known

    def _extra(self, draft: Draft, calls: Sequence[Block]) -> Extra | None:
        if not calls:
            return None
        text = refusal(self.per_turn)
        messages = draft.conversation.form.error_results(calls, [text] * len(calls))
        return Extra(tuple(messages), draft.sizer.text_now(text) * len(calls))


def refusal(per_turn: int) -> str:
    """What the model reads in the place of a result."""
    return (
        f"Refused: at most {per_turn} tool calls a turn. This call was not run. Answer with what "
        "you have, or tell the user what else you would look up."
    )


def _rounds(draft: Draft, first: int) -> Iterator[tuple[range, range]]:
    """From a message on: answers in a row, and what follows them. An answer that was answered here
    stands alone, as do all in OpenAI's form."""
    messages, answered = draft.conversation.messages, draft.edits.results
    joins = draft.conversation.form.name == "anthropic"
    at, size = first, len(messages)
    while at < size:
        start = at
        while at < size and messages[at]["role"] == "assistant":
            at += 1
            if not joins or at - 1 in answered:
                break
        stop = at
        while at < size and messages[at]["role"] != "assistant":
            at += 1
        if stop > start:
            yield range(start, stop), range(stop, at)


def _calls(draft: Draft, messages: range) -> list[Block]:
    return [block for block in draft.blocks_of(messages) if is_own_call(block)]


def _key(block: Block) -> str | None:
    """By the id, or by the tool's name in OpenAI's older form, which has no ids."""
    return block.tool_id or block.tool


def _made(form: Form, messages: Sequence[object], answer: Sequence[Block]) -> int:
    """The calls of the last turn, but for those of the answer itself."""
    made = 0
    for number in range(len(messages) - 1, -1, -1):
        plain = plain_message(messages[number], number)
        blocks = form.blocks(plain, number)
        calls = [block for block in blocks if is_own_call(block)]
        is_answer = number == len(messages) - 1 and list(map(_key, calls)) == list(
            map(_key, answer)
        )
        made += 0 if is_answer else len(calls)
        carries = any(block.kind == "tool_result" for block in blocks)
        if form.starts_turn(plain) and not carries:
            break
    return made


def _given(answer: Any, plain: PlainMessage, block: Block) -> Any:
    """A call as the caller has it."""
    calls = plain.get("tool_calls")
    if isinstance(calls, list):
        place = [id(call) for call in cast("list[Any]", calls)].index(id(block.raw))
        return _field(answer, "tool_calls")[place]
    if "function_call" in plain:
        return _field(answer, "function_call")
    return _field(answer, "content")[block.index]


def _field(holder: Any, name: str) -> Any:
    if isinstance(holder, Mapping):
        return cast("Mapping[str, Any]", holder)[name]
    return getattr(holder, name)
