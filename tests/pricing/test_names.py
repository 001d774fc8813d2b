"""Every spelling of a model comes down to one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from token_tracking.pricing import normalize_model
from token_tracking.pricing.names import read_model_name

SPELLINGS = [
    ("claude-opus-5-5", "claude-opus-5-5"),
    ("claude-opus-5-5[1m]", "claude-opus-5-5"),
    ("  Claude-Opus-5.5 ", "claude-opus-5-5"),
    ("anthropic/claude-opus-5.5", "claude-opus-5-5"),
    ("openrouter/anthropic/claude-sonnet-4.5:beta", "claude-sonnet-4-5"),
    ("anthropic/claude-sonnet-4.5:thinking", "claude-sonnet-4-5"),
    ("~anthropic/claude-opus-latest", "claude-opus"),
    ("claude-haiku-5-5-thinking", "claude-haiku-5-5"),
    ("claude-3-7-sonnet-latest", "claude-3-7-sonnet"),
    ("claude-sonnet-3.7", "claude-3-7-sonnet"),
    ("claude-3.5-haiku", "claude-3-5-haiku"),
    ("claude-3-opus-20240229", "claude-3-opus"),
    ("claude-opus-4-20250514", "claude-opus-4"),
    ("claude-opus-4-0", "claude-opus-4"),
    ("claude-4-opus", "claude-opus-4"),
    ("claude-4.5-haiku", "claude-haiku-4-5"),
    ("claude-opus-5-2026-07-24", "claude-opus-5"),
    ("claude-opus-4-5@20251101", "claude-opus-4-5"),
    ("claude-opus-4-6@default", "claude-opus-4-6"),
    ("publishers/anthropic/models/claude-sonnet-4@20250514", "claude-sonnet-4"),
    ("us.anthropic.claude-opus-4-5-20251101-v1:0", "claude-opus-4-5"),
    ("eu.anthropic.claude-sonnet-4-6", "claude-sonnet-4-6"),
    ("apac.anthropic.claude-sonnet-4-20250514-v1:0", "claude-sonnet-4"),
    ("global.anthropic.claude-opus-4-6-v1", "claude-opus-4-6"),
    ("us.anthropic.claude-opus-4-6-v1[1m]", "claude-opus-4-6"),
    ("anthropic.claude-3-5-sonnet-20241022-v2:0", "claude-3-5-sonnet"),
    ("anthropic.claude-3-sonnet-20240229-v1:0:200k", "claude-3-sonnet"),
    ("anthropic.claude-v2:1", "claude-v2"),
    (
        "arn:aws:bedrock:us-east-1:1:inference-profile/us.anthropic.claude-opus-4-5-20251101-v1:0",
        "claude-opus-4-5",
    ),
    ("anthropic/claude-opus-4.6-fast", "claude-opus-4-6-fast"),
    ("anthropic/claude-opus-5:batch", "claude-opus-5:batch"),
    ("<synthetic>", "<synthetic>"),
    ("OpenAI/GPT-5", "openai/gpt-5"),
    ("my-claude", "my-claude"),
]

name_parts = st.sampled_from(
    ["claude", "opus", "sonnet", "3", "4", "0", "5", "20251101", "v1", "latest", "thinking"]
) | st.sampled_from(["fast", "2025", "10", "01", "foo", "", "claude-3-opus", "anthropic.claude"])
odd_names = st.lists(
    st.tuples(name_parts, st.sampled_from(["", "-", ".", "/", ":", "@", "[1m]", " ", ":batch"])),
    max_size=9,
).map(lambda parts: "".join(word + mark for word, mark in parts))


@pytest.mark.parametrize(("spelling", "model"), SPELLINGS)
def test_a_spelling_is_normalized(spelling: str, model: str) -> None:
    assert normalize_model(spelling) == model


@given(st.text() | odd_names | odd_names.map("claude-".__add__))
def test_normalizing_twice_changes_nothing(name: str) -> None:
    once = normalize_model(name)
    assert normalize_model(once) == once


@pytest.mark.parametrize(
    ("name", "regional"),
    [
        ("us.anthropic.claude-opus-4-5-20251101-v1:0", True),
        ("anthropic.claude-opus-4-5-20251101-v1:0", True),
        ("us-gov.anthropic.claude-haiku-5-5", True),
        ("arn:aws:bedrock:eu-west-1:1:inference-profile/eu.anthropic.claude-opus-5", True),
        ("global.anthropic.claude-opus-5", False),
        ("anthropic/claude-opus-5", False),
        ("claude-opus-5", False),
    ],
)
def test_a_bedrock_id_that_is_not_global_is_regional(name: str, regional: bool) -> None:
    assert read_model_name(name).regional is regional
