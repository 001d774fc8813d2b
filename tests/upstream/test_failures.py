"""Failures that a script asks for."""

from typing import Any

import pytest
from anthropic import Anthropic, APIStatusError, RateLimitError

from tests.upstream.app import Upstream
from tests.upstream.scripts import Answer, Failure, ScriptEndedError
from tests.upstream.serve import served


def ask(client: Anthropic, **fields: Any) -> Any:
    create: Any = client.messages.create
    hello = [{"role": "user", "content": "Hello, who is there?"}]
    return create(model="claude-opus-4-8", max_tokens=1_000, messages=hello, **fields)


@pytest.mark.parametrize("status", [400, 401, 403, 413, 429, 500, 529])
def test_a_script_fails_as_the_api_does(client: Anthropic, upstream: Upstream, status: int) -> None:
    upstream.script([Failure(status, retry_after=2.5)])
    with pytest.raises(APIStatusError) as caught:
        ask(client)
    assert caught.value.status_code == status == upstream.requests[0].status
    assert caught.value.response.headers["retry-after"] == "2.5"
    body: Any = caught.value.body
    assert body["type"] == "error"
    assert body["request_id"] == upstream.requests[0].id
    assert set(body["error"]) == {"type", "message"}


def test_a_client_that_tries_again_is_answered(upstream: Upstream) -> None:
    upstream.script([Failure(529, headers={"retry-after-ms": "1"}), "At last."])
    with Anthropic(api_key="test", base_url=upstream.base_url) as client:
        assert ask(client).content[0].text == "At last."
    assert [received.status for received in upstream.requests] == [529, 200]


def test_a_stream_may_break_off(client: Anthropic, upstream: Upstream) -> None:
    upstream.script([Answer("A long answer that is never read to its end.", breaks_after=4)])
    with pytest.raises(APIStatusError, match="Overloaded"):
        list(ask(client, stream=True))


def test_rate_limits_have_their_own_error(client: Anthropic, upstream: Upstream) -> None:
    upstream.script([Failure(429)])
    with pytest.raises(RateLimitError):
        ask(client)


def test_what_a_script_raises_is_raised_at_the_end() -> None:
    with (  # noqa: PT012 (the second is the end of the server)
        pytest.raises(ScriptEndedError),
        served() as upstream,
        Anthropic(api_key="test", base_url=upstream.base_url, max_retries=0) as client,
    ):
        upstream.script([])
        with pytest.raises(APIStatusError) as caught:
            ask(client)
        assert caught.value.status_code == 500
