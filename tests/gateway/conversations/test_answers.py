"""A message in a conversation: what is asked of the upstream, and what is answered and kept."""

import json
from decimal import Decimal
from typing import Any

import pytest

from tests.gateway.api.test_metrics import samples
from tests.gateway.conversations.conftest import KEY, recorded
from tests.gateway.serving import Served
from tests.upstream.app import Upstream
from tests.upstream.gates import Gate
from tests.upstream.models import Model
from tests.upstream.scripts import Answer
from token_tracking.client import Agent, Delta, GatewayClient
from token_tracking.client.conversations import Answer as Answered
from token_tracking.pricing import PriceBook
from token_tracking.usage import Usage

AGENTS = pytest.mark.parametrize("agent", ["claude", "gpt"])


@AGENTS
async def test_a_message_is_answered_with_what_it_was_billed(
    client: GatewayClient, upstream: Upstream, gateway: Served, agent: str
):
    upstream.script(["Forty-two."])
    conversation = await client.create_conversation(user="ada", agent=agent)
    answer = await client.send(conversation.id, "What is the answer?")
    (row,) = recorded(gateway, conversation.id)
    said, told = answer.message, answer.metadata
    assert (said.role, said.content, said.agent) == ("assistant", "Forty-two.", agent)
    assert told.prompt_tokens is not None
    assert told.completion_tokens is not None
    assert told.tokens_used == told.prompt_tokens + told.completion_tokens
    assert told.completion_tokens == row["output_tokens"]
    assert told.cost is not None
    assert round(Decimal(told.cost) * 10**12) == row["cost_pico"] > 0
    assert (told.history_length, told.sources_used) == (0, [])


@AGENTS
async def test_the_parts_of_the_prompt_come_to_what_was_billed(client: GatewayClient, agent: str):
    conversation = await client.create_conversation(user="ada", agent=agent)
    for number in range(3):
        answer = await client.send(conversation.id, f"Question {number}: why is that?")
        parts = answer.metadata.breakdown
        assert parts.unattributed is not None
        counted = parts.system + parts.history + parts.rag + parts.user
        assert counted + parts.unattributed == answer.metadata.prompt_tokens
        assert parts.basis == "estimated"
        assert (parts.error_p95 is not None) == (number == 0), "later most of it was billed"
        assert (parts.system > 0, parts.user > 0, parts.rag) == (True, True, 0)
        assert (parts.history > 0) == (number > 0)
        assert answer.metadata.history_length == 2 * number


@AGENTS
async def test_the_upstream_is_sent_the_history_and_the_key_of_the_environment(
    client: GatewayClient, upstream: Upstream, agent: str
):
    upstream.script(["One.", "Two."])
    conversation = await client.create_conversation(user="ada", agent=agent)
    await client.send(conversation.id, "First?")
    await client.send(conversation.id, "Second?")
    sent = upstream.requests[-1]
    assert [_text(message) for message in sent.messages if message["role"] != "system"] == [
        "First?",
        "One.",
        "Second?",
    ]
    assert sent.json["model"] == {"claude": "claude-sonnet-4-5", "gpt": "gpt-5"}[agent]
    assert KEY in (sent.headers.get("x-api-key", ""), sent.headers.get("authorization", "")[7:])


async def test_the_ledger_says_whose_the_message_was(client: GatewayClient, gateway: Served):
    conversation = await client.create_conversation(user="ada", agent="claude")
    await client.send(conversation.id, "Hello?")
    (row,) = recorded(gateway, conversation.id)
    assert row["source"] == "gateway"
    assert row["model"] == "claude-sonnet-4-5"
    assert row["agent_id"] == "claude"
    assert json.loads(row["metadata"])["user"] == "ada"
    assert KEY not in json.dumps(row)


async def test_another_agent_may_answer_one_message(client: GatewayClient, upstream: Upstream):
    upstream.script(["From Claude.", "From GPT.", "From Claude again."])
    conversation = await client.create_conversation(user="ada", agent="claude")
    await client.send(conversation.id, "Who?")
    other = await client.send(conversation.id, "And you?", agent="gpt")
    again = await client.send(conversation.id, "And you again?")
    assert [each.message.agent for each in (other, again)] == ["gpt", "claude"]
    assert upstream.requests[1].path == "/v1/chat/completions"
    assert _text(upstream.requests[2].messages[3]) == "From GPT."


@AGENTS
async def test_a_stream_gives_the_text_as_it_is_written_and_then_the_whole(
    client: GatewayClient, upstream: Upstream, agent: str
):
    gate = Gate(before={"claude": 4, "gpt": 2}[agent])
    upstream.script([Answer("Well, that takes more than a few words to say.", gates=(gate,))])
    conversation = await client.create_conversation(user="ada", agent=agent)
    async with client.stream(conversation.id, "Why?") as events:
        texts = [_delta(await anext(events))]
        gate.open()
        *deltas, whole = [event async for event in events]
    assert isinstance(whole, Answered)
    assert "".join(texts + [_delta(event) for event in deltas]) == whole.message.content
    assert texts[0] != whole.message.content
    assert whole.metadata.tokens_used is not None
    assert whole.metadata.cost is not None
    kept = await client.conversation(conversation.id)
    assert [message.content for message in kept.messages] == ["Why?", whole.message.content]


async def test_an_unpriced_model_has_no_cost(client: GatewayClient, upstream: Upstream):
    upstream.models.add(Model("a-model-of-nobody", "A model of nobody"))
    await client.create_agent(Agent(name="nobody", model="a-model-of-nobody", max_rag_tokens=0))
    conversation = await client.create_conversation(user="ada", agent="nobody")
    answer = await client.send(conversation.id, "Hello?")
    assert answer.metadata.tokens_used is not None
    assert answer.metadata.cost is None
    metrics = await client.metrics(conversation.id)
    assert (metrics.cost, metrics.unpriced) == (None, 1)


async def test_a_long_history_is_kept_within_the_agents_budget(
    client: GatewayClient, upstream: Upstream
):
    upstream.script(lambda _: Answer("word " * 900, output_tokens=900))
    conversation = await client.create_conversation(user="ada", agent="claude")
    for number in range(7):
        await client.send(conversation.id, f"Question {number}. " + "why " * 500)
    answer = await client.send(conversation.id, "And at last?")
    parts = answer.metadata.breakdown
    assert parts.history <= 3000
    assert answer.metadata.history_length == 14
    assert len(upstream.requests[-1].messages) < 15
    assert any("sliding_window" in note for note in answer.metadata.notes)
    kept = await client.conversation(conversation.id)
    assert kept.message_count == 16


async def test_what_leaves_a_conversation_is_counted_once(
    client: GatewayClient, upstream: Upstream, gateway: Served
):
    upstream.script(lambda _: Answer("word " * 900, output_tokens=900))
    before = counters(gateway)
    conversation = await client.create_conversation(user="ada", agent="claude")
    for number in range(8):
        await client.send(conversation.id, f"Question {number}. " + "why " * 500)
    answer = await client.send(conversation.id, "Question 8. " + "why " * 500)
    history = answer.metadata.breakdown.history
    whole = 8 * (900 + 500)
    one = {name: value - before[name] for name, value in counters(gateway).items()}
    assert one["tokens_saved"] == pytest.approx(whole - history, rel=0.15)
    assert one["compactions"] >= 1
    assert one["overflows_avoided"] >= 1
    # Another agent takes the same out of it: no less, and not all of it anew.
    await client.create_agent(Agent(name="other", model="claude-haiku-4-5", max_rag_tokens=0))
    await client.send(conversation.id, "And you? " + "why " * 500, agent="other")
    both = {name: value - before[name] for name, value in counters(gateway).items()}
    assert one["tokens_saved"] <= both["tokens_saved"] < 1.5 * one["tokens_saved"]


def counters(gateway: Served) -> dict[str, float]:
    """What the metrics say of windows."""
    found = samples(gateway.gateway.services.gauges)
    names = ("compactions", "tokens_saved", "overflows_avoided")
    return {name: found[f"token_tracking_{name}_total"] for name in names}


async def test_documents_of_the_library_go_with_the_question(
    client: GatewayClient, upstream: Upstream
):
    await client.create_agent(Agent(name="reader", model="claude-sonnet-4-5"))
    conversation = await client.create_conversation(user="ada", agent="reader")
    answer = await client.send(conversation.id, "How does prompt caching save money?")
    assert answer.metadata.sources_used
    assert 0 < answer.metadata.breakdown.rag <= 1500
    sent = _text(upstream.requests[-1].messages[-1])
    for source in answer.metadata.sources_used:
        assert f'uri="{source}"' in sent
    kept = await client.conversation(conversation.id)
    assert kept.messages[0].content == "How does prompt caching save money?"
    # They leave with the next question.
    await client.send(conversation.id, "zzxqv?")
    assert "<document" not in _text(upstream.requests[-1].messages[0])


async def test_summaries_are_billed_to_the_conversation(client: GatewayClient, upstream: Upstream):
    summarising = Agent(
        name="summarising",
        model="claude-sonnet-4-5",
        strategy="summarize",
        max_context_tokens=3000,
        max_rag_tokens=0,
    )
    await client.create_agent(summarising)
    upstream.script(lambda _: Answer("word " * 400, output_tokens=400))
    conversation = await client.create_conversation(user="ada", agent="summarising")
    for number in range(8):
        await client.send(conversation.id, f"Question {number}. " + "why " * 100)
    metrics = await client.metrics(conversation.id)
    assert metrics.summaries > 0
    assert metrics.answers == 8
    assert metrics.answers + metrics.summaries == len(upstream.requests)
    billed = [Usage.from_anthropic(sent.usage) for sent in upstream.requests]
    assert metrics.tokens_used == sum(usage.total_tokens for usage in billed)
    prices = PriceBook()
    costs = [prices.cost(usage, "claude-sonnet-4-5", 1_800_000_000_000) for usage in billed]
    assert metrics.cost == pytest.approx(float(sum(cost.usd for cost in costs)), abs=1e-12)


async def test_of_an_answer_the_next_prompt_has_what_was_visible(
    client: GatewayClient, upstream: Upstream
):
    thought = Answer("word " * 300, thinking="hm " * 300, output_tokens=800)
    upstream.script([thought, "Two."])
    conversation = await client.create_conversation(user="ada", agent="claude")
    await client.send(conversation.id, "First?")
    second = await client.send(conversation.id, "Second?")
    visible = round(800 * 1500 / (1500 + 900))
    assert second.metadata.breakdown.history == pytest.approx(visible, abs=20)


async def test_text_stands_in_no_file_but_the_gateways_own(
    client: GatewayClient, gateway: Served, upstream: Upstream
):
    upstream.script(["a-secret-answer"])
    conversation = await client.create_conversation(user="ada", agent="claude")
    await client.send(conversation.id, "a-secret-question")
    gateway.recorded()
    files = [each for each in gateway.ledger.parent.rglob("*") if each.is_file()]
    assert files
    holding = {each.name for each in files if b"a-secret" in each.read_bytes()}
    assert holding <= {"gateway.db", "gateway.db-wal"}
    await client.delete_conversation(conversation.id)
    assert not [each for each in files if each.exists() and b"a-secret" in each.read_bytes()]


def _text(message: dict[str, Any]) -> str:
    content = message["content"]
    if isinstance(content, str):
        return content
    return "\n".join(block["text"] for block in content)


def _delta(event: Delta | Answered) -> str:
    assert isinstance(event, Delta)
    return event.text
