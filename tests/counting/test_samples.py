"""Which texts of a transcript are held against what was billed, and which are not."""

import json
from typing import Any

import pytest

from tests.transcripts import MODEL, SESSION, answer, asked, tool_result, tool_use, usage
from token_tracking.calibration.samples import Candidate, FileSamples
from token_tracking.sources.claude_code.lines import decode_line

RESULT = "what the tool said"


def candidates(lines: list[dict[str, Any]]) -> list[Candidate]:
    samples = FileSamples("file")
    for given in lines:
        line = decode_line(json.dumps(given).encode())
        assert line is not None
        samples.take(line)
    return list(samples.candidates())


def text(words: str) -> dict[str, Any]:
    return {"type": "text", "text": words}


def pair(
    first: dict[str, Any] | None = None, second: dict[str, Any] | None = None, **line: Any
) -> list[dict[str, Any]]:
    """A call, its result, and the next request, which was billed 105 + 30 - 5 tokens more."""
    calls = [tool_use("toolu_1", "Bash", command="ls")]
    before: dict[str, Any] = {
        "billed": usage(30, cache_read_input_tokens=100),
        "content": calls,
        **(first or {}),
    }
    billed = usage(7, cache_read_input_tokens=100, cache_creation_input_tokens=80)
    after: dict[str, Any] = {"billed": billed, "content": [text("done")], **(second or {})}
    return [
        asked(),
        answer("msg_a", uuid="a", parent="u-u", **before),
        asked([tool_result("toolu_1", RESULT)], uuid="r", parent="a", second=20, **line),
        answer("msg_b", uuid="b", parent="r", second=30, **after),
    ]


def growths(lines: list[dict[str, Any]]) -> list[tuple[int, str]]:
    return [(each.billed, each.text) for each in candidates(lines) if each.kind == "growth"]


def test_an_answer_of_nothing_but_text_is_one_over_all_its_lines() -> None:
    lines = [
        answer(uuid="a", content=[text("one")], stop=None, billed=usage(3)),
        answer(uuid="b", parent="a", content=[text("two")], billed=usage(20)),
        answer(uuid="c", parent="b", content=[text("two")], billed=usage(20)),
    ]
    assert candidates(lines) == [Candidate("msg_a", MODEL, SESSION, "answer", 20, "one\ntwo")]


def test_a_call_is_another_kind_and_its_input_is_text() -> None:
    (found,) = candidates([answer(content=[tool_use("toolu_1", "Write", path="p", text="a\nb")])])
    assert (found.kind, found.text) == ("call", "Write\npath\np\ntext\na\nb")


@pytest.mark.parametrize(
    "given",
    [
        {"stop": None},
        {"content": [{"type": "thinking", "thinking": "hm"}, text("x")]},
        {"content": [{"type": "redacted_thinking", "data": "x"}, text("x")]},
        {"content": [{"type": "server_tool_use", "id": "s", "name": "web_search"}, text("x")]},
        {"content": []},
    ],
)
def test_what_is_not_shown_as_it_was_billed_is_left_out(given: dict[str, Any]) -> None:
    assert candidates([answer(**given)]) == []


def test_ids_that_gateways_reuse_are_left_out() -> None:
    assert candidates([answer("chatcmpl-1")]) == []


def test_a_tool_result_grew_the_prompt_by_what_the_answer_before_did_not() -> None:
    assert growths(pair()) == [(185 - 105 - 30, RESULT)]


def test_results_of_parallel_calls_are_gathered() -> None:
    lines = pair()
    other = asked([tool_result("toolu_2", [text("more")])], uuid="r2", parent="a", second=21)
    assert growths([*lines[:3], other, *lines[3:]]) == [(50, f"{RESULT}\nmore")]


def _of_two_models() -> list[dict[str, Any]]:
    *before, after = pair()
    return [*before, {**after, "message": {**after["message"], "model": "claude-haiku-4-5"}}]


@pytest.mark.parametrize(
    "lines",
    [
        pair({"stop": None}),
        pair(second={"billed": usage(7)}),
        pair(isCompactSummary=True),
        _of_two_models(),
        [line for line in pair() if line["uuid"] != "r"],
        [*pair()[:3], {**asked("and?", uuid="q", parent="r"), "uuid": "q"}, pair()[3]],
    ],
    ids=["unfinished", "shrunk", "summary", "two-models", "unlinked", "user-text"],
)
def test_a_growth_that_has_other_causes_is_left_out(lines: list[dict[str, Any]]) -> None:
    assert growths(lines) == []


@pytest.mark.parametrize(
    "line",
    [
        {"type": "attachment", "attachment": {"type": "file"}},
        {"type": "system", "subtype": "microcompact_boundary"},
        asked([{"type": "image", "source": {"data": "xx"}}]),
        asked([tool_result("toolu_9", [{"type": "image", "source": {"data": "xx"}}])]),
    ],
    ids=["attachment", "removal", "image", "image-result"],
)
def test_what_else_entered_or_left_spoils_it(line: dict[str, Any]) -> None:
    lines = pair()
    assert growths([*lines[:3], {**line, "uuid": "x", "parentUuid": "a"}, lines[3]]) == []


def test_a_notice_that_no_model_saw_does_not() -> None:
    lines = pair()
    notice = {"type": "system", "subtype": "turn_duration", "uuid": "x", "parentUuid": "a"}
    assert len(growths([*lines[:3], notice, lines[3]])) == 1


def test_after_going_back_the_second_branch_is_left_out() -> None:
    lines = pair()
    again = asked([tool_result("toolu_1", "other")], uuid="r2", parent="a", second=40)
    other = answer("msg_c", uuid="c", parent="r2", second=50, billed=usage(1, input_tokens=500))
    assert growths([*lines, again, other]) == [(50, RESULT)]
