"""`Native`: the API's own context editing; and what its usage says."""

from typing import Any

import pytest
from anthropic.types import Usage
from anthropic.types.beta import BetaContextManagementConfigParam, BetaMessage, BetaUsage
from pydantic import TypeAdapter

from token_tracking.window.anchor import Billed, billed_usage
from token_tracking.window.budget import Budget
from token_tracking.window.errors import InvalidBudgetError
from token_tracking.window.forms import FORMS
from token_tracking.window.laws import validate
from token_tracking.window.policies.emergency import Emergency
from token_tracking.window.policies.native import Native, has_clearing, has_compaction
from token_tracking.window.prepared import Prepared
from token_tracking.window.prompt_cache import CacheUse
from token_tracking.window.window import ContextWindow

Message = dict[str, Any]
TASK: Message = {"role": "user", "content": "read it"}
COMPACTION: Message = {
    "type": "compaction",
    "content": "The user wants a report.",
    "signature": "s",
}


async def prepared_with(
    policy: Native, model: str = "claude-opus-4-6", messages: list[Message] | None = None
) -> Prepared:
    window = ContextWindow(model, None, policy, caching=None)
    return await window.prepare(None, messages or [TASK])


async def test_the_api_is_asked_to_clear_and_nothing_is_edited():
    prepared = await prepared_with(Native())
    assert prepared.params == {
        "context_management": {"edits": [{"type": "clear_tool_uses_20250919"}]},
        "betas": ["context-management-2025-06-27"],
    }
    assert prepared.messages == [TASK]


async def test_everything_that_was_said_is_handed_on_as_the_sdk_types_it():
    policy = Native(
        trigger=30_000,
        keep=5,
        clear_at_least=10_000,
        exclude_tools=frozenset({"memory", "ask"}),
        clear_inputs=True,
        compact=120_000,
    )
    prepared = await prepared_with(policy)
    management = prepared.params["context_management"]
    assert management == {
        "edits": [
            {
                "type": "clear_tool_uses_20250919",
                "trigger": {"type": "input_tokens", "value": 30_000},
                "keep": {"type": "tool_uses", "value": 5},
                "clear_at_least": {"type": "input_tokens", "value": 10_000},
                "exclude_tools": ["ask", "memory"],
                "clear_tool_inputs": True,
            },
            {
                "type": "compact_20260112",
                "trigger": {"type": "input_tokens", "value": 120_000},
            },
        ]
    }
    assert prepared.params["betas"] == ["context-management-2025-06-27", "compact-2026-01-12"]
    TypeAdapter(BetaContextManagementConfigParam).validate_python(management)


async def test_a_budget_below_the_trigger_of_the_api_gets_an_earlier_one():
    window = ContextWindow("claude-opus-4-6", Budget(max_context_tokens=50_000), Native())
    prepared = await window.prepare(None, [TASK])
    edit = prepared.params["context_management"]["edits"][0]
    assert edit["trigger"] == {"type": "input_tokens", "value": 40_000}


async def test_a_model_without_compaction_is_asked_to_clear_only():
    prepared = await prepared_with(Native(compact=50_000), "claude-sonnet-4-5")
    edits = prepared.params["context_management"]["edits"]
    assert [edit["type"] for edit in edits] == ["clear_tool_uses_20250919"]
    assert [(each.what, each.is_done) for each in prepared.actions] == [
        ("compaction by the API", False),
        ("asked the API to clear old tool results", True),
    ]


@pytest.mark.parametrize("model", ["claude-3-5-haiku-20241022", "gpt-4o"])
async def test_a_model_without_context_editing_is_not_asked(model: str):
    prepared = await prepared_with(Native(), model)
    assert prepared.params == {}
    assert [each.is_done for each in prepared.actions] == [False]


async def test_openais_form_is_not_asked():
    system = {"role": "system", "content": "be brief"}
    prepared = await prepared_with(Native(), messages=[system, TASK])
    assert prepared.params == {}
    assert prepared.actions[0].why == "it is Anthropic's"


async def test_another_policy_acts_where_the_api_cannot():
    messages = [TASK, {"role": "assistant", "content": "word " * 3_000}, TASK]
    budget = Budget(max_context_tokens=2_000)
    window = ContextWindow("claude-3-opus-20240229", budget, Native(otherwise=Emergency()))
    prepared = await window.prepare(None, messages)
    assert prepared.tokens.total <= 2_000
    assert prepared.params == {}


def test_compaction_below_what_the_api_takes_is_refused():
    with pytest.raises(InvalidBudgetError, match="50,000 or more"):
        Native(compact=49_999)


@pytest.mark.parametrize(
    ("model", "clears", "compacts"),
    [
        ("claude-3-7-sonnet-20250219", False, False),
        ("claude-sonnet-4-20250514", True, False),
        ("claude-opus-4-1", True, False),
        ("claude-sonnet-4-5-20250929", True, False),
        ("claude-haiku-4-5", True, False),
        ("claude-opus-4-6", True, True),
        ("us.anthropic.claude-sonnet-4-6-v1:0", True, True),
        ("claude-sonnet-5", True, True),
        ("claude-haiku-5-5", True, True),
        ("claude-fable-5-1", True, True),
        ("claude-mythos-preview", True, True),
        ("gpt-5", False, False),
    ],
)
def test_which_models_have_which(model: str, clears: bool, compacts: bool):
    assert (has_clearing(model), has_compaction(model)) == (clears, compacts)


def compacted() -> list[Message]:
    answer = {"role": "assistant", "content": [COMPACTION, {"type": "text", "text": "Go on?"}]}
    return [TASK, answer, {"role": "user", "content": "yes"}]


async def test_a_compaction_block_is_counted_and_passed_back_as_it_came():
    messages = compacted()
    blocks = FORMS["anthropic"].blocks(messages[1], 1)
    assert (blocks[0].kind, blocks[0].text) == ("other", "The user wants a report.")
    prepared = await prepared_with(Native(compact=50_000), messages=messages)
    assert prepared.messages == messages
    assert validate(prepared.messages, original=messages) is None


async def test_a_compaction_block_of_the_sdk_is_passed_back_with_its_signature():
    response = BetaMessage.model_validate(
        {
            "id": "msg_1",
            "type": "message",
            "role": "assistant",
            "model": "claude-opus-4-6",
            "content": [COMPACTION, {"type": "text", "text": "Go on?"}],
            "usage": {"input_tokens": 1, "output_tokens": 1},
        }
    )
    answer: Any = {"role": "assistant", "content": response.content}
    prepared = await prepared_with(Native(), messages=[TASK, answer, TASK])
    assert prepared.messages[1]["content"][0] == COMPACTION


async def test_a_compaction_that_failed_is_passed_back_too():
    messages = compacted()
    messages[1]["content"][0] = {"type": "compaction", "content": None}
    prepared = await prepared_with(Native(), messages=messages)
    assert prepared.messages == messages
    assert validate(prepared.messages) is None


def usage(*iterations: Message, **top: Any) -> BetaUsage:
    counts = {"cache_read_input_tokens": 0, "cache_creation_input_tokens": 0}
    listed = [{**counts, **each} for each in iterations]
    return BetaUsage.model_validate({**top, "iterations": listed or None})


def test_usage_without_iterations_is_what_it_says():
    creation = {"ephemeral_1h_input_tokens": 30, "ephemeral_5m_input_tokens": 10}
    plain = usage(
        input_tokens=5,
        cache_read_input_tokens=1000,
        cache_creation_input_tokens=40,
        cache_creation=creation,
        output_tokens=7,
    )
    prompt = CacheUse(1000, 10, 30, 5)
    assert billed_usage(plain) == Billed(prompt, 7, prompt)


def test_compaction_is_billed_but_is_not_the_prompt():
    found = billed_usage(
        usage(
            {"type": "compaction", "input_tokens": 180_000, "output_tokens": 3_500},
            {"type": "message", "input_tokens": 23_000, "output_tokens": 1_000},
            input_tokens=23_000,
            output_tokens=1_000,
        )
    )
    assert found is not None
    assert found.prompt == CacheUse(0, 0, 0, 23_000)
    assert found.output == 1_000
    assert found.total == CacheUse(0, 0, 0, 203_000)


def test_tools_of_the_provider_make_the_answer_longer_and_not_the_prompt():
    """The top-level counts are sums: neither is the size of the prompt, nor of the answer."""
    found = billed_usage(
        usage(
            {"type": "message", "input_tokens": 1_000, "output_tokens": 50},
            {
                "type": "message",
                "input_tokens": 3_050,
                "cache_read_input_tokens": 1_000,
                "output_tokens": 70,
            },
            input_tokens=4_050,
            output_tokens=120,
            cache_read_input_tokens=1_000,
        )
    )
    assert found is not None
    assert found.prompt == CacheUse(0, 0, 0, 1_000)
    assert found.output == 3_050 + 1_000 + 70 - 1_000
    assert found.total == CacheUse(1_000, 0, 0, 4_050)


def test_what_stood_before_the_last_compaction_is_no_longer_the_prompt():
    found = billed_usage(
        usage(
            {"type": "message", "input_tokens": 150_000, "output_tokens": 50},
            {"type": "compaction", "input_tokens": 150_050, "output_tokens": 900},
            {"type": "message", "input_tokens": 2_000, "output_tokens": 10},
            input_tokens=152_000,
            output_tokens=60,
        )
    )
    assert found is not None
    assert (found.prompt.prompt_tokens, found.output) == (2_000, 10)
    assert found.total.prompt_tokens == 302_050


def test_an_answer_that_ends_with_compaction_tells_no_size():
    ended = usage(
        {"type": "compaction", "input_tokens": 180_000, "output_tokens": 3_500},
        input_tokens=0,
        output_tokens=0,
    )
    assert billed_usage(ended) is None


def test_an_advisors_tokens_are_not_of_this_prompt():
    advisor = {"type": "advisor_message", "model": "claude-opus-5", "input_tokens": 9_000}
    found = billed_usage(
        usage(
            {"type": "message", "input_tokens": 500, "output_tokens": 5},
            {**advisor, "output_tokens": 100},
            input_tokens=500,
            output_tokens=5,
        )
    )
    prompt = CacheUse(0, 0, 0, 500)
    assert found == Billed(prompt, 5, prompt)


def test_usage_of_the_stable_api_and_of_a_dict_is_read_the_same():
    stable = Usage(input_tokens=3, output_tokens=4, cache_read_input_tokens=2)
    prompt = CacheUse(2, 0, 0, 3)
    assert billed_usage(stable) == Billed(prompt, 4, prompt)
    assert billed_usage({"usage": stable.model_dump()}) == Billed(prompt, 4, prompt)


def test_openais_cached_tokens_are_part_of_its_prompt():
    given = {"prompt_tokens": 100, "completion_tokens": 9}
    given_details = {"prompt_tokens_details": {"cached_tokens": 64}}
    prompt = CacheUse(64, 0, 0, 36)
    assert billed_usage({"usage": {**given, **given_details}}) == Billed(prompt, 9, prompt)


@pytest.mark.parametrize("response", [None, {}, {"usage": None}, "none", {"content": []}])
def test_a_response_without_usage_is_passed_over(response: object):
    assert billed_usage(response) is None


async def test_later_requests_start_from_the_prompt_behind_the_compaction():
    window = ContextWindow("claude-opus-4-6", None, Native(compact=50_000), caching=None)
    messages = [TASK, {"role": "assistant", "content": "word " * 20_000}, TASK]
    await window.prepare(None, messages)
    window.observe(
        usage(
            {"type": "compaction", "input_tokens": 60_000, "output_tokens": 800},
            {"type": "message", "input_tokens": 900, "output_tokens": 40},
            input_tokens=900,
            output_tokens=40,
        )
    )
    messages += compacted()[1:]
    prepared = await window.prepare(None, messages)
    assert 940 < prepared.tokens.total < 960
