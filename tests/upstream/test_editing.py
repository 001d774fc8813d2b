"""Context editing and compaction, asked for through the client's beta namespace."""

from typing import Any

import pytest
from anthropic import Anthropic, BadRequestError

from tests.upstream.app import Upstream
from tests.upstream.counting import text_tokens
from tests.upstream.editing import CLEAR, CLEAR_BETA, CLEARED, COMPACT, COMPACT_BETA
from tests.upstream.scripts import Answer

MODEL = "claude-opus-4-8"
RESULT_TOKENS = 1_000
SAVED = RESULT_TOKENS - text_tokens(CLEARED)
INPUT_TOKENS = text_tokens('{"at":"page 0"}')


def agent(uses: int) -> list[Any]:
    """A history with so many calls, `look` and `find` by turns, each answered by 1,000 tokens."""
    messages: list[Any] = [{"role": "user", "content": "Read it."}]
    for number in range(uses):
        name = ("look", "find")[number % 2]
        call = {
            "type": "tool_use",
            "id": f"t{number}",
            "name": name,
            "input": {"at": f"page {number}"},
        }
        content = str(number % 10) * (4 * RESULT_TOKENS)
        result = {"type": "tool_result", "tool_use_id": f"t{number}", "content": content}
        messages += [
            {"role": "assistant", "content": [call]},
            {"role": "user", "content": [result]},
        ]
    return messages


def clear(trigger: int = 5_000, **fields: Any) -> dict[str, Any]:
    return {"type": CLEAR, "trigger": {"type": "input_tokens", "value": trigger}, **fields}


def compact(trigger: int = 50_000, **fields: Any) -> dict[str, Any]:
    return {"type": COMPACT, "trigger": {"type": "input_tokens", "value": trigger}, **fields}


def ask(client: Anthropic, messages: list[Any], *edits: Any, **fields: Any) -> Any:
    asked: dict[str, Any] = {
        "model": MODEL,
        "max_tokens": 1_000,
        "betas": [CLEAR_BETA, COMPACT_BETA],
        "messages": messages,
        "context_management": {"edits": [*edits]},
        **fields,
    }
    create: Any = client.beta.messages.create
    return create(**asked)


@pytest.mark.parametrize(
    ("edit", "uses", "saved"),
    [
        (clear(), 7, 7 * SAVED),
        (clear(1_000_000), 0, 0),
        (clear(exclude_tools=["find"]), 4, 4 * SAVED),
        (clear(keep={"type": "tool_uses", "value": 8}), 2, 2 * SAVED),
        (clear(clear_at_least={"type": "input_tokens", "value": 7 * SAVED}), 7, 7 * SAVED),
        (clear(clear_at_least={"type": "input_tokens", "value": 7 * SAVED + 1}), 0, 0),
        (clear(clear_tool_inputs=True), 7, 7 * (SAVED + INPUT_TOKENS - 1)),
        (clear(clear_tool_inputs=["find"]), 7, 7 * SAVED + 3 * (INPUT_TOKENS - 1)),
        ({"type": CLEAR, "trigger": {"type": "tool_uses", "value": 9}}, 7, 7 * SAVED),
        ({"type": CLEAR, "trigger": {"type": "tool_uses", "value": 10}}, 0, 0),
        ({"type": CLEAR}, 0, 0),
    ],
)
def test_old_results_are_cleared(
    client: Anthropic, edit: dict[str, Any], uses: int, saved: int
) -> None:
    plain = ask(client, agent(10))
    answer = ask(client, agent(10), edit)
    applied = answer.context_management.applied_edits
    assert [(each.cleared_tool_uses, each.cleared_input_tokens) for each in applied] == (
        [(uses, saved)] if uses else []
    )
    assert answer.usage.input_tokens == plain.usage.input_tokens - saved
    assert answer.usage.iterations is None


def test_counting_tells_both_counts(client: Anthropic) -> None:
    counted = client.beta.messages.count_tokens(
        model=MODEL,
        messages=agent(10),
        context_management={"edits": [clear()]},  # pyright: ignore[reportArgumentType]
        betas=[CLEAR_BETA],
    )
    assert counted.context_management
    original = counted.context_management.original_input_tokens
    assert original - counted.input_tokens == 7 * SAVED


def test_a_stream_tells_its_edits_at_the_end(client: Anthropic) -> None:
    events = list(ask(client, agent(10), clear(), stream=True))
    deltas = [event for event in events if event.type == "message_delta"]
    assert [each.context_management.applied_edits[0].cleared_tool_uses for each in deltas] == [7]
    assert events[0].message.context_management is None


def test_clearing_breaks_the_cached_prefix(client: Anthropic) -> None:
    marked: dict[str, Any] = {"cache_control": {"type": "ephemeral"}}
    first = ask(client, agent(10), **marked).usage
    assert first.cache_creation_input_tokens > 10_000
    cleared = ask(client, agent(10), clear(), **marked).usage
    assert cleared.cache_read_input_tokens == 0
    assert cleared.cache_creation_input_tokens == first.cache_creation_input_tokens - 7 * SAVED


def test_a_compaction_is_counted_beside_the_message(client: Anthropic, upstream: Upstream) -> None:
    upstream.script([Answer("Go on.", summary="s" * 400)])
    messages = agent(60)
    whole = client.messages.count_tokens(model=MODEL, messages=messages).input_tokens
    answer = ask(client, messages, compact(), system="Be short.")
    assert [block.type for block in answer.content] == ["compaction", "text"]
    assert answer.content[0].content == "s" * 400
    assert answer.stop_reason == "end_turn"
    kinds = [(each.type, each.input_tokens, each.output_tokens) for each in answer.usage.iterations]
    assert kinds == [("compaction", whole + 3, 100), ("message", 103, 2)]
    assert (answer.usage.input_tokens, answer.usage.output_tokens) == (103, 2)
    assert [billed.prompt for billed in upstream.requests[-1].billed] == [whole + 3, 103]


def test_what_precedes_a_compaction_is_dropped(client: Anthropic) -> None:
    messages = agent(60)
    first = ask(client, messages, compact())
    messages += [
        {"role": "assistant", "content": first.content},
        {"role": "user", "content": "And then?"},
    ]
    second = ask(client, messages, compact())
    sizes = [text_tokens(first.content[0].content), text_tokens(first.content[1].text), 3]
    assert second.usage.input_tokens == sum(sizes)
    assert second.usage.iterations is None


def test_a_compaction_may_pause(client: Anthropic) -> None:
    answer = ask(client, agent(60), compact(pause_after_compaction=True))
    assert [block.type for block in answer.content] == ["compaction"]
    assert answer.stop_reason == "compaction"
    assert [each.type for each in answer.usage.iterations] == ["compaction"]
    assert answer.usage.input_tokens == 0


def test_a_compaction_that_fails_keeps_the_history(client: Anthropic, upstream: Upstream) -> None:
    upstream.script([Answer("Go on.", summary=None), "Yes."])
    messages = agent(60)
    answer = ask(client, messages, compact())
    assert answer.content[0].content is None
    compaction, message = answer.usage.iterations
    assert message.input_tokens == compaction.input_tokens > 60_000
    messages += [{"role": "assistant", "content": answer.content}, messages[0]]
    assert ask(client, messages).usage.input_tokens > 60_000


def test_a_compaction_is_streamed_in_one_piece(client: Anthropic) -> None:
    with client.beta.messages.stream(
        model=MODEL,
        max_tokens=1_000,
        betas=[COMPACT_BETA],
        messages=agent(60),
        context_management={"edits": [compact()]},  # pyright: ignore[reportArgumentType]
    ) as stream:
        message = stream.get_final_message()
    assert message.content[0].type == "compaction"
    assert message.content[0].content == Answer().summary
    assert message.usage.iterations
    assert len(message.usage.iterations) == 2


@pytest.mark.parametrize(
    ("edit", "fields", "words"),
    [
        (clear(), {"betas": []}, "context_management: Extra inputs are not permitted"),
        (compact(), {"betas": [CLEAR_BETA]}, f"Input tag '{COMPACT}' found"),
        (clear(), {"betas": [COMPACT_BETA]}, f"Input tag '{CLEAR}' found"),
        (compact(49_999), {}, f"{COMPACT}: trigger.value must be at least 50000"),
        (compact(), {"model": "claude-haiku-4-5"}, "is not supported by claude-haiku-4-5"),
    ],
)
def test_an_edit_that_is_not_allowed_is_refused(
    client: Anthropic, edit: dict[str, Any], fields: dict[str, Any], words: str
) -> None:
    with pytest.raises(BadRequestError) as caught:
        ask(client, agent(1), edit, **fields)
    assert words in caught.value.message
