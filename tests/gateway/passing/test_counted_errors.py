"""`/metrics` counts each error once: those of the gateway's own, and upstreams that broke."""

import pytest

from tests.gateway.outcomes import ask
from tests.gateway.raw import post
from tests.gateway.serving import Served
from tests.upstream.broken_answers import events, streams
from tests.upstream.misbehaving import Misbehaving


def errors(gateway: Served) -> dict[str, float]:
    text, _ = gateway.gateway.services.gauges.exposition()
    lines = [line for line in text.decode().splitlines() if "errors_total{" in line]
    return {line.split('"')[1]: float(line.rpartition(" ")[2]) for line in lines}


def counted(gateway: Served, before: dict[str, float]) -> dict[str, float]:
    return {
        kind: count - before.get(kind, 0)
        for kind, count in errors(gateway).items()
        if count != before.get(kind, 0)
    }


@pytest.mark.parametrize(
    ("path", "headers", "kind"),
    [
        ("/v1/messages", {"x-token-tracking-upstream": "nobody"}, "NotFoundError"),
        ("/v1/messages", {"origin": "https://elsewhere.example"}, "ForbiddenError"),
        ("/v1/../messages", {}, "BadRequestError"),
    ],
)
def test_what_the_gateway_refuses_is_counted_once(
    any_gateway: Served, path: str, headers: dict[str, str], kind: str
) -> None:
    before = errors(any_gateway)
    port = any_gateway.port
    lines = [f"{name}: {value}".encode() for name, value in headers.items()]
    assert ask(port, post(path, b"{}", b"x-api-key: test", *lines)).status >= 400
    assert counted(any_gateway, before) == {kind: 1}


def test_an_upstream_that_breaks_in_the_middle_is_counted(
    any_misbehaving: Misbehaving, before_misbehaving: Served
) -> None:
    before = errors(before_misbehaving)
    any_misbehaving.script(streams(events())["closed between events"])
    body = b'{"model":"claude-opus-4-8","stream":true}'
    heard = ask(before_misbehaving.port, post("/v1/messages", body, b"x-api-key: test"))
    assert heard.status == 200
    assert counted(before_misbehaving, before) == {"UpstreamBrokeError": 1}
