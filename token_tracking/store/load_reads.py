"""What can be asked of a ledger about just-in-time content."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any, Final, NamedTuple, cast

from msgspec import DecodeError
from msgspec.json import decode
from msgspec.structs import replace

from token_tracking.loads import MAX_DOCUMENTS, LibrarySize, SessionLoad, chain_of
from token_tracking.store.compactions import Compaction, compaction, leave
from token_tracking.store.load_calls import Call, Recorded, join_calls
from token_tracking.store.reads import LedgerReads

_LIBRARY_AT: Final = 8
"""Where the library begins in a row of `recorded_loads`."""


class _Snapshot(NamedTuple):
    at: int
    library: LibrarySize


class LoadReads(LedgerReads):
    """The questions about loads."""

    async def session_loads(self, session_id: str) -> list[SessionLoad]:
        """What just-in-time content a session loaded, in order of time: what servers recorded and
        what its transcript shows, each once; then what it inherited from the session that it was
        forked from. Empty for an unknown session.
        """
        async with self._reading():
            key: int | None = await self._sql.session_id_row(self._db, session_id=session_id)
            if key is None:
                return []
            own = await self._own_loads(key, session_id)
            loads = own + await self._inherited_loads(key)
            if not loads:
                return []
            snapshots = [
                _Snapshot(row[0], _library(row[1:])) async for row in self._sql.libraries(self._db)
            ]
            compactions = await self._compactions(key)
        return leave((_with_library(load, snapshots) for load in loads), compactions)

    async def compacted_at(self, session_id: str) -> int | None:
        """When the main chain of a session was last compacted (milliseconds since 1970 UTC);
        `None` for never, and for a session that is unknown."""
        async with self._reading():
            key: int | None = await self._sql.session_id_row(self._db, session_id=session_id)
            if key is None:
                return None
            found = await self._compactions(key)
        return max(
            (each.at for each in found if each.calls is None and not each.chain), default=None
        )

    async def session_of_call(self, tool_use_id: str) -> tuple[str, str] | None:
        """The session whose transcript shows a tool call, and the chain that it stands in ('' is
        the main one); `None` where none shows it yet."""
        async with self._reading():
            row = await self._sql.session_of_call(self._db, key=tool_use_id)
        return None if row is None else (row[0], chain_of(row[1], is_sidechain=bool(row[2])))

    async def _own_loads(self, key: int, session_id: str) -> list[SessionLoad]:
        described = await self._described(key, session_id)
        if not await self._sql.may_have_loads(self._db):
            return described
        recorded = [_recorded(row) async for row in self._sql.recorded_loads(self._db, id=key)]
        calls = [_call(row) async for row in self._sql.content_calls(self._db, id=key)]
        loads = join_calls(session_id, recorded, calls) + described
        return sorted(loads, key=lambda load: load.at)

    async def _described(self, key: int, session_id: str) -> list[SessionLoad]:
        found = [
            _of_metadata(session_id, row)
            async for row in self._sql.described_loads(self._db, id=key)
        ]
        return [load for load in found if load is not None]

    async def _inherited_loads(self, key: int) -> list[SessionLoad]:
        """Loads of other sessions' messages that stand in this one too."""
        keys: defaultdict[int, set[str]] = defaultdict(set)
        async for message, owner in self._sql.inherited_keys(self._db, id=key):
            keys[owner].add(message)
        loads: list[SessionLoad] = []
        for owner, messages in sorted(keys.items()):
            name: str = await self._sql.session_name(self._db, id=owner)
            loads += [
                replace(load, is_inherited=True)
                for load in await self._own_loads(owner, name)
                if load.message in messages
            ]
        return loads

    async def _compactions(self, key: int) -> list[Compaction]:
        found = [compaction(row) async for row in self._sql.compactions(self._db, id=key)]
        return [each for each in found if each is not None]


def _recorded(row: tuple[Any, ...]) -> Recorded:
    library = None if row[_LIBRARY_AT] is None else _library(row[_LIBRARY_AT:])
    return Recorded._make((*row[:_LIBRARY_AT], library))


def _library(row: Sequence[Any]) -> LibrarySize:
    return LibrarySize(**dict(zip(LibrarySize.__struct_fields__, row, strict=True)))


def _call(row: tuple[Any, ...]) -> Call:
    return Call._make((*row[:6], chain_of(row[6], is_sidechain=bool(row[7]))))


def _of_metadata(session_id: str, row: tuple[Any, ...]) -> SessionLoad | None:
    """What the metadata of a tracked message tells of loads (see `TokenTracker.track`)."""
    key, at, text, category, agent_id, is_sidechain = row
    try:
        given: object = decode(text)
    except DecodeError:
        return None
    told = cast("dict[str, object]", given) if isinstance(given, dict) else {}
    uri, count = told.get("resource_uri"), told.get("resource_count")
    documents = count if type(count) is int else 1 if isinstance(uri, str) else 0
    if not 0 < documents <= MAX_DOCUMENTS:
        return None
    return SessionLoad(
        session_id=session_id,
        at=at,
        kind="load",
        uri=uri if isinstance(uri, str) else "",
        category=category,
        tokens=None,
        overhead_tokens=0,
        method="mean of the library",
        origin="metadata",
        # It was in the prompt of the message that names it.
        entered_at=at,
        documents=documents,
        message=key,
        chain=chain_of(agent_id, is_sidechain=bool(is_sidechain)),
    )


def _with_library(load: SessionLoad, snapshots: Iterable[_Snapshot]) -> SessionLoad:
    """The load with the library that held when it came: its own, or the last one before it, or
    else the first; and, where only its number of documents is known, their mean size."""
    library = load.library
    if library is None:
        for snapshot in snapshots:
            if library is not None and snapshot.at > load.at:
                break
            library = snapshot.library
    mean = None if library is None else library.mean_tokens
    if load.origin != "metadata" or mean is None:
        return replace(load, library=library)
    return replace(load, library=library, tokens=load.documents * mean)
