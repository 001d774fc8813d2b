"""What was billed, as responses tell it."""

from types import SimpleNamespace
from typing import Any

import pytest
from anthropic.types import CacheCreation, Message, TextBlock, Usage

from token_tracking.window.anchor import Billed, billed_usage
from token_tracking.window.prompt_cache import CacheUse

USAGE = {
    "input_tokens": 7,
    "cache_read_input_tokens": 100,
    "cache_creation_input_tokens": 50,
    "cache_creation": {"ephemeral_5m_input_tokens": 20, "ephemeral_1h_input_tokens": 30},
    "output_tokens": 11,
}
BILLED = CacheUse(100, 20, 30, 7)


def sdk_message() -> Message:
    usage = Usage(
        input_tokens=7,
        cache_read_input_tokens=100,
        cache_creation_input_tokens=50,
        cache_creation=CacheCreation(ephemeral_5m_input_tokens=20, ephemeral_1h_input_tokens=30),
        output_tokens=11,
    )
    return Message(
        id="msg_1",
        type="message",
        role="assistant",
        model="claude-opus-4-8",
        content=[TextBlock(type="text", text="yes", citations=None)],
        stop_reason="end_turn",
        stop_sequence=None,
        usage=usage,
    )


@pytest.mark.parametrize(
    "response",
    [
        sdk_message(),
        sdk_message().model_dump(),
        sdk_message().usage,
        {"usage": USAGE},
        USAGE,
        SimpleNamespace(usage=USAGE),
    ],
    ids=["object", "dump", "usage of an object", "dict", "usage", "holder"],
)
def test_anthropics_usage_is_read_from_objects_and_dicts(response: object):
    assert billed_usage(response) == Billed(BILLED, 11, BILLED)


def test_writes_without_lifetimes_are_of_five_minutes():
    usage = {"input_tokens": 1, "cache_creation_input_tokens": 9, "output_tokens": 2}
    found = billed_usage(usage)
    assert found is not None
    assert found.prompt == CacheUse(0, 9, 0, 1)


@pytest.mark.parametrize(
    ("details", "read"), [(None, 0), ({"cached_tokens": 60}, 60), ({"cached_tokens": None}, 0)]
)
def test_openais_prompt_tokens_count_what_was_cached(details: Any, read: int):
    usage = {"prompt_tokens": 100, "completion_tokens": 5, "prompt_tokens_details": details}
    found = billed_usage({"usage": usage})
    use = CacheUse(read, 0, 0, 100 - read)
    assert found == Billed(use, 5, use)


@pytest.mark.parametrize("response", [None, {}, {"usage": None}, 5, "text", object(), {"id": "x"}])
def test_a_response_without_usage_is_nothing(response: object):
    assert billed_usage(response) is None


def iteration(kind: str, prompt: int, output: int) -> dict[str, Any]:
    return {"type": kind, "input_tokens": prompt, "output_tokens": output}


def test_of_several_iterations_the_first_has_the_prompt_and_the_last_the_end():
    listed = [iteration("message", 100, 10), iteration("message", 150, 20)]
    found = billed_usage({"input_tokens": 250, "output_tokens": 30, "iterations": listed})
    assert found == Billed(CacheUse(0, 0, 0, 100), 70, CacheUse(0, 0, 0, 250))


def test_after_a_compaction_the_prompt_is_what_was_left():
    listed = [iteration("compaction", 90_000, 500), iteration("message", 600, 20)]
    found = billed_usage({"input_tokens": 600, "output_tokens": 20, "iterations": listed})
    assert found == Billed(CacheUse(0, 0, 0, 600), 20, CacheUse(0, 0, 0, 90_600))


def test_a_response_that_ends_with_a_compaction_tells_no_size():
    listed = [iteration("compaction", 90_000, 500)]
    assert billed_usage({"input_tokens": 0, "output_tokens": 0, "iterations": listed}) is None


def test_what_another_model_was_asked_is_not_counted():
    listed = [iteration("advisor_message", 5_000, 500), iteration("message", 600, 20)]
    found = billed_usage({"input_tokens": 600, "output_tokens": 20, "iterations": listed})
    assert found == Billed(CacheUse(0, 0, 0, 600), 20, CacheUse(0, 0, 0, 600))


@pytest.mark.parametrize("value", [0, -5, 3.0, "12", [], True, 10**12])
@pytest.mark.parametrize("name", ["input_tokens", "prompt_tokens"])
def test_a_prompt_that_no_provider_bills_is_passed_over(name: str, value: Any):
    assert billed_usage({"usage": {name: value}}) is None


@pytest.mark.parametrize("value", [-5, 3.0, "12", []])
@pytest.mark.parametrize(
    "name", ["output_tokens", "cache_read_input_tokens", "cache_creation_input_tokens"]
)
def test_a_broken_count_beside_the_prompt_is_passed_over(name: str, value: Any):
    usage = {"input_tokens": 100, "output_tokens": 5, name: value}
    assert billed_usage(usage) is None
    listed = [iteration("message", 100, 5), {**iteration("message", 100, 5), name: value}]
    assert billed_usage({**iteration("message", 200, 10), "iterations": listed}) is None


def test_openais_reasoning_is_no_part_of_the_answer():
    usage = {"prompt_tokens": 15, "completion_tokens": 2_020}
    details = {"reasoning_tokens": 2_000}
    found = billed_usage({"usage": {**usage, "completion_tokens_details": details}})
    assert found is not None
    assert found.output == 20


def test_reasoning_that_is_billed_beside_the_answer_is_not_taken_from_it():
    usage = {"prompt_tokens": 15, "completion_tokens": 20}
    details = {"reasoning_tokens": 2_000}
    found = billed_usage({"usage": {**usage, "completion_tokens_details": details}})
    assert found is not None
    assert found.output == 20
