"""Paths, however they are spelled: what they mean is decided once, and none leads elsewhere."""

import json

import pytest

from tests.gateway.outcomes import ask, outcome_of
from tests.gateway.raw import post
from tests.gateway.serving import Served
from tests.upstream.broken_answers import message, response
from tests.upstream.misbehaving import Misbehaving, Send
from token_tracking_server.gateway.passing import form_of

_SPELLINGS = ["/v1/messages/", "/v1//messages", "/v1/%6dessages", "/v1/messages?beta=true"]


@pytest.mark.parametrize("path", _SPELLINGS)
def test_a_path_goes_on_as_it_is_spelled_and_is_recorded_as_what_it_means(
    any_misbehaving: Misbehaving, before_misbehaving: Served, path: str
) -> None:
    name = f"msg_01spelled{_SPELLINGS.index(path)}"
    whole = json.dumps(message(name)).encode()
    any_misbehaving.script([Send(response(200, whole, [("content-type", "application/json")]))])
    assert ask(before_misbehaving.port, post(path, b'{"model":"claude-opus-4-8"}')).status == 200
    assert any_misbehaving.requests[0].target == path.encode()
    assert [row["upstream"] for row in _rows(before_misbehaving, name)] == ["anthropic"]


def _rows(served: Served, name: str) -> list[dict[str, object]]:
    return [json.loads(row["metadata"]) for row in served.recorded() if row["key"] == name]


@pytest.mark.parametrize("path", ["/v1//chat/completions", "/v1/%63hat/completions"])
def test_a_path_has_its_form_however_it_is_spelled(path: str) -> None:
    assert form_of(path, {b"x-api-key": b"k"}) == "openai"


@pytest.mark.parametrize(
    "path",
    [
        "/v1/../admin",
        "/v1/./messages",
        "/v1/x/..",
        "/v1/.",
        "/v1/%2e%2E/admin",
        "/v1/.%2e/admin",
        "/v1/..%2fadmin",
        "/v1/x%2f..",
        "/v1/..%5cadmin",
        "/v1/..;a=b/admin",
        "/groq/v1/../../admin",
        "/groq/v1/models/../../../x?y",
    ],
)
def test_a_path_that_leads_elsewhere_is_refused(
    any_misbehaving: Misbehaving, before_misbehaving: Served, path: str
) -> None:
    any_misbehaving.script([Send(response(200, b"{}"))])
    outcome = outcome_of(ask(before_misbehaving.port, post(path, b"{}", b"x-api-key: k")))
    assert outcome is not None
    assert outcome.status == 400
    assert json.loads(outcome.body)["error"]["type"] == "invalid_request_error"
    assert any_misbehaving.requests == []


@pytest.mark.parametrize(
    "path", ["/v1/models/gpt-4.1", "/v1/models/..a", "/v1/files/a..b/content", "/v1/x?a=/../b"]
)
def test_dots_in_names_are_only_dots(
    any_misbehaving: Misbehaving, before_misbehaving: Served, path: str
) -> None:
    any_misbehaving.script([Send(response(200, b"{}"))])
    assert ask(before_misbehaving.port, post(path, b"{}")).status == 200
    assert any_misbehaving.requests[0].target == path.encode()
