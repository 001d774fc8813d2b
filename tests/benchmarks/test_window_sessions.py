"""Transcripts rebuilt as conversations: what each request sent, and what its blocks weigh."""

import json
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.transcripts import build_tree
from benchmarks.window_sessions import (
    Conversation,
    ReplaySession,
    conversations_of,
    estimated_prompts,
    read_sessions,
)
from benchmarks.window_sessions.__main__ import measure
from benchmarks.window_sessions.blocks import NO_CONTENT, NO_RESULT
from benchmarks.window_sessions.ledger import read_ledger
from benchmarks.window_sessions.sizes import shared
from tests.transcripts import (
    FORK,
    SESSION,
    agent_progress,
    answer,
    asked,
    forked,
    tool_result,
    tool_use,
    usage,
    write,
)
from token_tracking.window.laws import validate


def said(text: str) -> dict[str, Any]:
    """A text block."""
    return {"type": "text", "text": text}


def prompt(tokens: int, output: int = 10) -> dict[str, Any]:
    """The usage of a response to a prompt of this many tokens."""
    return usage(output, cache_read_input_tokens=tokens - 5)


def only(tree: Path) -> ReplaySession:
    """The one session of a tree."""
    (session,) = read_sessions(tree)
    return session


def sent(conversation: Conversation) -> list[list[dict[str, Any]]]:
    """The conversation of each request."""
    return [list(messages) for messages in conversations_of(conversation)]


def assert_valid(messages: list[dict[str, Any]]) -> None:
    """Roles take turns, each call has its result first in the next message, no law is broken."""
    assert validate(messages) is None
    assert [each["role"] for each in messages[::2]] == ["user"] * len(messages[::2])
    assert [each["role"] for each in messages[1::2]] == ["assistant"] * len(messages[1::2])
    assert all(each["content"] for each in messages)
    open_calls: list[str] = []
    for message in messages:
        blocks = message["content"]
        results = [block["tool_use_id"] for block in blocks if block["type"] == "tool_result"]
        assert results == open_calls
        assert all(block["type"] == "tool_result" for block in blocks[: len(results)])
        open_calls = [block["id"] for block in blocks if block["type"] == "tool_use"]
    calls = [block["id"] for each in messages for block in each["content"] if "name" in block]
    assert len(calls) == len(set(calls))


def test_a_request_sends_what_stands_before_it(tmp_path: Path) -> None:
    write(
        tmp_path,
        [
            asked("hi", uuid="1"),
            answer("msg_a", uuid="2", parent="1", content=[tool_use("t1")], billed=prompt(100)),
            asked([tool_result("t1")], uuid="3", parent="2", second=11),
            answer("msg_b", uuid="4", parent="3", second=12, billed=prompt(150)),
        ],
    )

    session = only(tmp_path)

    (conversation,) = session.conversations
    first, second = conversation.requests
    assert sent(conversation)[1] == [
        {"role": "user", "content": [said("hi")]},
        {"role": "assistant", "content": [tool_use("t1")]},
        {"role": "user", "content": [tool_result("t1")]},
    ]
    assert (first.keep, second.keep) == (0, 1)
    assert second.answer == {"role": "assistant", "content": [said("hello")]}
    assert (session.session_id, conversation.chain, session.skipped) == (SESSION, "main", {})


def test_the_previous_answer_takes_its_billed_output_and_results_take_the_rest(
    tmp_path: Path,
) -> None:
    calls = [said("x" * 100), tool_use("t1", command="y" * 60)]
    results = [tool_result("t1", "z" * 300), said("z" * 100)]
    write(
        tmp_path,
        [
            asked("hi", uuid="1"),
            answer("msg_a", uuid="2", parent="1", content=calls, billed=prompt(1000, output=80)),
            asked(results, uuid="3", parent="2", second=11),
            answer("msg_b", uuid="4", parent="3", second=12, billed=prompt(1500)),
        ],
    )

    (conversation,) = only(tmp_path).conversations

    said_tokens, entered = conversation.requests[1].add_tokens
    assert sum(said_tokens) == 80
    assert sum(entered) == 420
    assert 2.5 < entered[0] / entered[1] < 3
    assert list(estimated_prompts(conversation)) == [1000, 1500]


def test_thinking_that_is_not_shown_takes_what_the_other_blocks_leave(tmp_path: Path) -> None:
    hidden = {"type": "thinking", "thinking": "", "signature": "s" * 300}
    write(
        tmp_path,
        [
            asked("hi", uuid="1"),
            answer("msg_a", uuid="2", parent="1", content=[hidden], stop=None),
            answer(
                "msg_a", uuid="3", parent="2", content=[said("x" * 40)], billed=prompt(1000, 900)
            ),
            asked("more", uuid="4", parent="3", second=11),
            answer("msg_b", uuid="5", parent="4", second=12, billed=prompt(1910)),
        ],
    )

    (conversation,) = only(tmp_path).conversations

    thinking, text = conversation.requests[1].add_tokens[0]
    assert thinking + text == 900
    assert text < 30


def test_a_prompt_that_shrinks_keeps_the_estimates(tmp_path: Path) -> None:
    write(
        tmp_path,
        [
            asked("hi", uuid="1"),
            answer("msg_a", uuid="2", parent="1", billed=prompt(1000)),
            asked("x" * 100, uuid="3", parent="2", second=11),
            answer("msg_b", uuid="4", parent="3", second=12, billed=prompt(900)),
        ],
    )

    (conversation,) = only(tmp_path).conversations

    first, second = estimated_prompts(conversation)
    assert (first, second > 1000) == (1000, True)
    assert sum(conversation.requests[1].add_tokens[0]) == 10


def test_what_enters_later_repays_a_fifth_of_its_size(tmp_path: Path) -> None:
    lines: list[Any] = [asked("hi", uuid="0")]
    for number, tokens in enumerate((20_000, 18_000, 19_010)):
        above, uuid = str(number), f"a{number}"
        billed = prompt(tokens)
        lines.append(
            answer(f"msg_{number}", uuid=uuid, parent=above, second=2 * number, billed=billed)
        )
        lines.append(asked("x" * 3000, uuid=str(number + 1), parent=uuid, second=9))
    write(tmp_path, lines)

    (conversation,) = only(tmp_path).conversations

    assert conversation.requests[2].add_tokens == [[10], [800]]


def test_the_lines_of_one_answer_are_one_message_with_its_largest_usage(tmp_path: Path) -> None:
    write(
        tmp_path,
        [
            asked("hi", uuid="1"),
            answer("msg_a", uuid="2", parent="1", stop=None, billed=prompt(100, output=1)),
            answer("msg_a", uuid="3", parent="2", content=[tool_use("t1")], billed=prompt(100, 44)),
        ],
    )

    (conversation,) = only(tmp_path).conversations

    (request,) = conversation.requests
    assert request.answer["content"] == [said("hello"), tool_use("t1")]
    assert (request.prompt_tokens, request.output_tokens, request.is_final) == (100, 44, True)


def test_results_of_parallel_calls_are_gathered_off_the_path(tmp_path: Path) -> None:
    calls = [tool_use("t1"), tool_use("t2")]
    write(
        tmp_path,
        [
            asked("hi", uuid="1"),
            answer("msg_a", uuid="2", parent="1", content=calls[:1]),
            answer("msg_a", uuid="3", parent="2", content=calls[1:]),
            asked([tool_result("t1", "one")], uuid="4", parent="2", second=11),
            asked([tool_result("t2", "two")], uuid="5", parent="3", second=12),
            answer("msg_b", uuid="6", parent="5", second=13),
        ],
    )

    (conversation,) = only(tmp_path).conversations

    assert sent(conversation)[1][2]["content"] == [
        tool_result("t1", "one"),
        tool_result("t2", "two"),
    ]


def test_a_branch_has_the_result_that_stands_on_its_way(tmp_path: Path) -> None:
    lines = [asked("hi", uuid="1"), answer("msg_a", uuid="2", parent="1", content=[tool_use("t1")])]
    for number, text in enumerate(("one", "two")):
        uuid, second = f"r{number}", 20 + number
        lines.append(asked([tool_result("t1", text)], uuid=uuid, parent="2", second=second))
        lines.append(answer(f"msg_{number}", uuid=f"b{uuid}", parent=uuid, second=second))
    write(tmp_path, lines)

    (conversation,) = only(tmp_path).conversations

    assert [each[2]["content"] for each in sent(conversation)[1:]] == [
        [tool_result("t1", "one")],
        [tool_result("t1", "two")],
    ]


def test_a_result_that_comes_late_stands_once_after_its_call(tmp_path: Path) -> None:
    late = [tool_result("t1", "late"), said("more")]
    write(
        tmp_path,
        [
            asked("hi", uuid="1"),
            answer("msg_a", uuid="2", parent="1", content=[tool_use("t1")]),
            answer("msg_b", uuid="3", parent="2", second=11),
            asked(late, uuid="4", parent="3", second=12),
            answer("msg_c", uuid="5", parent="4", second=13),
        ],
    )

    session = only(tmp_path)

    messages = sent(session.conversations[0])[-1]
    assert [each["content"] for each in messages[2::2]] == [
        [tool_result("t1", "late")],
        [said("more")],
    ]
    assert session.skipped == {}


def test_a_call_without_a_result_gets_an_error(tmp_path: Path) -> None:
    write(
        tmp_path,
        [
            asked("hi", uuid="1"),
            answer("msg_a", uuid="2", parent="1", content=[tool_use("t1")]),
            asked("stop", uuid="3", parent="2", second=11),
            answer("msg_b", uuid="4", parent="3", second=12),
        ],
    )

    session = only(tmp_path)

    (conversation,) = session.conversations
    assert sent(conversation)[1][2]["content"] == [
        {**tool_result("t1", NO_RESULT), "is_error": True},
        said("stop"),
    ]
    assert session.skipped == {"calls without a result, given an error": 1}


def test_a_result_without_its_call_becomes_text(tmp_path: Path) -> None:
    write(
        tmp_path,
        [
            asked([tool_result("gone", "left over")], uuid="1"),
            answer("msg_a", uuid="2", parent="1"),
        ],
    )

    session = only(tmp_path)

    assert sent(session.conversations[0]) == [[{"role": "user", "content": [said("left over")]}]]
    assert session.skipped == {"results without their call, made text": 1}


def test_calls_of_one_id_are_told_apart(tmp_path: Path) -> None:
    lines: list[Any] = [asked("hi", uuid="0")]
    for number in range(3):
        uuid = str(2 * number)
        content = [tool_use("call_0")]
        result = [tool_result("call_0", f"result {number}")]
        lines += [
            answer(f"msg_{number}", uuid=f"a{uuid}", parent=uuid, second=number, content=content),
            asked(result, uuid=str(2 * number + 2), parent=f"a{uuid}", second=number),
        ]
    write(tmp_path, [*lines, answer("msg_last", uuid="z", parent="6", second=9)])

    (conversation,) = only(tmp_path).conversations

    messages = sent(conversation)[-1]
    assert_valid(messages)
    assert [each["content"][0]["content"] for each in messages[2::2]] == [
        "result 0",
        "result 1",
        "result 2",
    ]


def test_a_fork_opens_with_its_parents_messages_and_bills_only_its_own(tmp_path: Path) -> None:
    shared_lines = [
        asked("hi", uuid="1"),
        answer("msg_a", uuid="2", parent="1"),
        asked("more", uuid="3", parent="2", second=11),
        answer("msg_b", uuid="4", parent="3", second=12),
    ]
    own = [
        asked("else", uuid="5", parent="2", second=21, sessionId=FORK),
        answer("msg_c", uuid="6", parent="5", second=22, sessionId=FORK),
    ]
    born = {"type": "queue-operation", "timestamp": "2026-03-02T12:00:20.000Z", "sessionId": FORK}
    write(tmp_path, shared_lines)
    write(tmp_path, [born, *forked(shared_lines), *own], FORK)

    parent, fork = read_sessions(tmp_path)

    assert [each.message_id for each in parent.conversations[0].requests] == ["msg_a", "msg_b"]
    (request,) = fork.conversations[0].requests
    assert (request.message_id, request.keep) == ("msg_c", 0)
    texts = [message["content"][0]["text"] for message in request.add]
    assert texts == ["hi", "hello", "else"]


def test_going_back_keeps_what_both_ways_share(tmp_path: Path) -> None:
    write(
        tmp_path,
        [
            asked("hi", uuid="1"),
            answer("msg_a", uuid="2", parent="1"),
            asked("one", uuid="3", parent="2", second=11),
            answer("msg_b", uuid="4", parent="3", second=12),
            asked("other", uuid="5", parent="2", second=13),
            answer("msg_c", uuid="6", parent="5", second=14),
        ],
    )

    (conversation,) = only(tmp_path).conversations

    assert [request.keep for request in conversation.requests] == [0, 1, 2]
    assert [each["content"] for each in conversation.requests[2].add] == [[said("other")]]


@pytest.mark.parametrize("parent", [None, "2"])
def test_what_follows_a_compaction_opens_with_its_summary(
    tmp_path: Path, parent: str | None
) -> None:
    boundary = {
        "type": "system",
        "subtype": "compact_boundary",
        "uuid": "3",
        "parentUuid": parent,
        "logicalParentUuid": "2",
        "sessionId": SESSION,
        "timestamp": "2026-03-02T12:00:11.000Z",
    }
    write(
        tmp_path,
        [
            asked("hi", uuid="1"),
            answer("msg_a", uuid="2", parent="1"),
            boundary,
            asked("so far", uuid="4", parent="3", second=12, isCompactSummary=True),
            answer("msg_b", uuid="5", parent="4", second=13),
        ],
    )

    before, after = only(tmp_path).conversations

    assert (before.chain, after.chain) == ("main", "main/2")
    assert sent(after) == [[{"role": "user", "content": [said("so far")]}]]


def test_a_prompt_that_falls_by_half_begins_anew(tmp_path: Path) -> None:
    write(
        tmp_path,
        [
            asked("x" * 30_000, uuid="1"),
            answer("msg_a", uuid="2", parent="1", billed=prompt(12_000)),
            asked("more", uuid="3", parent="2", second=11),
            answer("msg_b", uuid="4", parent="3", second=12, billed=prompt(3_000)),
        ],
    )

    session = only(tmp_path)

    assert len(session.conversations) == 2
    assert sent(session.conversations[1]) == [[{"role": "user", "content": [said("more")]}]]
    assert session.skipped == {"prompts that fell by half, begun anew": 1}


@pytest.mark.parametrize("form", ["progress", "file", "sidechain"])
def test_a_subagent_is_a_conversation_of_its_own(tmp_path: Path, form: str) -> None:
    nested = [
        asked("look", uuid="n1", second=2, isSidechain=True),
        answer("msg_n", uuid="n2", parent="n1", second=3, isSidechain=True),
        asked("again", uuid="n3", parent="n2", second=4, isSidechain=True),
        answer("msg_m", uuid="n4", parent="n3", second=5, isSidechain=True),
    ]
    lines = [asked("hi", uuid="1"), answer("msg_a", uuid="2", parent="1")]
    if form == "progress":
        lines += [agent_progress("abc", line) for line in nested]
    elif form == "sidechain":
        lines += nested
    else:
        path = f"{SESSION}/subagents/agent-abc"
        (tmp_path / "projects" / "-home-sam-shop" / SESSION / "subagents").mkdir(parents=True)
        write(tmp_path, [{**line, "agentId": "abc"} for line in nested], path)
    write(tmp_path, lines)

    main, agent = only(tmp_path).conversations

    assert [len(main.requests), len(agent.requests)] == [1, 2]
    assert agent.chain == ("sidechain" if form == "sidechain" else "abc")
    assert [each["content"][0]["text"] for each in sent(agent)[1]] == ["look", "hello", "again"]


def test_a_subagent_that_stands_in_two_places_is_billed_once(tmp_path: Path) -> None:
    nested = [asked("look", uuid="n1"), answer("msg_n", uuid="n2", parent="n1", second=3)]
    copied = [{**line, "uuid": f"c{line['uuid']}"} for line in nested]
    (tmp_path / "projects" / "-home-sam-shop" / SESSION / "subagents").mkdir(parents=True)
    own = [{**line, "agentId": "abc", "isSidechain": True} for line in nested]
    write(tmp_path, own, f"{SESSION}/subagents/agent-abc")
    write(tmp_path, [agent_progress("abc", line) for line in copied])

    (conversation,) = only(tmp_path).conversations

    assert [each.message_id for each in conversation.requests] == ["msg_n"]


def test_attachments_and_meta_lines_are_text_of_the_user(tmp_path: Path) -> None:
    attachment = {**asked(uuid="2", parent="1"), "type": "attachment", "attachment": {"a": 1}}
    del attachment["message"]
    write(
        tmp_path,
        [
            asked("hi", uuid="1"),
            attachment,
            asked("note", uuid="3", parent="2", isMeta=True),
            answer("msg_a", uuid="4", parent="3"),
        ],
    )

    (conversation,) = only(tmp_path).conversations

    assert sent(conversation)[0][0]["content"] == [said("hi"), said('{"a":1}'), said("note")]


def test_synthetic_answers_are_no_requests_and_stand_in_no_prompt(tmp_path: Path) -> None:
    synthetic = answer("msg_s", uuid="2", parent="1")
    synthetic["message"]["model"] = "<synthetic>"
    write(
        tmp_path,
        [
            asked("hi", uuid="1"),
            synthetic,
            asked("again", uuid="3", parent="2", second=11),
            answer("msg_a", uuid="4", parent="3", second=12),
        ],
    )

    (conversation,) = only(tmp_path).conversations

    assert sent(conversation) == [[{"role": "user", "content": [said("hi"), said("again")]}]]


def test_bad_lines_are_counted_and_the_rest_is_read(tmp_path: Path) -> None:
    lines: list[Any] = [
        '{"type": "user", "uuid',
        "[]",
        {"type": "assistant", "uuid": 5, "message": "no"},
        asked("hi", uuid="1"),
        json.dumps(answer("msg_a", uuid="2", parent="1")).replace("hello", "half \\ud83d"),
        asked([{"type": "tool_result"}, 3, {"type": "text"}], uuid="3", parent="lost", second=11),
        answer("msg_b", uuid="4", parent="3", second=12),
    ]
    write(tmp_path, lines, end="")

    session = only(tmp_path)

    assert [each.message_id for each in session.conversations[0].requests] == ["msg_a", "msg_b"]
    assert_valid(sent(session.conversations[0])[1])
    assert session.skipped["malformed lines"] == 2
    assert session.skipped["answers without usage"] == 1


def test_an_answer_without_content_is_given_a_text(tmp_path: Path) -> None:
    write(
        tmp_path,
        [
            asked("hi", uuid="1"),
            answer("msg_a", uuid="2", parent="1", content=[said(" ")]),
            answer("msg_b", uuid="3", parent="2", second=12),
        ],
    )

    session = only(tmp_path)

    assert [each["content"] for each in sent(session.conversations[0])[1][1:]] == [
        [said(NO_CONTENT)],
        [said(NO_CONTENT)],
    ]
    assert sum(session.skipped.values()) == 2


@given(st.floats(0, 1e5), st.lists(st.floats(0, 1e4), min_size=1, max_size=9))
def test_shares_add_up_and_none_is_empty(total: float, weights: list[float]) -> None:
    parts = shared(total, weights)

    assert sum(parts) == max(round(total), len(weights))
    assert min(parts) >= 1


_LINES = st.lists(
    st.tuples(
        st.booleans(),
        st.integers(-1, 9),
        st.integers(0, 5),
        st.lists(st.sampled_from(("t1", "t2", "text", "")), max_size=3),
        st.integers(5, 9000),
    ),
    max_size=10,
)


def _line(number: int, drawn: tuple[bool, int, int, list[str], int]) -> dict[str, Any]:
    """Any line hangs on any other, itself and later ones included, and ids repeat."""
    is_answer, parent, message, names, tokens = drawn
    place: dict[str, Any] = {
        "uuid": str(number),
        "parent": None if parent < 0 else str(parent),
        "second": number,
    }
    if not is_answer:
        entered = [tool_result(each) if each in {"t1", "t2"} else said(each) for each in names]
        return asked(entered, **place)
    content = [tool_use(each) if each in {"t1", "t2"} else said(each) for each in names]
    return answer(f"msg_{message}", content=content, billed=prompt(tokens), **place)


@settings(max_examples=150, deadline=None)
@given(_LINES)
def test_whatever_the_lines_every_message_is_one_request_with_a_valid_prompt(
    drawn: list[tuple[bool, int, int, list[str], int]],
) -> None:
    with TemporaryDirectory() as folder:
        tree = Path(folder)
        write(tree, [_line(number, each) for number, each in enumerate(drawn)])
        conversations = [each for session in read_sessions(tree) for each in session.conversations]

    requests = [request for each in conversations for request in each.requests]
    answers = {f"msg_{message}" for is_answer, _, message, _, _ in drawn if is_answer}
    assert sorted(each.message_id for each in requests) == sorted(answers)
    for conversation in conversations:
        for messages in sent(conversation):
            assert_valid(messages)


def test_the_command_tells_residuals_and_broken_laws(tmp_path: Path) -> None:
    write(
        tmp_path,
        [
            asked("hi", uuid="1"),
            answer("msg_a", uuid="2", parent="1", billed=prompt(120_000)),
            asked("more", uuid="3", parent="2", second=11),
            answer("msg_b", uuid="4", parent="3", second=12, billed=prompt(90_000)),
        ],
    )

    figures = measure(tmp_path)

    assert figures.pop("residual_worst") == pytest.approx(1 / 3, abs=0.001)
    assert {name: each for name, each in figures.items() if not name.startswith("residual")} == {
        "sessions": 1,
        "sessions_over_100k": 1,
        "conversations": 1,
        "requests": 2,
        "requests_over_100k": 1,
        "prompt_tokens": 210_000,
        "laws_broken": {},
        "skipped": {},
    }


@pytest.mark.slow
def test_a_generated_tree_is_rebuilt_whole_and_near_its_bills(tmp_path: Path) -> None:
    tree = build_tree(tmp_path, 8, seed=3, source=None)
    billed = {
        key: each.usage.prompt_tokens
        for key, each in read_ledger(tree).billed.items()
        if each.model != "<synthetic>"
    }

    sessions = list(read_sessions(tree))

    conversations = [each for session in sessions for each in session.conversations]
    requests = [request for each in conversations for request in each.requests]
    assert {each.message_id: each.prompt_tokens for each in requests} == billed
    assert len(requests) == len(billed)
    for conversation in conversations:
        times = [request.at_ms for request in conversation.requests]
        assert all(a <= b for a, b in pairwise(times))
        for estimate, request in zip(
            estimated_prompts(conversation), conversation.requests, strict=True
        ):
            assert abs(estimate - request.prompt_tokens) < 0.1 * request.prompt_tokens
            assert [len(message["content"]) for message in request.add] == [
                len(tokens) for tokens in request.add_tokens
            ]
        assert_valid(sent(conversation)[-1])
