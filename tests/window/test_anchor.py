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
        **{
            **USAGE,
            "cache_creation": CacheCreation(
                ephemeral_5m_input_tokens=20, ephemeral_1h_input_tokens=30
            ),
        }
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


@pytest.mark.parametrize("details", [None, {"cached_tokens": 60}, {"cached_tokens": None}])
def test_openais_prompt_tokens_count_what_was_cached(details: Any):
    usage = {"prompt_tokens": 100, "completion_tokens": 5, "prompt_tokens_details": details}
    found = billed_usage({"usage": usage})
    read = (details or {}).get("cached_tokens") or 0
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
