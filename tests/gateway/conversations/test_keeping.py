"""Conversations as they are kept: listed, read, cleared, deleted and summed up."""

from typing import Any

import httpx2
import pytest

from tests.gateway.conversations.conftest import recorded
from tests.gateway.serving import Served
from tests.upstream.app import Upstream
from token_tracking.client import GatewayClient, GatewayError


async def test_a_conversation_is_read_as_it_was_begun(client: GatewayClient):
    metadata = {"ticket": 7, "tags": ["a", None]}
    made = await client.create_conversation(
        user="ada", agent="claude", title="Caching", metadata=metadata
    )
    found = await client.conversation(made.id)
    assert (found.user, found.agent, found.title) == ("ada", "claude", "Caching")
    assert found.metadata == metadata
    assert (found.message_count, found.messages, found.has_more) == (0, [], False)
    assert found.created_at == found.updated_at == made.created_at


async def test_conversations_are_listed_by_user_the_last_spoken_in_first(client: GatewayClient):
    first = await client.create_conversation(user="lister", agent="claude")
    second = await client.create_conversation(user="lister", agent="claude")
    await client.create_conversation(user="another", agent="claude")
    await client.send(first.id, "Hello?")
    found = await client.conversations(user="lister")
    assert [each.id for each in found] == [first.id, second.id]
    assert [each.message_count for each in found] == [2, 0]
    assert [each.id for each in await client.conversations(user="lister", limit=1, offset=1)] == [
        second.id
    ]
    assert await client.conversations(user="nobody") == []
    assert {first.id, second.id} < {each.id for each in await client.conversations(limit=1000)}


async def test_long_conversations_are_read_page_by_page(client: GatewayClient):
    conversation = await client.create_conversation(user="ada", agent="claude")
    for number in range(3):
        await client.send(conversation.id, f"Question {number}?")
    newest = await client.conversation(conversation.id, limit=2)
    assert [each.position for each in newest.messages] == [4, 5]
    assert newest.has_more
    older = await client.conversation(conversation.id, limit=10, before=4)
    assert [each.position for each in older.messages] == [0, 1, 2, 3]
    assert not older.has_more
    assert [each.role for each in older.messages] == ["user", "assistant"] * 2


async def test_clearing_forgets_what_was_said_and_keeps_what_was_billed(
    client: GatewayClient, upstream: Upstream
):
    conversation = await client.create_conversation(user="clearer", agent="claude")
    await client.send(conversation.id, "My name is Ada.")
    before = await client.metrics(conversation.id)
    cleared = await client.clear(conversation.id)
    assert cleared.messages_cleared == 2
    after = await client.metrics(conversation.id)
    assert after.history_length == 0
    assert (after.answers, after.tokens_used, after.cost) == (1, before.tokens_used, before.cost)
    answer = await client.send(conversation.id, "What is my name?")
    assert answer.metadata.history_length == 0
    assert "Ada" not in upstream.requests[-1].body.decode()
    total = await client.total("clearer")
    assert total.answers == 2
    assert total.tokens_used == before.tokens_used + (answer.metadata.tokens_used or 0)


async def test_deleting_takes_all_but_the_ledgers_figures(client: GatewayClient, gateway: Served):
    conversation = await client.create_conversation(user="deleter", agent="claude")
    await client.send(conversation.id, "Hello?")
    await client.delete_conversation(conversation.id)
    for asked in (
        client.conversation(conversation.id),
        client.metrics(conversation.id),
        client.clear(conversation.id),
        client.send(conversation.id, "Are you there?"),
        client.delete_conversation(conversation.id),
    ):
        with pytest.raises(GatewayError, match="no conversation") as caught:
            await asked
        assert caught.value.status == 404
    total = await client.total("deleter")
    assert (total.conversations, total.answers, total.cost) == (0, 0, 0)
    assert len(recorded(gateway, conversation.id)) == 1


async def test_the_total_of_a_user_is_the_sum_of_their_conversations(client: GatewayClient):
    conversations = [
        await client.create_conversation(user="summed", agent=agent)
        for agent in ("claude", "gpt", "claude")
    ]
    other = await client.create_conversation(user="not summed", agent="claude")
    for each in (*conversations, conversations[0], other):
        await client.send(each.id, "Hello?")
    metrics = [await client.metrics(each.id) for each in conversations]
    total = await client.total("summed")
    assert (total.user, total.conversations, total.answers) == ("summed", 3, 4)
    assert total.prompt_tokens == sum(each.prompt_tokens for each in metrics)
    assert total.completion_tokens == sum(each.completion_tokens for each in metrics)
    assert total.tokens_used == total.prompt_tokens + total.completion_tokens
    assert total.cost == pytest.approx(sum(each.cost or 0 for each in metrics), abs=1e-12)
    assert total.broken == total.unbilled == total.unpriced == 0
    everyone = await client.total()
    assert everyone.user is None
    assert everyone.answers > total.answers


async def test_a_conversation_with_an_unknown_agent_is_not_begun(client: GatewayClient):
    with pytest.raises(GatewayError, match=r"There are: .*claude, gpt") as caught:
        await client.create_conversation(user="ada", agent="gemini")
    assert caught.value.status == 404
    conversation = await client.create_conversation(user="ada", agent="claude")
    with pytest.raises(GatewayError, match="no agent 'gemini'"):
        await client.send(conversation.id, "Hello?", agent="gemini")


@pytest.mark.parametrize(
    "given",
    [
        {"user": "", "agent": "claude"},
        {"user": "   ", "agent": "claude"},
        {"user": "a" * 201, "agent": "claude"},
        {"user": "ada", "agent": "not an agent's name"},
        {"user": "ada", "agent": "claude", "metadata": {"large": "x" * 20_000}},
    ],
)
async def test_what_no_conversation_can_have_is_refused(
    client: GatewayClient, given: dict[str, Any]
):
    with pytest.raises(GatewayError) as caught:
        await client.create_conversation(**given)
    assert caught.value.status == 422


@pytest.mark.parametrize("number", ["NaN", "Infinity", "1e400", "[-1e400]"])
async def test_a_number_that_json_cannot_hold_is_refused(gateway: Served, number: str):
    body = f'{{"user": "ada", "agent": "claude", "metadata": {{"n": {number}}}}}'
    async with httpx2.AsyncClient(base_url=gateway.base_url) as http:
        headers = {"content-type": "application/json"}
        refused = await http.post("/conversations", content=body, headers=headers)
    assert refused.status_code == 422
    assert "a number that JSON cannot hold" in refused.json()["detail"]


@pytest.mark.parametrize("content", ["", "  \n"])
async def test_saying_nothing_is_refused(client: GatewayClient, content: str):
    conversation = await client.create_conversation(user="ada", agent="claude")
    with pytest.raises(GatewayError, match="content") as caught:
        await client.send(conversation.id, content)
    assert caught.value.status == 422
