"""Requests that no client would send: their bodies, headers and fields, over the bare socket."""

from typing import Any

import httpx2
import pytest

from tests.upstream.app import Upstream

MODEL = "claude-opus-4-8"
TASK = {"role": "user", "content": "Look at both."}
DOCUMENT: dict[str, Any] = {"role": "assistant", "content": [{"type": "document", "source": {}}]}
CITED: dict[str, Any] = {
    "role": "user",
    "content": [{"type": "text", "text": "a", "citations": [{"type": "char_location"}]}],
}


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"{", "The request body is not valid JSON"),
        (b"[]", "Input should be a valid dictionary"),
        (b"{}", "model: Field required"),
        (b'{"model": "claude-opus-4-8", "messages": []}', "max_tokens: Field required"),
        (b'{"model": "claude-opus-4-8", "max_tokens": "9", "messages": []}', "a valid integer"),
        (
            b'{"model": "claude-opus-4-8", "max_tokens": 128001, "messages": []}',
            "max_tokens: 128001 > 128000, which is the maximum allowed number of output tokens for",
        ),
        (b'{"model": 1, "max_tokens": 1, "messages": []}', "model: Input should be a valid string"),
        (b'{"model": "claude-opus-4-8", "max_tokens": 1, "messages": 1}', "messages: Input should"),
    ],
)
def test_a_body_that_is_no_request_is_refused(upstream: Upstream, body: bytes, words: str) -> None:
    headers = {"x-api-key": "test", "anthropic-version": "2023-06-01"}
    answer = httpx2.post(f"{upstream.base_url}/v1/messages", content=body, headers=headers)
    assert answer.status_code == 400
    assert words in answer.json()["error"]["message"]
    assert answer.json()["request_id"] == answer.headers["request-id"]


@pytest.mark.parametrize(
    ("headers", "status", "words"),
    [
        ({"anthropic-version": "2023-06-01"}, 401, "x-api-key header is required"),
        ({"x-api-key": "test"}, 400, "anthropic-version: header is required"),
        (
            {"x-api-key": "test", "anthropic-version": "1999-01-01"},
            400,
            'anthropic-version: "1999-01-01" is not a valid version',
        ),
    ],
)
def test_headers_are_required(
    upstream: Upstream, headers: dict[str, str], status: int, words: str
) -> None:
    answer = httpx2.post(f"{upstream.base_url}/v1/messages", json={}, headers=headers)
    assert (answer.status_code, answer.json()["error"]["message"]) == (status, words)


def test_counting_knows_no_output(upstream: Upstream) -> None:
    headers = {"x-api-key": "test", "anthropic-version": "2023-06-01"}
    body = {"model": MODEL, "messages": [TASK], "max_tokens": 1}
    address = f"{upstream.base_url}/v1/messages/count_tokens"
    answer = httpx2.post(address, json=body, headers=headers)
    assert answer.json()["error"]["message"] == "max_tokens: Extra inputs are not permitted"


@pytest.mark.parametrize(
    "fields",
    [
        {"temperature": 1.0},
        {"messages": [TASK, DOCUMENT, TASK]},
        {"messages": [CITED]},
    ],
)
def test_only_the_older_version_takes_it(upstream: Upstream, fields: dict[str, Any]) -> None:
    body = {"model": MODEL, "max_tokens": 9, "messages": [TASK], **fields}
    statuses = [
        httpx2.post(
            f"{upstream.base_url}/v1/messages",
            json=body,
            headers={"x-api-key": "test", "anthropic-version": version},
        ).status_code
        for version in ("2023-06-01", "2026-10-21")
    ]
    assert statuses == [200, 400]
