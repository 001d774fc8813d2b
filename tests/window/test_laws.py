"""The laws of a conversation, each by its name."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.window.strategies import (
    Message,
    anthropic_conversations,
    broken,
    lossy,
    openai_conversations,
)
from token_tracking.window.forms import FORMS, form_of
from token_tracking.window.laws import LAWS, validate

conversations = st.one_of(anthropic_conversations(), openai_conversations())

THOUGHT = {"type": "thinking", "thinking": "let me see", "signature": "sealed"}


def call(tool_id: str, name: str = "Read", **extra: Any) -> Message:
    return {"type": "tool_use", "id": tool_id, "name": name, "input": {}, **extra}


def result(tool_id: str, text: str = "done", **extra: Any) -> Message:
    return {"type": "tool_result", "tool_use_id": tool_id, "content": text, **extra}


def user(*content: Any) -> Message:
    return {"role": "user", "content": content[0] if isinstance(content[0], str) else [*content]}


def assistant(*content: Any) -> Message:
    return {"role": "assistant", "content": [*content]}


def law_of(messages: Any, **options: Any) -> tuple[str, int | None] | None:
    found = validate(messages, **options)
    return None if found is None else (found.law, found.message)


@settings(deadline=None, max_examples=25)
@given(conversations)
def test_a_random_valid_conversation_breaks_no_law(messages: list[Message]):
    assert validate(messages) is None
    assert validate(messages, original=messages) is None


@pytest.mark.slow
@settings(deadline=None, max_examples=40)
@given(conversations, st.data())
def test_each_fault_is_named_by_its_law(messages: list[Message], data: st.DataObject):
    faulty, law = data.draw(broken(messages))
    found = validate(faulty, form=form_of(messages))
    assert found is not None
    assert found.law == law
    assert found.text


@settings(deadline=None, max_examples=25)
@given(conversations, st.data())
def test_each_loss_is_named_by_its_law(messages: list[Message], data: st.DataObject):
    edited, law = data.draw(lossy(messages))
    found = validate(edited, original=messages)
    assert found is not None
    assert found.law == law


@settings(deadline=None, max_examples=40)
@given(
    st.recursive(
        st.none() | st.booleans() | st.text() | st.integers(),
        lambda inner: (
            st.lists(inner)
            | st.dictionaries(
                st.sampled_from(
                    [
                        "role",
                        "content",
                        "type",
                        "text",
                        "id",
                        "tool_use_id",
                        "input",
                        "tool_calls",
                        "cache_control",
                    ]
                ),
                inner,
            )
        ),
    )
)
def test_nothing_that_stands_in_the_list_raises(junk: Any):
    for messages in (junk, [junk], [{"role": "user", "content": junk}], [user("hi"), junk]):
        for name in FORMS:
            validate(messages, form=FORMS[name])
            validate([user("hi")], form=FORMS[name], original=messages)


def test_every_law_says_what_it_is():
    assert all(text.endswith(".") for text in LAWS.values())
    assert len(LAWS) == len(set(LAWS.values()))


def test_the_first_broken_law_by_message_is_named():
    messages = [user("hi"), assistant(call("a")), user(" "), assistant(call("b")), user("?")]
    assert law_of(messages) == ("calls_have_results", 1)


def test_the_last_message_may_hold_open_calls():
    assert validate([user("hi"), assistant(call("a"))]) is None


def test_an_answer_in_two_messages_is_one_to_anthropic():
    split = [user("hi"), assistant(call("a")), assistant(call("b")), user(result("a"), result("b"))]
    assert validate(split) is None


def test_a_partly_answered_row_of_calls_is_named():
    messages = [user("hi"), assistant(call("a"), call("b")), user(result("a"))]
    assert law_of(messages) == ("calls_have_results", 1)


def test_a_result_in_the_assistants_message_is_named():
    messages = [user("hi"), assistant(call("a"), result("a")), user(result("a"))]
    assert law_of(messages) == ("results_have_calls", 1)


def test_two_results_of_one_call_are_named():
    messages = [user("hi"), assistant(call("a")), user(result("a"), result("a"))]
    assert law_of(messages) == ("ids_are_unique", 2)


def test_results_of_the_providers_tools_need_no_message_of_the_user():
    search: Message = {"type": "server_tool_use", "id": "srv", "name": "web_search", "input": {}}
    found: Message = {"type": "web_search_tool_result", "tool_use_id": "srv", "content": []}
    messages = [user("hi"), assistant(search, found), user("and?")]
    assert validate(messages) is None
    assert law_of([user("hi"), assistant(found), user("?")]) == ("results_have_calls", 1)
    assert law_of([user("hi"), assistant(search), user("?")]) == ("calls_have_results", 1)
    assert validate([user("hi"), assistant(search)]) is None


def test_a_system_message_in_the_midst_stands_behind_a_user():
    system = {"role": "system", "content": "be short"}
    assert validate([user("hi"), system, assistant({"type": "text", "text": "a"})]) is None
    assert validate([user("hi"), assistant(call("a")), user(result("a")), system]) is None
    assert law_of([user("hi"), system, user("b")]) == ("system_in_its_place", 1)
    messages = [system, user("hi")]
    assert law_of(messages, form=FORMS["anthropic"]) == ("starts_with_user", 0)


def test_an_empty_last_answer_is_allowed_and_an_empty_one_in_the_midst_is_not():
    empty = {"role": "assistant", "content": ""}
    assert validate([user("hi"), empty]) is None
    assert law_of([user("hi"), empty, user("?")]) == ("content_not_empty", 1)


def test_breakpoints_of_the_system_prompt_and_tools_count():
    marked = {"type": "text", "text": "a", "cache_control": {"type": "ephemeral"}}
    assert validate([user(marked, marked)], breakpoints_elsewhere=2) is None
    found = validate([user(marked, marked)], breakpoints_elsewhere=3)
    assert found is not None
    assert found.law == "at_most_four_breakpoints"


def test_a_breakpoint_within_a_result_counts():
    part = {"type": "text", "text": "a", "cache_control": {"type": "ephemeral"}}
    nested = {"type": "tool_result", "tool_use_id": "a", "content": [part] * 5}
    assert law_of([user("hi"), assistant(call("a")), user(nested)]) == (
        "at_most_four_breakpoints",
        2,
    )


@pytest.mark.parametrize(
    ("block", "says"),
    [
        ({"type": "text", "text": ["a"]}, "text is a list"),
        ({"type": "tool_use", "id": "a", "name": "Read", "input": "x"}, "input is a str"),
        ({"type": "tool_result", "tool_use_id": "a", "content": 5}, "content is a int"),
        ({"type": "tool_result", "tool_use_id": "a", "content": ["x"]}, "holds a str"),
        ({"text": "a"}, "no type"),
        ("words", "type str"),
        (5, "type int"),
    ],
)
def test_a_field_of_the_wrong_kind_is_named(block: Any, says: str):
    found = validate([user("hi"), {"role": "user", "content": [block]}])
    assert found is not None
    assert (found.law, found.message) == ("messages_are_messages", 1)
    assert says in found.text


@pytest.mark.parametrize("messages", [None, 5, "hi", {"role": "user"}])
def test_what_is_no_list_of_messages_is_named(messages: Any):
    assert law_of(messages) in [("messages_are_messages", None), ("not_empty", None)]


def test_openai_results_stand_directly_behind_their_call():
    calls = {
        "role": "assistant",
        "content": None,
        "tool_calls": [
            {"id": "a", "type": "function", "function": {"name": "read", "arguments": "{}"}}
        ],
    }
    answer = {"role": "tool", "tool_call_id": "a", "content": "done"}
    assert validate([user("hi"), calls, answer]) is None
    assert law_of([user("hi"), calls, user("?"), answer]) == ("results_in_one_message", 3)
    assert law_of([user("hi"), answer]) == ("results_have_calls", 1)
    assert law_of([user("hi"), calls, {"role": "tool", "content": "x"}]) == ("results_have_ids", 2)


def test_openai_calls_of_the_older_kind_have_no_ids():
    old = {"role": "assistant", "content": None, "function_call": {"name": "f", "arguments": "{}"}}
    answer = {"role": "function", "name": "f", "content": "done"}
    assert validate([user("hi"), old, answer]) is None
    assert law_of([user("hi"), old, user("?")]) == ("calls_have_results", 1)


def test_a_summary_may_stand_behind_the_task():
    messages = [user("the task"), assistant({"type": "text", "text": "a"}), user("go on")]
    task = user({"type": "text", "text": "the task"}, {"type": "text", "text": "so far: a"})
    assert validate([task, user("go on")], original=messages) is None
    assert law_of([user("so far: a"), user("go on")], original=messages) == ("task_kept", 0)


def test_thinking_may_go_with_its_turn_and_stays_in_the_last():
    old = [user("1"), assistant(THOUGHT, {"type": "text", "text": "one"})]
    new = [user("2"), assistant({**THOUGHT, "signature": "z"}, call("a")), user(result("a"))]
    past = [user("1"), assistant({"type": "text", "text": "one"}), *new]
    assert validate(past, original=[*old, *new]) is None
    lost = [*old, user("2"), assistant(call("a")), user(result("a"))]
    assert law_of(lost, original=[*old, *new]) == ("thinking_intact", 3)


def test_thinking_goes_whole_or_not_at_all():
    second = {"type": "redacted_thinking", "data": "zzz"}
    messages = [user("1"), assistant(THOUGHT, second, call("a")), user(result("a")), user("2")]
    part = [user("1"), assistant(THOUGHT, call("a")), user(result("a")), user("2")]
    assert law_of(part, original=messages) == ("thinking_intact", 1)


def test_what_stays_keeps_its_order():
    rounds = [m for i in "abc" for m in (assistant(call(i)), user(result(i)))]
    messages = [user("go"), *rounds]
    assert validate([user("go"), *rounds[4:]], original=messages) is None
    swapped = [user("go"), *rounds[2:4], *rounds[:2], *rounds[4:]]
    assert law_of(swapped, original=messages) == ("order_kept", 1)


def test_the_same_words_twice_are_told_apart():
    messages = [
        user("go"),
        user("yes"),
        assistant(THOUGHT, {"type": "text", "text": "ok"}),
        user("yes"),
        assistant({"type": "text", "text": "ok"}),
        user("yes"),
    ]
    assert validate(messages, original=messages) is None
    assert validate([user("go"), *messages[3:]], original=messages) is None


def test_a_result_is_not_left_with_nothing():
    messages = [user("go"), assistant(call("a")), user(result("a", "long"))]
    emptied = [user("go"), assistant(call("a")), user(result("a", ""))]
    assert law_of(emptied, original=messages) == ("not_trimmed_to_nothing", 2)
    cleared = [user("go"), assistant(call("a")), user(result("a", "[cleared]"))]
    assert validate(cleared, original=messages) is None


def test_the_results_at_the_end_stay():
    messages = [user("go"), assistant(call("a")), user(result("a"))]
    assert law_of([user("go"), assistant(call("a"))], original=messages) == ("end_kept", 1)
    assert law_of([user("go")], original=messages) == ("end_kept", 0)


def test_a_breakpoint_goes_with_its_block():
    marked = result("a", cache_control={"type": "ephemeral"})
    messages = [user("go"), assistant(call("a")), user(marked), user("2")]
    assert validate([user("go"), user("2")], original=messages) is None
    bare = [user("go"), assistant(call("a")), user(result("a", "[cleared]")), user("2")]
    assert law_of(bare, original=messages) == ("breakpoints_kept", 2)


def test_thinking_may_go_from_the_last_turn_where_a_model_binds_it():
    original = [user("1"), assistant(THOUGHT, call("a")), user(result("a"))]
    lost = [user("1"), assistant(call("a")), user(result("a"))]
    assert validate(lost, original=original, model="claude-opus-5-5") is None
    for model in (None, "claude-opus-5"):
        broken = validate(lost, original=original, model=model)
        assert broken is not None
        assert broken.law == "thinking_intact"


def test_even_a_bound_models_thinking_goes_whole_or_not_at_all():
    original = [user("1"), assistant(THOUGHT, {**THOUGHT, "signature": "z"}, call("a"))]
    original.append(user(result("a")))
    part = [user("1"), assistant(THOUGHT, call("a")), user(result("a"))]
    broken = validate(part, original=original, model="claude-opus-5-5")
    assert broken is not None
    assert broken.law == "thinking_intact"


def test_a_breakpoint_within_a_result_may_become_the_results_own():
    control = {"type": "ephemeral"}
    parts = [{"type": "text", "text": "x", "cache_control": control}]
    original = [user("1"), assistant(call("a")), user({**result("a"), "content": parts})]
    hoisted = {**result("a"), "content": "gone", "cache_control": control}
    assert validate([*original[:2], user(hoisted)], original=original) is None
    lost = {**result("a"), "content": "gone"}
    assert law_of([*original[:2], user(lost)], original=original) == ("breakpoints_kept", 2)


def test_of_two_messages_that_say_the_same_the_one_without_a_breakpoint_may_be_left():
    said = {"role": "user", "content": [{"type": "text", "text": "find"}]}
    mark = {"cache_control": {"type": "ephemeral"}}
    marked = {"role": "user", "content": [{"type": "text", "text": "find", **mark}]}
    answer = {"role": "assistant", "content": "found"}
    last = {"role": "user", "content": "and now"}
    original = [said, answer, marked, answer, last]
    assert validate([said, last], original=original) is None
    broken = validate(
        [said, answer, said, answer, last], original=[marked, answer, marked, answer, last]
    )
    assert broken is not None
    assert broken.law == "breakpoints_kept"
