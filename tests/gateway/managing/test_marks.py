"""Breakpoints of earlier turns are not sent again."""

from typing import Any

from token_tracking_server.gateway.managing.marks import unmarked, with_room

MARK = {"cache_control": {"type": "ephemeral"}}


def block(text: str, **fields: Any) -> dict[str, Any]:
    return {"type": "text", "text": text, **fields}


def test_marks_leave_blocks_and_results_but_not_what_a_call_passes_on() -> None:
    call = {"type": "tool_use", "id": "t", "name": "f", "input": {**MARK, "content": [MARK]}}
    result = {"type": "tool_result", "tool_use_id": "t", "content": [block("b", **MARK)], **MARK}
    messages: list[Any] = [
        {"role": "assistant", "content": [call]},
        {"role": "user", "content": [result, block("c", **MARK)]},
        {"role": "user", "content": "text"},
        3,
    ]
    plain = {"type": "tool_result", "tool_use_id": "t", "content": [block("b")]}
    assert unmarked(messages) == [
        messages[0],
        {"role": "user", "content": [plain, block("c")]},
        *messages[2:],
    ]
    assert messages[1]["content"][0]["cache_control"], "what is given stays as it is"


def test_marks_stay_while_there_is_room() -> None:
    tools, system = [{"name": "f", **MARK}], [block("a", **MARK), block("b", **MARK)]
    new = [{"role": "user", "content": [block("c", **MARK)]}]
    parts = [(tools, False), (system, False), (new, True)]
    assert with_room(parts, 0) == [tools, system, new]


def test_the_first_of_what_earlier_requests_gave_leaves_first() -> None:
    tools, system = [{"name": "f", **MARK}], [block("a", **MARK), block("b", **MARK)]
    new = [{"role": "user", "content": [block("c", **MARK), block("d", **MARK)]}]
    parts = [(tools, False), (system, False), (new, True)]
    assert with_room(parts, 0) == [[{"name": "f"}], system, new]
    assert with_room(parts, 1) == [[{"name": "f"}], [block("a"), block("b")], new]


def test_what_this_request_gave_keeps_its_marks() -> None:
    """Too many of them are the caller's to learn of, from the API."""
    new = [{"role": "user", "content": [block(str(n), **MARK) for n in range(6)]}]
    assert with_room([(None, False), ([block("a", **MARK)], True), (new, True)], 0)[1:] == [
        [block("a", **MARK)],
        new,
    ]
