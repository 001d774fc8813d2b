"""Who may ask."""

from pathlib import Path

import pytest

from tests.gateway.outcomes import ask, outcome_of
from tests.gateway.raw import post, request
from tests.gateway.serving import Served, config_of, served_gateway
from tests.upstream.broken_answers import response
from tests.upstream.misbehaving import Misbehaving, Send
from token_tracking_server.gateway.security import fingerprint, key_of

_OK = [Send(response(200, b"{}"))]


@pytest.mark.parametrize("host", [b"127.0.0.1:8080", b"localhost", b"LOCALHOST:1", b"[::1]:8080"])
def test_this_machine_is_asked_by_its_names(
    any_misbehaving: Misbehaving, before_misbehaving: Served, host: bytes
) -> None:
    any_misbehaving.script(_OK)
    assert ask(before_misbehaving.port, post("/v1/messages", b"{}", host=host)).status == 200


@pytest.mark.parametrize("host", [b"evil.example", b"127.0.0.1.evil.example:8080", b""])
@pytest.mark.parametrize("path", ["/v1/messages", "/sessions", "/health"])
def test_another_name_that_points_here_is_refused(
    before_misbehaving: Served, host: bytes, path: str
) -> None:
    assert ask(before_misbehaving.port, post(path, b"{}", host=host)).status == 421


@pytest.mark.parametrize("origin", [b"https://evil.example", b"null", b"http://localhost.evil:80"])
def test_pages_of_other_origins_are_refused(before_misbehaving: Served, origin: bytes) -> None:
    sent = post("/v1/messages", b"{}", b"origin: " + origin)
    assert ask(before_misbehaving.port, sent).status == 403


def test_a_token_is_asked_for_wherever_it_is_put_and_never_goes_on(
    any_misbehaving: Misbehaving, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOKEN_TRACKING_GATEWAY_TOKEN", "t0ken")
    any_misbehaving.script(_OK)
    headers = [
        b"x-token-tracking-token: t0ken",
        b"authorization: Bearer t0ken",
        b"x-api-key: t0ken",
    ]
    with served_gateway(config_of(any_misbehaving.base_url), tmp_path) as gateway:
        refused = [
            ask(gateway.port, post("/v1/messages", b"{}", *given)).status
            for given in ([], [b"x-api-key: t0ke"], [b"authorization: t0ken"])
        ]
        let_in = [ask(gateway.port, post("/v1/messages", b"{}", given)).status for given in headers]
        both = post("/v1/messages", b"{}", headers[0], b"x-api-key: sk-theirs")
        ask(gateway.port, both)
        own = ask(gateway.port, request(b"GET", b"/health"))
    assert (refused, let_in) == ([401, 401, 401], [200, 200, 200])
    assert own.status == 401
    assert all(b"t0ken" not in b"".join(each.lines) for each in any_misbehaving.requests)
    assert any_misbehaving.requests[-1].header(b"x-api-key") == b"sk-theirs"


def test_a_refusal_has_the_shape_of_the_api_and_does_not_repeat_the_token(
    any_misbehaving: Misbehaving, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOKEN_TRACKING_GATEWAY_TOKEN", "t0ken")
    with served_gateway(config_of(any_misbehaving.base_url), tmp_path) as gateway:
        sent = post("/v1/messages", b"{}", b"x-api-key: wrong-one")
        outcome = outcome_of(ask(gateway.port, sent))
    assert outcome is not None
    assert b'"authentication_error"' in outcome.body
    assert b"t0ken" not in outcome.body
    assert b"wrong-one" not in outcome.body


@pytest.mark.parametrize(
    "header", [(b"x-api-key", b"k"), (b"authorization", b"bearer  k"), (b"x-goog-api-key", b"k")]
)
def test_keys_are_known_by_a_fingerprint_alone(header: tuple[bytes, bytes]) -> None:
    key = key_of([(b"accept", b"*/*"), header])
    assert key == b"k"
    assert len(fingerprint(key)) == 12
    assert fingerprint(key) != fingerprint(b"j")


def test_two_hosts_are_refused(before_misbehaving: Served) -> None:
    for host in (b"127.0.0.1", b"evil.example"):
        sent = post("/v1/messages", b"{}", b"host: " + host)
        assert ask(before_misbehaving.port, sent).status == 400
