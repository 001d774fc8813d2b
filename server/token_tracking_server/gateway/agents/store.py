"""Agents that were made over the API, in `gateway.db`."""

import time
from typing import Final

import msgspec

from token_tracking_server.gateway.agents.values import Agent
from token_tracking_server.gateway.database import GatewayDatabase

_READ_ALL: Final = "SELECT settings FROM agents ORDER BY name"
_READ: Final = "SELECT settings FROM agents WHERE name = ?"
_ADD: Final = (
    "INSERT INTO agents (settings, created_at, updated_at, name) VALUES (?1, ?2, ?2, ?3)"
    " ON CONFLICT (name) DO NOTHING"
)
_REPLACE: Final = "UPDATE agents SET settings = ?1, updated_at = ?2 WHERE name = ?3"
_DELETE: Final = "DELETE FROM agents WHERE name = ?"


class AgentStore:
    """The table of agents. Every method raises `StoreError` where the file cannot be used."""

    def __init__(self, database: GatewayDatabase) -> None:
        self._database = database

    async def all(self) -> list[Agent]:
        """All of them, by name."""
        return [_agent(row[0]) for row in await self._database.fetch(_READ_ALL)]

    async def get(self, name: str) -> Agent | None:
        """The one of this name."""
        rows = await self._database.fetch(_READ, (name,))
        return _agent(rows[0][0]) if rows else None

    async def add(self, agent: Agent) -> bool:
        """Add it; whether there was none of its name."""
        return await self._write(_ADD, agent)

    async def replace(self, agent: Agent) -> bool:
        """Give the one of its name its settings; whether there is one."""
        return await self._write(_REPLACE, agent)

    async def delete(self, name: str) -> bool:
        """Delete it, and with it its system prompt; whether there was one."""
        async with self._database.transaction() as connection:
            cursor = await connection.execute(_DELETE, (name,))
        await self._database.empty_journal()
        return cursor.rowcount > 0

    async def _write(self, query: str, agent: Agent) -> bool:
        values = (msgspec.json.encode(agent).decode(), int(time.time() * 1000), agent.name)
        async with self._database.transaction() as connection:
            cursor = await connection.execute(query, values)
        return cursor.rowcount > 0


def _agent(settings: str) -> Agent:
    return msgspec.json.decode(settings, type=Agent)
