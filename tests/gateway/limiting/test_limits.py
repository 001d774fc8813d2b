"""Limits of requests that are passed on: waiting, shrinking, refusing and booking."""

import asyncio
import json
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any, NoReturn

import anthropic
import httpx2
import openai
import pytest
from msgspec.structs import replace

from tests.gateway.serving import Served, config_of, served_gateway
from tests.upstream.app import Upstream
from tests.upstream.broken_answers import response
from tests.upstream.gates import Gate
from tests.upstream.misbehaving import Misbehaving, Send
from tests.upstream.received import Received
from tests.upstream.scripts import Answer, Failure
from tests.upstream.serve import upstream
from token_tracking.limits import QuotaStatus, read_status, recent_alerts
from token_tracking.pricing import PriceBook
from token_tracking.sources.replies import Call
from token_tracking_server.gateway.config import (
    GatewayConfig,
    QuotaRule,
    RateLimitRule,
    preset_upstreams,
    read_config,
)
from token_tracking_server.gateway.errors import UpstreamTimeoutError
from token_tracking_server.gateway.exchanges import Ask
from token_tracking_server.gateway.limiting import opened_limits
from token_tracking_server.gateway.metrics import Gauges

__all__ = ["upstream"]

MODEL = "claude-sonnet-4-6"
KEYS = {"x-api-key": "key", "anthropic-version": "2023-06-01"}
LIMITED = {**KEYS, "x-token-tracking-limits": "on", "x-token-tracking-user": "anna"}
HELLO = {
    "model": MODEL,
    "max_tokens": 50,
    "messages": [{"role": "user", "content": "Hello there, how are you today?"}],
}
DAY = QuotaRule(subject="user", period="day", tokens=200, hard=True, alert_at=())


@contextmanager
def limited(upstream: Upstream, folder: Path, **given: Any) -> Generator["Limited"]:
    """A gateway with limits."""
    config: GatewayConfig = config_of(upstream.base_url, **given)
    with (
        served_gateway(config, folder) as gateway,
        httpx2.Client(base_url=gateway.base_url, timeout=20, headers=LIMITED) as http,
    ):
        yield Limited(gateway, http, folder / "limits.db")


class Limited:
    """A gateway, a client that asks it, and its quotas."""

    def __init__(self, gateway: Served, http: httpx2.Client, path: Path) -> None:
        self.gateway = gateway
        self.http = http
        self.path = path

    def ask(self, headers: dict[str, str] | None = None, **fields: Any) -> httpx2.Response:
        return self.http.post("/v1/messages", json={**HELLO, **fields}, headers=headers)

    @property
    def status(self) -> QuotaStatus:
        """Of the only account."""
        (status,) = read_status(self.path)
        return status

    @property
    def booked(self) -> QuotaStatus:
        """Of the only account, when nothing is held any more: an answer is booked after its last
        byte."""
        deadline = time.monotonic() + 10
        while (status := self.status).reserved and time.monotonic() < deadline:
            time.sleep(0.002)
        assert not status.reserved
        return status


def usage_of(response: httpx2.Response) -> int:
    usage = response.json()["usage"]
    return usage["input_tokens"] + usage["output_tokens"]


def test_what_was_billed_counts_and_what_was_held_is_let_go(upstream: Upstream, tmp_path: Path):
    with limited(upstream, tmp_path, quotas=(DAY,)) as gateway:
        response = gateway.ask()
        assert response.status_code == 200
        assert (gateway.booked.name, gateway.booked.used) == ("anna", usage_of(response))
        assert gateway.booked.requests == 1


def test_a_stream_is_booked_at_its_end(upstream: Upstream, tmp_path: Path):
    gate = Gate(before=2)
    upstream.script([Answer("hi", gates=(gate,))])
    with limited(upstream, tmp_path, quotas=(DAY,)) as gateway:
        with gateway.http.stream("POST", "/v1/messages", json={**HELLO, "stream": True}) as answer:
            lines = answer.iter_lines()
            next(lines)
            assert gateway.status.reserved > 50
            gate.open()
            told = [json.loads(line[6:]) for line in lines if line.startswith("data: ")]
        begun = next(each for each in told if each["type"] == "message_start")
        delta = next(each for each in told if each["type"] == "message_delta")
        billed = begun["message"]["usage"]["input_tokens"] + delta["usage"]["output_tokens"]
        assert gateway.booked.used == billed


def test_a_request_cannot_leave_the_limits_of_its_upstream(upstream: Upstream, tmp_path: Path):
    limits = tuple(replace(each, limits=True) for each in config_of(upstream.base_url).upstreams)
    with limited(upstream, tmp_path, quotas=(DAY,), upstreams=limits) as gateway:
        answer = gateway.ask(headers={"x-token-tracking-limits": "off"}, max_tokens=1000)
        assert answer.status_code == 429


def test_requests_without_the_header_are_not_limited(upstream: Upstream, tmp_path: Path):
    with limited(upstream, tmp_path, quotas=(DAY,)) as gateway:
        answer = gateway.ask(headers={"x-token-tracking-limits": "off"}, max_tokens=1000)
        assert answer.status_code == 200
        assert read_status(gateway.path) == []


def test_a_hard_quota_refuses_in_anthropics_words_and_its_client_does_not_try_again(
    upstream: Upstream, tmp_path: Path
):
    with limited(upstream, tmp_path, quotas=(DAY,)) as gateway:
        client = anthropic.Anthropic(
            base_url=gateway.gateway.base_url, api_key="key", default_headers=LIMITED
        )
        with client, pytest.raises(anthropic.RateLimitError) as caught:
            client.messages.create(
                model=MODEL, max_tokens=500, messages=[{"role": "user", "content": "hi"}]
            )
        assert upstream.requests == []
        assert caught.value.response.headers["x-should-retry"] == "false"
        assert int(caught.value.response.headers["retry-after"]) <= 86_400
        assert "The quota of user 'anna' is 200 tokens per day" in caught.value.message
        assert caught.value.type == "rate_limit_error"
        assert [each.kind for each in recent_alerts(gateway.path)] == ["refused"]


def test_a_hard_quota_refuses_in_openais_words(upstream: Upstream, tmp_path: Path):
    with limited(upstream, tmp_path, quotas=(DAY,)) as gateway:
        client = openai.OpenAI(
            base_url=f"{gateway.gateway.base_url}/v1", api_key="key", default_headers=LIMITED
        )
        with client, pytest.raises(openai.RateLimitError) as caught:
            client.chat.completions.create(
                model="gpt-4o", messages=[{"role": "user", "content": "hi"}], max_tokens=500
            )
        assert upstream.requests == []
        assert caught.value.type == "insufficient_quota"


def test_dollars_are_counted_by_the_ledgers_prices(upstream: Upstream, tmp_path: Path):
    quota = QuotaRule(subject="user", period="month", usd=Decimal("0.01"), hard=True, alert_at=())
    upstream.script([Answer("hi", output_tokens=20)])
    with limited(upstream, tmp_path, quotas=(quota,)) as gateway:
        usage = gateway.ask().json()["usage"]
        # Claude Sonnet 4.6: 3 and 15 USD a million tokens.
        expected = Decimal(usage["input_tokens"] * 3 + 20 * 15) / 10**6
        assert gateway.booked.used == expected
        assert gateway.ask(max_tokens=700).status_code == 429


def test_a_model_without_a_price_is_refused_under_a_hard_quota_of_dollars(
    upstream: Upstream, tmp_path: Path
):
    quota = QuotaRule(subject="user", period="month", usd=Decimal(5), hard=True)
    with limited(upstream, tmp_path, quotas=(quota,)) as gateway:
        refused = gateway.ask(model="no-such-model-9")
        assert refused.status_code == 429
        assert "no price of this model is known" in refused.json()["error"]["message"]


def test_an_attempt_that_the_provider_refused_costs_no_quota(upstream: Upstream, tmp_path: Path):
    upstream.script([Failure(529), Failure(401), Answer("hi")])
    with limited(upstream, tmp_path, quotas=(DAY,)) as gateway:
        assert [gateway.ask().status_code for _ in range(2)] == [529, 401]
        assert gateway.booked.used == 0


def test_a_rate_error_is_waited_for_and_the_caller_sees_one_answer(
    upstream: Upstream, tmp_path: Path
):
    upstream.script([Failure(429, retry_after=0.2), Failure(429, retry_after=0.1), Answer("hi")])
    with limited(upstream, tmp_path, quotas=(DAY,)) as gateway:
        response = gateway.ask()
        assert response.status_code == 200
        assert float(response.headers["x-token-tracking-waited"]) >= 0.3
        assert len(upstream.requests) == 3
        assert gateway.booked.used == usage_of(response)


def test_a_wait_that_is_longer_than_allowed_hands_the_providers_error_on_unchanged(
    upstream: Upstream, tmp_path: Path
):
    upstream.script([Failure(429, "Come again later.", retry_after=30)])
    with limited(upstream, tmp_path, limit_wait_seconds=5.0) as gateway:
        response = gateway.ask()
        assert response.status_code == 429
        assert response.headers["retry-after"] == "30"
        assert response.json()["error"]["message"] == "Come again later."
        assert "x-token-tracking-waited" not in response.headers
        assert len(upstream.requests) == 1


NOTHING: dict[str, Any] = {}


def loop(results: int, size: int) -> list[dict[str, Any]]:
    """A task, and as many rounds of a tool."""
    messages: list[dict[str, Any]] = [{"role": "user", "content": "count"}]
    for number in range(results):
        call: dict[str, Any] = {
            "type": "tool_use",
            "id": f"toolu_{number}",
            "name": "count",
            "input": {},
        }
        result = {
            "type": "tool_result",
            "tool_use_id": f"toolu_{number}",
            "content": " ".join(str(each) for each in range(size)),
        }
        messages += [
            {"role": "assistant", "content": [call]},
            {"role": "user", "content": [result]},
        ]
    return messages


TOOLS: list[dict[str, Any]] = [
    {"name": "count", "input_schema": {"type": "object", "properties": {}}}
]


def test_what_the_provider_calls_too_long_is_shrunk_and_sent_again(
    upstream: Upstream, tmp_path: Path
):
    def answer(received: Received) -> Answer | Failure:
        if len(received.body) < 60_000:
            return Answer("hi")
        return Failure(400, "prompt is too long: 40000 tokens > 20000 maximum")

    upstream.script(answer)
    with limited(upstream, tmp_path) as gateway:
        response = gateway.ask(messages=loop(10, 3000), tools=TOOLS)
        assert response.status_code == 200, response.text
        assert int(response.headers["x-token-tracking-shrunk"]) <= 20_000
        assert len(upstream.requests) == 2


def test_what_cannot_be_shrunk_gets_the_providers_own_error(upstream: Upstream, tmp_path: Path):
    text = "prompt is too long: 40000 tokens > 20 maximum"
    upstream.script([Failure(400, text)])
    with limited(upstream, tmp_path) as gateway:
        response = gateway.ask()
        assert (response.status_code, response.json()["error"]["message"]) == (400, text)
        assert len(upstream.requests) == 1


def test_a_request_larger_than_its_rate_limit_is_shrunk_before_it_is_sent(
    upstream: Upstream, tmp_path: Path
):
    rule = RateLimitRule(input_tokens=20_000)
    with limited(upstream, tmp_path, rate_limits=(rule,)) as gateway:
        response = gateway.ask(messages=loop(10, 3000), tools=TOOLS)
        assert response.status_code == 200, response.text
        assert "x-token-tracking-shrunk" in response.headers
        assert len(upstream.requests) == 1


def test_a_request_that_can_never_fit_its_rate_limit_is_refused_at_once(
    upstream: Upstream, tmp_path: Path
):
    with limited(upstream, tmp_path, rate_limits=(RateLimitRule(input_tokens=3),)) as gateway:
        response = gateway.ask()
        assert response.status_code == 429
        assert response.headers["x-should-retry"] == "false"
        assert upstream.requests == []


def test_without_room_in_the_rate_limit_in_time_clients_are_told_when_to_come_again(
    upstream: Upstream, tmp_path: Path
):
    rule = RateLimitRule(requests=1)
    with limited(upstream, tmp_path, rate_limits=(rule,), limit_wait_seconds=0.05) as gateway:
        assert gateway.ask().status_code == 200
        response = gateway.ask()
        assert response.status_code == 429
        assert 1 <= int(response.headers["retry-after"]) <= 62
        assert response.headers["x-should-retry"] == "true"


def test_requests_at_once_never_pass_a_hard_quota_together(upstream: Upstream, tmp_path: Path):
    upstream.script(lambda _: Answer("hi", output_tokens=50))
    with limited(upstream, tmp_path, quotas=(DAY,)) as gateway:
        statuses: list[int] = []
        threads = [
            threading.Thread(target=lambda: statuses.append(gateway.ask().status_code))
            for _ in range(12)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert set(statuses) == {200, 429}
        assert 0 < gateway.booked.used <= 200
        assert gateway.booked.used == sum(
            row["input_tokens"] + row["output_tokens"] for row in gateway.gateway.recorded()
        )


def test_a_caller_who_goes_away_pays_for_what_is_known(upstream: Upstream, tmp_path: Path):
    gate = Gate(before=1)
    upstream.script([Answer("a long story " * 200, gates=(gate,))])
    with limited(upstream, tmp_path, quotas=(DAY,)) as gateway:
        with gateway.http.stream("POST", "/v1/messages", json={**HELLO, "stream": True}) as answer:
            next(answer.iter_lines())
        gate.open()
        assert gateway.booked.requests == 1
        (row,) = gateway.gateway.recorded()
        assert gateway.booked.used == row["input_tokens"] + row["output_tokens"]
        assert gateway.booked.estimated == 1


def test_of_a_stream_that_is_left_what_was_seen_counts_where_less_was_told(
    upstream: Upstream, tmp_path: Path
):
    upstream.script([Answer("a long story " * 1000, gates=(Gate(before=400),))])
    with limited(upstream, tmp_path, quotas=(replace(DAY, tokens=100_000),)) as gateway:
        body = {**HELLO, "max_tokens": 10_000, "stream": True}
        with gateway.http.stream("POST", "/v1/messages", json=body) as answer:
            seen = 0
            for line in answer.iter_lines():
                seen += len(json.loads(line[6:])["delta"]["text"]) if "text_delta" in line else 0
                if seen > 600:
                    break
        booked = gateway.booked
        (row,) = gateway.gateway.recorded()
        assert row["output_tokens"] < 20
        assert int(booked.used) - row["input_tokens"] >= 600 // 3
        assert booked.estimated == 1


@pytest.mark.parametrize("error", [UpstreamTimeoutError, asyncio.CancelledError])
async def test_a_request_of_which_nobody_knows_whether_it_was_billed_counts_as_it_was_held(
    tmp_path: Path, error: type[BaseException]
):
    async def send(_: Ask) -> NoReturn:
        raise error("It took too long.")

    async with opened_limits(
        config_of("http://127.0.0.1:1", quotas=(DAY,)), tmp_path, PriceBook(), Gauges()
    ) as step:
        asked = Ask(
            upstream=preset_upstreams()[0],
            form="anthropic",
            method="POST",
            path="/v1/messages",
            headers=[],
            body=json.dumps(HELLO).encode(),
            model=MODEL,
            call=Call(started_at=0, source="gateway", user="anna"),
            wants_limits=True,
        )
        with pytest.raises(error):
            await step.around(asked, send)
    (status,) = read_status(tmp_path / "limits.db")
    assert (status.used > 50, status.reserved, status.estimated) == (True, 0, 1)


@pytest.mark.parametrize(
    "path",
    [
        "/v1/%6dessages",
        "/v1/messages/",
        "/v1//messages",
        "/anthropic/v1/%6Dessages",
        "/v1/messages",
    ],
)
def test_no_spelling_of_a_path_passes_a_quota(upstream: Upstream, tmp_path: Path, path: str):
    with limited(upstream, tmp_path, quotas=(DAY,)) as gateway:
        answer = gateway.http.post(path, json={**HELLO, "max_tokens": 1000})
        assert answer.status_code == 429
        assert upstream.requests == []


def test_several_choices_are_held_as_several_answers(upstream: Upstream, tmp_path: Path):
    body = {"model": "gpt-5", "max_tokens": 50, "messages": HELLO["messages"]}
    with limited(upstream, tmp_path, quotas=(DAY,)) as gateway:
        statuses = [
            gateway.http.post(
                "/v1/chat/completions",
                json={**body, "n": n},
                headers={"authorization": "Bearer key"},
            ).status_code
            for n in (8, 1)
        ]
        assert statuses == [429, 200]


def test_padded_requests_do_not_let_others_pass_a_hard_quota(upstream: Upstream, tmp_path: Path):
    quota = replace(DAY, tokens=19_000)
    large: dict[str, Any] = {
        "messages": [{"role": "user", "content": "lorem ipsum dolor sit amet " * 600}]
    }
    gates: list[Gate] = []

    def held(_: Received) -> Answer:
        gates.append(Gate(before=None))
        return Answer("hi", gates=(gates[-1],))

    upstream.script(["hi"])
    with limited(upstream, tmp_path, quotas=(quota,)) as gateway:
        padded = json.dumps(HELLO, separators=("," + " " * 300_000, ":"))
        assert gateway.http.post("/v1/messages", content=padded).status_code == 200
        upstream.script(held)
        statuses: list[int] = []
        threads = [
            threading.Thread(target=lambda: statuses.append(gateway.ask(**large).status_code))
            for _ in range(20)
        ]
        for thread in threads:
            thread.start()
        deadline = time.monotonic() + 10
        while len(statuses) + len(gates) < 20 and time.monotonic() < deadline:
            time.sleep(0.002)
        for gate in gates:
            gate.open()
        for thread in threads:
            thread.join()
        assert set(statuses) == {200, 429}
        assert gateway.booked.used <= 19_000


def too_large(upstream: Upstream, error: Failure, least: int = 60_000) -> None:
    """What the upstream says of bodies that are longer than that (bytes)."""
    upstream.script(lambda received: error if len(received.body) > least else Answer("hi"))


@pytest.mark.parametrize(
    "error",
    [
        Failure(413),  # request_too_large
        Failure(400, "Your input exceeds the context window of this model."),
    ],
)
def test_what_is_too_large_by_nobody_says_how_much_is_shrunk_until_it_fits(
    upstream: Upstream, tmp_path: Path, error: Failure
):
    too_large(upstream, error)
    with limited(upstream, tmp_path) as gateway:
        response = gateway.ask(messages=loop(10, 3000), tools=TOOLS)
        assert response.status_code == 200, response.text
        sizes = [len(each.body) for each in upstream.requests]
        assert len(sizes) <= 4
        assert sizes == sorted(sizes, reverse=True)
        assert sizes[-1] > 20_000  # no more is left out than need be


def test_what_is_too_large_however_small_gets_the_providers_own_error(
    upstream: Upstream, tmp_path: Path
):
    too_large(upstream, Failure(413, "Too large."), least=0)
    with limited(upstream, tmp_path) as gateway:
        response = gateway.ask(messages=loop(10, 3000), tools=TOOLS)
        assert (response.status_code, response.json()["error"]["message"]) == (413, "Too large.")
        assert len(upstream.requests) <= 6


def test_an_upstream_that_cannot_be_reached_costs_no_quota(upstream: Upstream, tmp_path: Path):
    upstream.base_url = "http://127.0.0.1:1"
    with limited(upstream, tmp_path, quotas=(DAY,)) as gateway:
        assert gateway.ask().status_code == 502
        assert gateway.booked.used == 0


def test_an_error_that_came_compressed_is_understood_and_handed_on_as_it_came(
    upstream: Upstream, tmp_path: Path
):
    upstream.compresses = True
    upstream.script(
        [Failure(429, "Slow down. " * 200, retry_after=0.01), Failure(429, "No. " * 500)]
    )
    with limited(upstream, tmp_path, limit_wait_seconds=0.2) as gateway:
        response = gateway.ask(headers={"accept-encoding": "gzip"})
        assert response.status_code == 429
        assert response.headers["content-encoding"] == "gzip"
        assert response.json()["error"]["message"] == "No. " * 500
        assert len(upstream.requests) == 2


def test_groqs_words_for_too_large_make_the_request_smaller(upstream: Upstream, tmp_path: Path):
    def answer(received: Received) -> Answer | Failure:
        if len(received.body) < 30_000:
            return Answer("hi")
        return Failure(
            413,
            "Request too large for model in organization on tokens per minute (TPM): Limit 12000,"
            " Requested 40000, please reduce your message size and try again.",
        )

    upstream.script(answer)
    messages = [
        each
        for number in range(12)
        for each in (
            {"role": "user", "content": f"{number} " + " ".join(map(str, range(1500)))},
            {"role": "assistant", "content": "ok"},
        )
    ]
    body = {
        "model": "llama-3.3-70b-versatile",
        "max_tokens": 100,
        "messages": [*messages, {"role": "user", "content": "and now?"}],
    }
    with limited(upstream, tmp_path) as gateway:
        response = gateway.http.post(
            "/v1/chat/completions",
            json=body,
            headers={"authorization": "Bearer key", "x-token-tracking-upstream": "openai"},
        )
        assert response.status_code == 200, response.text
        assert len(upstream.requests) == 2
        sent = json.loads(upstream.requests[-1].body)["messages"]
        assert sent[-1] == {"role": "user", "content": "and now?"}


def test_quotas_of_a_toml_file_hold(upstream: Upstream, tmp_path: Path):
    file = tmp_path / "gateway.toml"
    file.write_text(
        """
[[quotas]]
subject = "user"
period = "month"
usd = 2.5
hard = true
allows_unpriced = true
""",
        "utf-8",
    )
    quotas = read_config(file).quotas
    with limited(upstream, tmp_path, quotas=quotas) as gateway:
        assert gateway.ask(model="claude-opus-4-8").status_code == 200
        assert gateway.booked.limit == Decimal("2.5")


def test_a_response_in_the_background_is_booked_when_it_is_fetched_and_once(
    any_misbehaving: Misbehaving, tmp_path: Path
):
    begun = {"id": "resp_1", "object": "response", "status": "queued", "model": "gpt-5"}
    usage = {"input_tokens": 1_000, "output_tokens": 500, "total_tokens": 1_500}
    done = {**begun, "status": "completed", "usage": usage}
    upstreams = config_of(any_misbehaving.base_url).upstreams
    quota = replace(DAY, tokens=100_000)
    config = {"upstreams": tuple(replace(each, limits=True) for each in upstreams)}
    with served_gateway(
        config_of(any_misbehaving.base_url, quotas=(quota,), **config), tmp_path
    ) as gateway:
        address = f"{gateway.base_url}/v1/responses"
        keys = {"authorization": "Bearer test", "x-token-tracking-user": "anna"}
        any_misbehaving.script([Send(response(200, json.dumps(begun).encode()))])
        asked = {"model": "gpt-5", "input": "hi", "background": True}
        assert httpx2.post(address, json=asked, headers=keys).json()["status"] == "queued"
        (held,) = read_status(tmp_path / "limits.db")
        assert (held.used, held.reserved > 0) == (0, True)
        any_misbehaving.script([Send(response(200, json.dumps(done).encode()))])
        for _ in range(2):
            assert httpx2.get(f"{address}/resp_1", headers=keys).json()["usage"] == usage
        limits = Limited(gateway, httpx2.Client(), tmp_path / "limits.db")
        assert (limits.booked.used, limits.booked.estimated) == (1_500, 0)
        limits.http.close()
