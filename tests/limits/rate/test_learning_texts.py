"""Errors as providers write them, and what is learnt of each."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from token_tracking.limits.rate.learning import read_response
from token_tracking.limits.rate.values import Learned

GROQ = "in organization `org_1` service tier `on_demand` on"


def openai_body(message: str, **more: Any) -> bytes:
    return json.dumps({"error": {"message": message, "type": "tokens", **more}}).encode()


def anthropic_body(message: str, kind: str = "invalid_request_error") -> bytes:
    return json.dumps({"type": "error", "error": {"type": kind, "message": message}}).encode()


def gemini_body(*quotas: str, delay: str | None = "17s", message: str = "Quota exceeded") -> bytes:
    details: list[dict[str, Any]] = [
        {
            "@type": "type.googleapis.com/google.rpc.QuotaFailure",
            "violations": [{"quotaId": quota} for quota in quotas],
        }
    ]
    if delay:
        details.append({"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": delay})
    error = {"code": 429, "message": message, "status": "RESOURCE_EXHAUSTED", "details": details}
    return json.dumps([{"error": error}]).encode()


RATE_TEXT = (
    "Rate limit reached for gpt-5 on requests per min (RPM): Limit 1, Used 1, Requested 1. Please"
    " try again in 50s."
)


def learned(status: int, body: bytes, headers: dict[str, str] | None = None) -> Learned:
    return read_response(status, headers or {}, body, now=0.0).learned


def limits(status: int, body: bytes) -> dict[int, int]:
    return read_response(status, {}, body, now=0.0).limits


TOO_LARGE = [
    pytest.param(
        413,
        openai_body(
            f"Request too large for model `llama-3.1-8b-instant` {GROQ} tokens per minute (TPM):"
            " Limit 6000, Requested 9071, please reduce your message size and try again.",
            code="rate_limit_exceeded",
        ),
        Learned(
            kind="too_large", shrink_to=6_000, requested=9_071, includes_output=True, limit=6_000
        ),
        id="groq-tpm",
    ),
    pytest.param(
        429,
        openai_body(
            "Request too large for gpt-4o in organization org-x on tokens per min (TPM): Limit"
            " 30000, Requested 45000. The input or output tokens must be reduced in order to run"
            " successfully."
        ),
        Learned(
            kind="too_large", shrink_to=30_000, requested=45_000, includes_output=True, limit=30_000
        ),
        id="openai-tpm",
    ),
    pytest.param(
        400,
        openai_body(
            "This model's maximum context length is 8192 tokens. However, you requested 9000 tokens"
            " (8000 in the messages, 1000 in the completion). Please reduce the length of the"
            " messages or completion.",
            code="context_length_exceeded",
        ),
        Learned(kind="too_large", shrink_to=7_192, requested=8_000, limit=8_192),
        id="openai-context",
    ),
    pytest.param(
        400,
        openai_body(
            "This model's maximum context length is 8192 tokens. However, you requested 9000"
            " tokens."
        ),
        Learned(
            kind="too_large", shrink_to=8_192, requested=9_000, includes_output=True, limit=8_192
        ),
        id="openai-context-without-parts",
    ),
    pytest.param(
        400,
        openai_body(
            "This model's maximum context length is 8192 tokens. However, your messages resulted in"
            " 10013 tokens. Please reduce the length of the messages."
        ),
        Learned(kind="too_large", shrink_to=8_192, requested=10_013, limit=8_192),
        id="openai-messages",
    ),
    pytest.param(
        400,
        openai_body("Your input exceeds the context window of this model. Please adjust it."),
        Learned(kind="too_large"),
        id="openai-responses",
    ),
    pytest.param(
        400,
        openai_body("Try a shorter one.", code="context_length_exceeded"),
        Learned(kind="too_large"),
        id="the-code-alone",
    ),
    pytest.param(
        400,
        openai_body(
            "You passed 8000 input tokens and requested 1000 output tokens. However, the model's"
            " context length is only 8192 tokens."
        ),
        Learned(kind="too_large", shrink_to=7_192, requested=8_000, limit=8_192),
        id="vllm",
    ),
    pytest.param(
        400,
        openai_body("the request (5000 tokens) exceeds the available context size (4096 tokens)"),
        Learned(kind="too_large", shrink_to=4_096, requested=5_000, limit=4_096),
        id="llama.cpp",
    ),
    pytest.param(
        400,
        anthropic_body("prompt is too long: 210000 tokens > 200000 maximum"),
        Learned(kind="too_large", shrink_to=200_000, requested=210_000, limit=200_000),
        id="anthropic-prompt",
    ),
    pytest.param(
        400,
        anthropic_body(
            "input length and `max_tokens` exceed context limit: 188059 + 20000 > 200000, decrease"
            " input length or `max_tokens` and try again"
        ),
        Learned(kind="too_large", shrink_to=180_000, requested=188_059, limit=200_000),
        id="anthropic-max-tokens",
    ),
    pytest.param(
        413,
        anthropic_body("Request exceeds the maximum size", "request_too_large"),
        Learned(kind="too_large"),
        id="anthropic-bytes",
    ),
    pytest.param(
        413, b"<html>413 Request Entity Too Large</html>", Learned(kind="too_large"), id="a-proxy"
    ),
    pytest.param(
        400,
        json.dumps(
            [
                {
                    "error": {
                        "code": 400,
                        "message": "The input token count (1200000) exceeds the maximum number of"
                        " tokens allowed (1048576).",
                        "status": "INVALID_ARGUMENT",
                    }
                }
            ]
        ).encode(),
        Learned(kind="too_large", shrink_to=1_048_576, requested=1_200_000, limit=1_048_576),
        id="gemini",
    ),
]


@pytest.mark.parametrize(("status", "body", "expected"), TOO_LARGE)
def test_a_request_that_can_never_pass_says_what_it_must_shrink_to(
    status: int, body: bytes, expected: Learned
) -> None:
    assert learned(status, body) == expected


RATE = [
    pytest.param(
        openai_body(
            f"Rate limit reached for model `llama` {GROQ} tokens per minute (TPM): Limit 6000,"
            " Used 5800, Requested 900. Please try again in 7.66s. Need more tokens?"
        ),
        Learned(kind="rate", retry_after=7.66, limit=6_000),
        id="groq-tpm",
    ),
    pytest.param(
        openai_body(
            "Rate limit reached for gpt-4o-mini in organization org-x on requests per day (RPD):"
            " Limit 200, Used 200, Requested 1. Please try again in 7m12s."
        ),
        Learned(kind="rate", retry_after=432.0, limit=200),
        id="openai-rpd",
    ),
    pytest.param(
        openai_body(
            "Rate limit reached for gpt-4o-mini on tokens per min (TPM): Limit 200000, Used 195869,"
            " Requested 4412. Please try again in 84ms. Visit https://platform.openai.com"
        ),
        Learned(kind="rate", retry_after=pytest.approx(0.084), limit=200_000),  # pyright: ignore[reportArgumentType]
        id="openai-tpm",
    ),
    pytest.param(
        anthropic_body(
            "This request would exceed your organization's rate limit of 30,000 input tokens per"
            " minute (org: 1f04, model: claude-sonnet-4-6). Please try again later.",
            "rate_limit_error",
        ),
        Learned(kind="rate", limit=30_000),
        id="anthropic",
    ),
    pytest.param(
        gemini_body("GenerateRequestsPerMinutePerProjectPerModel-FreeTier"),
        Learned(kind="rate", retry_after=17.0),
        id="gemini",
    ),
    pytest.param(
        gemini_body("X", delay=None, message="Quota exceeded. Please retry in 17.5s."),
        Learned(kind="rate", retry_after=17.5),
        id="gemini-text",
    ),
    pytest.param(b"", Learned(kind="rate"), id="empty"),
    pytest.param(b'{"error": "slow down"}', Learned(kind="rate"), id="a-word"),
    pytest.param(b"[]", Learned(kind="rate"), id="an-empty-list"),
]


@pytest.mark.parametrize(("body", "expected"), RATE)
def test_a_request_that_can_pass_later_says_when(body: bytes, expected: Learned) -> None:
    assert learned(429, body) == expected


@pytest.mark.parametrize(
    ("status", "body"),
    [
        pytest.param(
            429, openai_body("You exceeded your current quota", code="insufficient_quota")
        ),
        pytest.param(429, gemini_body("GenerateRequestsPerDayPerProjectPerModel-FreeTier")),
        pytest.param(400, anthropic_body("messages: at least one message is required")),
        pytest.param(400, openai_body("Invalid value: 'prompt is too long'.")),
        pytest.param(400, anthropic_body("prompt is too long: 10000 tokens > 200000 maximum")),
        pytest.param(529, anthropic_body("Overloaded", "overloaded_error")),
        pytest.param(500, openai_body(RATE_TEXT)),
        pytest.param(200, openai_body(RATE_TEXT)),
        pytest.param(400, openai_body(RATE_TEXT)),
        pytest.param(422, openai_body(RATE_TEXT)),
        pytest.param(400, openai_body("Invalid value: '(RPM): Limit 1, Requested 5'.")),
        pytest.param(400, openai_body("Invalid value: 'Limit 9, Requested 5 try again in 50s'.")),
        pytest.param(401, openai_body("Incorrect API key provided")),
    ],
)
def test_other_errors_are_no_limits(status: int, body: bytes) -> None:
    assert learned(status, body) == Learned()


def test_a_prompt_that_is_quoted_beside_the_message_is_not_read() -> None:
    body = {
        "error": {"message": "invalid request", "input": "Limit 6000, Requested 9000 (TPM)"},
        "request": "prompt is too long: 210000 tokens > 200000 maximum",
    }
    assert learned(400, json.dumps(body).encode()) == Learned()


def test_only_limits_per_minute_are_learnt_as_such() -> None:
    def limited(unit: str, limit: int = 6_000) -> dict[int, int]:
        message = f"Rate limit reached for x on y ({unit}): Limit {limit}, Used 1, Requested 1."
        return limits(429, openai_body(message))

    assert limited("TPM") == {3: 6_000}
    assert limited("ITPM") == {1: 6_000}
    assert limited("OTPM") == {2: 6_000}
    assert limited("RPM", 30) == {0: 30}
    assert limited("RPD") == limited("TPD") == limited("ASH") == {}
    assert limited("TPM", 5) == {}  # no provider sells five tokens a minute


def test_anthropics_texts_name_the_limit_per_minute() -> None:
    def limited(words: str) -> dict[int, int]:
        text = f"This request would exceed your organization's rate limit of {words} per minute"
        return limits(429, anthropic_body(text, "rate_limit_error"))

    assert limited("8,000 output tokens") == {2: 8_000}
    assert limited("30,000 input tokens") == {1: 30_000}
    assert limited("50 requests") == {0: 50}


@pytest.mark.parametrize("status", [400, 413, 422, 429])
@pytest.mark.parametrize(
    "quoted",
    [
        RATE_TEXT,
        "(RPM): Limit 1, Requested 5",
        "on (TPM): Limit 100, Used 0, Requested 50",
        "your organization's rate limit of 200 requests per minute",
    ],
)
def test_what_an_error_quotes_of_a_request_teaches_no_limit(status: int, quoted: str) -> None:
    assert limits(status, openai_body(f"Invalid value: '{quoted}'. Supported are: 'low'.")) == {}
    assert limits(400, openai_body(quoted)) == limits(422, openai_body(quoted)) == {}


def test_a_day_whose_requests_are_used_up_pauses_until_the_next_and_a_minute_for_a_minute() -> None:
    def pause(unit: str) -> float:
        text = f"Rate limit reached for x on y ({unit}): Limit 200, Used 200, Requested 1."
        found = read_response(429, {"retry-after": "864"}, openai_body(text), now=0.0).heard(60.0)
        assert found is not None
        return found.pause

    assert pause("RPD") == 864.0
    assert pause("RPM") == pause("TPD") == 60.0  # a smaller request may have room in the day


@pytest.mark.parametrize(("status", "body", "expected"), TOO_LARGE)
def test_a_context_window_is_no_limit_per_minute(
    status: int, body: bytes, expected: Learned
) -> None:
    del expected
    assert set(limits(status, body)) <= ({3} if b"TPM" in body else set())


def test_a_header_says_better_when_than_a_text() -> None:
    body = openai_body(
        "Rate limit reached for x on tokens per min (TPM): Limit 6000, Used 5800, Requested 900."
        " Please try again in 7.66s."
    )
    assert learned(429, body, {"Retry-After": "8"}).retry_after == 8.0


@settings(deadline=None)
@given(st.integers(), st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_no_body_is_too_odd(status: int, body: bytes) -> None:
    read_response(status, {}, body, now=0.0)


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=5) | st.integers(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["error", "message", "details", "violations", "retryDelay", "code"]),
            inner,
        )
    ),
    max_leaves=12,
)


@settings(deadline=None)
@given(st.sampled_from([400, 413, 422, 429]), JSON)
def test_no_json_is_too_odd(status: int, body: object) -> None:
    found = read_response(status, {}, json.dumps(body).encode(), now=0.0)
    assert found.limits == {}


def test_a_deep_and_a_huge_body_are_looked_at_in_time() -> None:
    assert learned(429, b"[" * 100_000) == Learned(kind="rate")
    assert learned(429, b"Limit " * 1_000_000) == Learned(kind="rate")
    assert learned(400, b"maximum context length is 1 tokens " * 100_000).shrink_to is None
