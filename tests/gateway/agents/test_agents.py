"""Agents: those of the configuration, and those that are made over the API."""

from pathlib import Path
from typing import Any

import httpx2
import pytest
from msgspec.structs import replace

from tests.gateway.serving import Served, config_of, served_gateway
from tests.upstream.app import Upstream
from token_tracking.client import Agent, GatewayClient, GatewayError
from token_tracking.window import Budget
from token_tracking_server.gateway.agents.agents import agent_of, checked
from token_tracking_server.gateway.config import AgentConfig, ConfigError, read_config
from token_tracking_server.gateway.serving import serve_gateway
from token_tracking_server.gateway.upstreams import Upstreams
from token_tracking_server.settings import Settings

NEW = Agent(name="new", model="claude-sonnet-4-5", system="Be kind.", max_history_tokens=None)


async def test_an_agent_is_made_changed_and_deleted(client: GatewayClient):
    assert await client.create_agent(NEW) == NEW
    assert await client.agent("new") == NEW
    changed = replace(NEW, model="gpt-5", system=None, max_rag_tokens=0)
    assert await client.replace_agent(changed) == changed
    assert await client.agent("new") == changed
    assert [each.name for each in await client.agents()] == ["claude", "gpt", "new"]
    await client.delete_agent("new")
    with pytest.raises(GatewayError, match="There are: claude, gpt") as caught:
        await client.agent("new")
    assert caught.value.status == 404


async def test_the_configurations_agents_are_not_changed(client: GatewayClient):
    configured = await client.agent("claude")
    assert configured.source == "configuration"
    for asked in (client.replace_agent(configured), client.delete_agent("claude")):
        with pytest.raises(GatewayError, match="in the gateway's configuration") as caught:
            await asked
        assert caught.value.status == 409
    with pytest.raises(GatewayError, match="already") as caught:
        await client.create_agent(configured)
    assert caught.value.status == 409


async def test_there_is_one_agent_of_a_name(client: GatewayClient):
    await client.create_agent(replace(NEW, name="once"))
    with pytest.raises(GatewayError, match="already") as caught:
        await client.create_agent(replace(NEW, name="once", model="gpt-5"))
    assert caught.value.status == 409
    assert (await client.agent("once")).model == NEW.model


async def test_what_is_not_there_is_not_changed(client: GatewayClient):
    for asked in (client.replace_agent(replace(NEW, name="ghost")), client.delete_agent("ghost")):
        with pytest.raises(GatewayError, match="no agent 'ghost'") as caught:
            await asked
        assert caught.value.status == 404


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"upstream": "nowhere"}, "no upstream 'nowhere'"),
        ({"strategy": "hope"}, "no strategy 'hope'"),
        ({"max_history_tokens": 7000}, "max_history_tokens is 7,000"),
        ({"max_output_tokens": 65_000}, "writes at most 64,000"),
    ],
)
async def test_an_agent_that_could_not_answer_is_not_made(
    client: GatewayClient, changed: dict[str, Any], said: str
):
    with pytest.raises(GatewayError, match=said) as caught:
        await client.create_agent(replace(NEW, name="faulty", **changed))
    assert caught.value.status == 400


@pytest.mark.parametrize(
    "changed",
    [
        {"name": "two words"},
        {"name": "x" * 65},
        {"model": ""},
        {"max_context_tokens": 0},
        {"max_rag_tokens": -1},
        {"summarize_threshold": 0},
        {"summarize_threshold": 1.5},
    ],
)
async def test_what_no_agent_can_be_is_refused(client: GatewayClient, changed: dict[str, Any]):
    with pytest.raises(GatewayError) as caught:
        await client.create_agent(replace(NEW, **changed))
    assert caught.value.status == 422


async def test_a_deleted_agents_conversations_need_another(
    client: GatewayClient, upstream: Upstream
):
    await client.create_agent(replace(NEW, name="leaving"))
    conversation = await client.create_conversation(user="ada", agent="leaving")
    await client.delete_agent("leaving")
    with pytest.raises(GatewayError, match="no agent 'leaving'"):
        await client.send(conversation.id, "Hello?")
    answer = await client.send(conversation.id, "Hello?", agent="claude")
    assert answer.message.agent == "claude"


async def test_a_changed_agent_answers_as_it_is_now(client: GatewayClient, upstream: Upstream):
    agent = replace(NEW, name="changing", max_rag_tokens=0)
    await client.create_agent(agent)
    conversation = await client.create_conversation(user="ada", agent="changing")
    await client.send(conversation.id, "Hello?")
    await client.replace_agent(replace(agent, system="Be stern."))
    await client.send(conversation.id, "And now?")
    assert "Be kind." in upstream.requests[0].body.decode()
    assert "Be stern." in upstream.requests[1].body.decode()


def test_what_the_configuration_leaves_out_is_the_small_budgets():
    agent = agent_of(AgentConfig(name="a", model="claude-sonnet-4-5", max_rag_tokens=700))
    assert agent.budget == Budget(
        max_context_tokens=6000,
        max_history_tokens=3000,
        max_rag_tokens=700,
        max_output_tokens=1000,
    )
    assert agent_of(AgentConfig(name="a", model="m", max_rag_tokens=0)).has_documents is False
    assert agent_of(AgentConfig(name="a", model="m", category="caching")).category == "caching"


def test_a_small_context_has_smaller_parts():
    config = AgentConfig(name="a", model="claude-sonnet-4-5", max_context_tokens=1200)
    assert agent_of(config).budget == Budget(
        max_context_tokens=1200,
        max_history_tokens=1200,
        max_rag_tokens=1200,
        max_output_tokens=1000,
    )
    given = replace(config, max_history_tokens=1300)
    with pytest.raises(ConfigError, match="max_history_tokens is 1,300"):
        checked([given], Upstreams(config_of("http://127.0.0.1:9")))


async def test_a_small_context_has_smaller_parts_over_the_api_too(
    client: GatewayClient, gateway: Served
):
    body = {"name": "small", "model": "claude-sonnet-4-5", "max_context_tokens": 2500}
    async with httpx2.AsyncClient(base_url=gateway.base_url) as http:
        (await http.post("/agents", json=body)).raise_for_status()
    made = await client.agent("small")
    assert (made.max_context_tokens, made.max_history_tokens, made.max_rag_tokens) == (
        2500,
        2500,
        1500,
    )
    await client.delete_agent("small")


def test_a_configuration_can_leave_a_part_to_the_window(tmp_path: Path):
    text = """
    [[agents]]
    name = "wide"
    model = "claude-sonnet-4-5"
    category = "caching"
    max_context_tokens = "window"
    max_history_tokens = "window"
    max_rag_tokens = "window"
    max_output_tokens = "window"
    """
    path = tmp_path / "gateway.toml"
    path.write_text(text)
    agents = checked(read_config(path, environment={}).agents, Upstreams(config_of("http://x")))
    assert agents["wide"].budget == Budget()
    assert agents["wide"].category == "caching"
    path.write_text(text.replace('"window"', '"wide"', 1))
    with pytest.raises(ConfigError, match="max_context_tokens"):
        read_config(path, environment={})


@pytest.mark.parametrize(
    ("agents", "said"),
    [
        ([AgentConfig(name="a", model="m", upstream="nowhere")], "no upstream 'nowhere'"),
        ([AgentConfig(name="a", model="m"), AgentConfig(name="a", model="n")], "two agents 'a'"),
        ([AgentConfig(name="two words", model="m")], "begins with a letter"),
        ([AgentConfig(name="a", model="m", strategy="hope")], "no strategy 'hope'"),
    ],
)
def test_a_gateway_does_not_start_with_agents_that_could_not_answer(
    agents: list[AgentConfig], said: str
):
    config = config_of("http://127.0.0.1:9", agents=tuple(agents))
    with pytest.raises(ConfigError, match=said):
        checked(config.agents, Upstreams(config))


def test_nobody_can_connect_before_the_agents_are_checked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    listened: list[object] = []
    monkeypatch.setattr("token_tracking_server.gateway.serving.listen", listened.append)
    faulty = AgentConfig(name="a", model="claude-sonnet-4-5", max_output_tokens=10**6)
    config = config_of("http://127.0.0.1:9", agents=(faulty,))
    with pytest.raises(ConfigError, match="writes at most"):
        serve_gateway(config, Settings(database=str(tmp_path / "ledger.db")))
    assert listened == []


async def test_agents_and_conversations_outlive_the_gateway(upstream: Upstream, tmp_path: Path):
    config = config_of(upstream.base_url)
    with served_gateway(config, tmp_path) as running:
        async with GatewayClient(running.base_url) as client:
            with pytest.raises(GatewayError, match="POST /agents"):
                await client.create_conversation(user="ada", agent="none")
            await client.create_agent(NEW)
            conversation = await client.create_conversation(user="ada", agent="new")
    with served_gateway(config, tmp_path) as running:
        async with GatewayClient(running.base_url) as client:
            assert await client.agents() == [NEW]
            assert (await client.conversation(conversation.id)).agent == "new"
