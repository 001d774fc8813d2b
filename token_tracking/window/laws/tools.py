"""What the APIs refuse of calls of tools and their results."""

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import Final

from token_tracking.window.blocks import Block
from token_tracking.window.laws.reading import Fault, Law, Reading, is_own_call, place

_ID: Final = re.compile(r"[a-zA-Z0-9_-]+")


def _results_have_ids(reading: Reading) -> Fault | None:
    for block in _of_tools(reading):
        if block.tool_id is None and not _is_legacy(reading, block):
            name = "tool_use_id" if block.kind == "tool_result" else "id"
            name = "tool_call_id" if reading.role(block.message) == "tool" else name
            return block.message, f"{place(block)} has no {name}; give the id of the call"
    return None


def _ids_are_plain(reading: Reading) -> Fault | None:
    if not reading.is_anthropic:
        return None
    for block in _of_tools(reading):
        if block.tool_id is not None and not _ID.fullmatch(block.tool_id):
            return block.message, (
                f"{place(block)} has the id {block.tool_id!r}; "
                "ids are of letters, digits, _ and - only"
            )
    return None


def _ids_are_unique(reading: Reading) -> Fault | None:
    calls: set[str] = set()
    for exchange in reading.exchanges:
        calls = calls if reading.is_anthropic else set()
        for blocks, known in ((exchange.calls, calls), (exchange.results, set[str]())):
            for block in blocks:
                if block.tool_id is not None and block.tool_id in known:
                    return block.message, f"{place(block)} repeats the id {block.tool_id}"
                known.add(block.tool_id or "")
    return None


def _calls_have_results(reading: Reading) -> Fault | None:
    for exchange in reading.exchanges:
        answered = {_key(block) for block in exchange.results}
        if exchange.isolated or None in answered:  # a result without an id is named as that
            continue
        for call in exchange.calls:
            if _key(call) not in answered:
                return call.message, (
                    f"{place(call)}, the call {call.tool_id} of {call.tool}, has no result in "
                    "what follows it; give one, with is_error if there was none"
                )
    return _open_foreign_call(reading) if reading.is_anthropic else None


def _open_foreign_call(reading: Reading) -> Fault | None:
    """A call of a provider's tool may stay open while its turn lasts, and no longer."""
    last_turn = reading.turns.starts[-1] if reading.turns.starts else 0
    answered = {block.tool_id for block in reading.foreign if block.kind == "tool_result"}
    for block in reading.foreign:
        is_past = block.kind == "tool_use" and block.message < last_turn
        if is_past and block.tool_id not in answered:
            return block.message, f"{place(block)}, a call of {block.tool}, has no result"
    return None


def _results_have_calls(reading: Reading) -> Fault | None:
    strays = [*_stray_results(reading), *_stray_foreign_results(reading)]
    if not strays:
        return None
    first = min(strays, key=lambda block: (block.message, block.index))
    return first.message, (
        f"{place(first)} is the result of {first.tool_id}, which is no call of the answer before "
        "it; leave both out or neither"
    )


def _stray_results(reading: Reading) -> Iterator[Block]:
    for exchange in reading.exchanges:
        called = {_key(call) for call in exchange.calls}
        yield from (block for block in exchange.results if _key(block) not in called)
    for number, results in enumerate(reading.results):
        if results and reading.role(number) == "assistant":
            yield from results


def _stray_foreign_results(reading: Reading) -> Iterator[Block]:
    called: set[str | None] = set()
    for block in reading.foreign:
        if block.kind == "tool_use":
            called.add(block.tool_id)
        elif block.tool_id not in called:
            yield block


def _results_in_one_message(reading: Reading) -> Fault | None:
    for exchange in reading.exchanges:
        for before, block in pairwise(exchange.results):
            step = block.message - before.message
            if step > (0 if reading.is_anthropic else 1):
                return block.message, f"{place(block)} stands apart from the other results"
        first = exchange.results[0].message if exchange.results else 0
        if exchange.calls and first > 0 and reading.role(first - 1) != "assistant":
            return first, f"message {first} has results that do not directly follow their calls"
    return None


def _results_come_first(reading: Reading) -> Fault | None:
    if not reading.is_anthropic:
        return None
    for results in reading.results:
        for index, block in enumerate(results):
            if block.index != index and reading.role(block.message) == "user":
                return block.message, f"{place(block)} is a result behind other content"
    return None


def _of_tools(reading: Reading) -> Iterator[Block]:
    for calls, results in zip(reading.calls, reading.results, strict=True):
        yield from calls
        yield from results


def _key(block: Block) -> str | None:
    return block.tool_id if block.tool_id is not None else block.tool


def _is_legacy(reading: Reading, block: Block) -> bool:
    """Whether it is of OpenAI's older `function_call`, which has no ids."""
    if reading.is_anthropic:
        return False
    if is_own_call(block):
        return "function_call" in reading.messages[block.message]
    return reading.role(block.message) == "function"


TOOL_LAWS: Final[tuple[Law[Reading], ...]] = (
    Law("results_have_ids", "Calls and results have an id.", _results_have_ids),
    Law("ids_are_plain", "Ids are of letters, digits, _ and - (Anthropic).", _ids_are_plain),
    Law("ids_are_unique", "No call and no result repeats an id.", _ids_are_unique),
    Law("calls_have_results", "Each call has its result in what follows it.", _calls_have_results),
    Law("results_have_calls", "Each result has its call right before it.", _results_have_calls),
    Law(
        "results_in_one_message",
        "The results of parallel calls stand together, directly behind the calls.",
        _results_in_one_message,
    ),
    Law("results_come_first", "Results come first in their message.", _results_come_first),
)
"""In the order in which they are named where one message breaks several."""
