"""What can be asked of a ledger about what stood in a session's prompts."""

from typing import Any, NamedTuple

from msgspec import Struct

from token_tracking.store.reads import LedgerReads
from token_tracking.usage import Usage


class ChainMessage(NamedTuple):
    """A message as it stands in one session; `parent` is the row of the one before it there."""

    row: int
    key: str
    at: int
    parent: int | None
    agent_id: str | None
    is_sidechain: bool
    model: str | None
    speed: str | None
    service_tier: str | None
    inference_geo: str | None
    stop_reason: str | None
    source: str
    text_bytes: int
    thinking_bytes: int
    cost_pico: int | None
    is_own: bool
    usage: Usage


class ChainCall(NamedTuple):
    """A tool call, by the row of its message, and its result, by that of the one it came after."""

    key: str
    kind: str
    name: str | None
    server: str | None
    uri: str | None
    bytes: int | None
    input_bytes: int | None
    message: int
    after: int | None
    position: int | None


class ChainEntry(NamedTuple):
    """What entered without a call, by the row of the message it came after."""

    key: str
    kind: str
    name: str | None
    server: str | None
    uri: str | None
    bytes: int | None
    after: int | None
    position: int | None
    detail: str | None


class SessionChains(Struct, frozen=True):
    """The messages of a session, its own and those it inherited, and what entered between."""

    session_id: str
    messages: list[ChainMessage]
    calls: list[ChainCall]
    entries: list[ChainEntry]


class AttributionReads(LedgerReads):
    """The question what stood in a session's prompts."""

    async def session_chains(self, session_id: str) -> SessionChains:
        """A session's messages and what entered between them; empty for an unknown session."""
        async with self._reading():
            key: int | None = await self._sql.session_id_row(self._db, session_id=session_id)
            if key is None:
                return SessionChains(session_id, [], [], [])
            messages = [
                _message(row) async for row in self._sql.attributed_messages(self._db, id=key)
            ]
            await self._sql.clear_wanted_ids(self._db)
            await self._sql.want_id(self._db, [{"id": message.row} for message in messages])
            calls = [ChainCall._make(row) async for row in self._sql.attributed_calls(self._db)]
            entries = [
                ChainEntry._make(row)
                async for row in self._sql.attributed_entries(self._db, id=key)
            ]
        return SessionChains(session_id, messages, calls, entries)


_USAGE = 16


def _message(row: tuple[Any, ...]) -> ChainMessage:
    usage = dict(zip(Usage.__struct_fields__, row[_USAGE:], strict=True))
    return ChainMessage._make((*row[:_USAGE], Usage(**usage)))
