"""What is known of a conversation is let go of with it, and with a question that was not kept."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.gateway.conversations.conftest import AGENTS
from tests.gateway.serving import config_of
from token_tracking_server.gateway.agents.agents import agent_of
from token_tracking_server.gateway.config import preset_upstreams
from token_tracking_server.gateway.conversations.asking import Caller, ask_of
from token_tracking_server.gateway.conversations.conversations import Conversations
from token_tracking_server.gateway.conversations.underway import Question, Underway
from token_tracking_server.gateway.conversations.values import Conversation
from token_tracking_server.gateway.opening import opened_services
from token_tracking_server.gateway.services import Services
from token_tracking_server.settings import Settings

AGENT, UPSTREAM = agent_of(AGENTS[0]), preset_upstreams()[0]


@pytest.fixture
async def services(tmp_path: Path) -> AsyncIterator[Services]:
    settings = Settings(database=str(tmp_path / "ledger.db"))
    config = config_of("http://127.0.0.1:9", agents=AGENTS)
    async with opened_services(config, settings) as services:
        yield services


async def begun(conversations: Conversations) -> Conversation:
    return await conversations.store.add("ada", AGENT.name, None, {})


async def test_a_deleted_conversations_window_is_gone(services: Services):
    conversations = Conversations(services)
    windows = conversations.windows
    one, other = await begun(conversations), await begun(conversations)
    kept = [windows.of(each.id, AGENT, UPSTREAM) for each in (one, other)]
    await conversations.delete(one.id)
    assert windows.of(one.id, AGENT, UPSTREAM) is not kept[0]
    assert windows.of(other.id, AGENT, UPSTREAM) is kept[1]


async def test_a_question_that_is_not_kept_leaves_no_window(services: Services):
    conversations = Conversations(services)
    windows, conversation = conversations.windows, await begun(conversations)
    kept = windows.of(conversation.id, AGENT, UPSTREAM)
    caller = Caller(headers=[])
    ask = ask_of(
        AGENT, UPSTREAM, caller, conversation_id=conversation.id, user="ada", is_stream=False
    )
    question = Question(conversation=conversation, agent=AGENT, content="Why?", ask=ask)
    underway = Underway(question, conversations.store, windows, services.prices)
    underway.kept = kept
    await underway.close()
    assert windows.of(conversation.id, AGENT, UPSTREAM) is not kept
