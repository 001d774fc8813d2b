"""An agent with tools against a server that speaks Anthropic's API, by the official client: what
is sent is taken, cached where it was said, and billed as it was expected."""

from collections.abc import Iterator
from typing import Any

import pytest
from anthropic import AsyncAnthropic

from tests.upstream.app import Upstream
from tests.upstream.counting import text_tokens
from tests.upstream.received import Received
from tests.upstream.scripts import Answer, ToolUse, Turn
from tests.upstream.serve import served
from token_tracking.counting import TokenCount, TokenCounter
from token_tracking.window.policies.cap import CapToolResults
from token_tracking.window.policies.clear import ClearToolResults
from token_tracking.window.policies.emergency import Emergency
from token_tracking.window.policies.policy import Policy
from token_tracking.window.prepared import Prepared
from token_tracking.window.prompt_cache import CacheUse
from token_tracking.window.window import ContextWindow

MODEL = "claude-opus-4-8"
STEPS = 26
TOOLS = [
    {
        "name": "look",
        "description": "Looks something up. " * 40,
        "input_schema": {"type": "object", "properties": {"at": {"type": "string"}}},
    }
]
SYSTEM = "You look things up with care. " * 120
READ, WRITE = 0.1, 1.25
"""The model's prices, in units of its plain input."""


class Characters:
    """The server's own rule: four characters for a token."""

    def count(self, text: str) -> TokenCount:
        return TokenCount(tokens=text_tokens(text), method="by four", exact=True, error_p95=0.0)


def agent_of(received: Received) -> Turn:
    """It looks three things up for each question, and answers the fourth time."""
    done = sum(message["role"] == "assistant" for message in received.messages)
    if done % 4 == 3:
        return Answer(f"That was step {done}.")
    tools = (ToolUse("look", {"at": f"place {done}"}, f"toolu_{done}"),)
    return Answer(f"I look at place {done}.", tools, thinking=f"Where is place {done}?")


def result_of(call: Any) -> dict[str, Any]:
    text = f"Of {call.input['at']} there is much to tell, and little of it matters. " * 60
    return {"type": "tool_result", "tool_use_id": call.id, "content": text}


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    with served() as upstream:
        upstream.script(agent_of)
        yield upstream


class Run:
    """One agent's work: what was prepared for each request, and what it was billed for."""

    def __init__(self) -> None:
        self.prepared: list[Prepared] = []
        self.billed: list[CacheUse] = []

    @property
    def cost(self) -> float:
        """Of the prompts, in input tokens."""
        return sum(READ * use.read + WRITE * use.write_5m + use.uncached for use in self.billed)


async def work(upstream: Upstream, *policies: Policy) -> Run:
    upstream.cache.clear()
    counter, run = TokenCounter(), Run()
    counter.plug_in(Characters())
    window = ContextWindow(MODEL, policy=policies, counter=counter, clock=upstream.clock)
    messages: list[Any] = [{"role": "user", "content": "Where is it?"}]
    async with AsyncAnthropic(api_key="t", base_url=upstream.base_url, max_retries=0) as client:
        for _ in range(STEPS):
            prepared = await window.prepare(SYSTEM, messages, TOOLS)
            create: Any = client.messages.create
            answer: Any = await create(model=MODEL, **{**prepared.request(), "max_tokens": 4_000})
            window.observe(answer)
            run.prepared.append(prepared)
            use = answer.usage
            run.billed.append(
                CacheUse(
                    use.cache_read_input_tokens,
                    use.cache_creation_input_tokens,
                    0,
                    use.input_tokens,
                )
            )
            calls = [block for block in answer.content if block.type == "tool_use"]
            said = [result_of(call) for call in calls] or "And what comes next?"
            messages += [answer, {"role": "user", "content": said}]
            upstream.clock.advance(20)
    return run


def close(expected: int, billed: int) -> bool:
    """Within what one step adds, which is counted before it is billed; behind an edit what stays
    in front of it is estimated."""
    return abs(expected - billed) <= max(60, 0.05 * billed)


@pytest.mark.parametrize(
    "policies", [(), (ClearToolResults(keep=2),), (CapToolResults(max_tokens=300),)]
)
async def test_what_is_billed_is_what_was_expected(
    upstream: Upstream, policies: tuple[Policy, ...]
):
    run = await work(upstream, *policies)
    assert {request.status for request in upstream.requests} == {200}
    for prepared, billed in zip(run.prepared, run.billed, strict=True):
        expected = prepared.costs.cache
        assert close(expected.prompt_tokens, billed.prompt_tokens)
        assert close(expected.read, billed.read)
        assert close(expected.write_5m, billed.write_5m)
        assert close(expected.uncached, billed.uncached)


async def test_the_breakpoints_stand_where_they_were_told(upstream: Upstream):
    run = await work(upstream, ClearToolResults(keep=2), Emergency())
    for prepared, received in zip(run.prepared, upstream.requests, strict=True):
        places: list[int] = []
        blocks = 1
        for block in received.json["system"]:
            places += [1] if "cache_control" in block else []
        for message in received.messages:
            content: Any = message["content"]
            listed: list[Any] = [{}] if isinstance(content, str) else content
            for block in listed:
                blocks += 1
                places += [blocks] if "cache_control" in block else []
        assert places == [each.blocks for each in prepared.breakpoints]
        assert len(places) <= 4


@pytest.mark.slow
async def test_it_is_billed_less_than_without(upstream: Upstream):
    alone = await work(upstream)
    cleared = await work(upstream, ClearToolResults(keep=2))
    capped = await work(upstream, CapToolResults(max_tokens=300), ClearToolResults(keep=2))
    assert cleared.cost < 0.9 * alone.cost
    assert capped.cost < cleared.cost
    assert {request.status for request in upstream.requests} == {200}


@pytest.mark.slow
async def test_what_it_would_have_cost_alone_is_what_it_costs_alone(upstream: Upstream):
    alone = await work(upstream)
    cleared = await work(upstream, ClearToolResults(keep=2))
    told = sum(float(each.costs.alone_now_usd or 0) for each in cleared.prepared)
    assert told == pytest.approx(alone.cost * 5e-6, rel=0.05)
