"""The loads of one session, as all that the ledger knows of them says."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final, NamedTuple, cast

import aiosqlite
from msgspec import DecodeError
from msgspec.json import decode
from msgspec.structs import replace

from token_tracking.loads import MAX_DOCUMENTS, LibrarySize, SessionLoad, chain_of
from token_tracking.store.compactions import Compaction, compaction, leave
from token_tracking.store.load_calls import Call, Recorded, join_calls
from token_tracking.usage import FAILED

_LIBRARY_AT: Final = 9
"""Where the library begins in a row of `recorded_loads`."""


class _Snapshot(NamedTuple):
    at: int
    library: LibrarySize


class SessionLoads:
    """Answers over a connection that is not used by another meanwhile."""

    def __init__(self, connection: aiosqlite.Connection, queries: Any) -> None:
        self._db = connection
        self._sql = queries

    async def of(self, key: int, session_id: str) -> list[SessionLoad]:
        """The loads of the session in row `key`: its own in order of time, then what it
        inherited."""
        own = await self._own_loads(key, session_id)
        loads = own + await self._inherited_loads(key)
        if not loads:
            return []
        changes: list[_Snapshot] = []
        if any(load.origin == "metadata" for load in loads):
            rows = self._sql.library_changes(self._db)
            changes = [_Snapshot(row[0], _library(row[1:])) async for row in rows]
        known = leave(_with_libraries(loads, changes), await self.compactions(key))
        return list(_once(known))

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

    async def compactions(self, key: int) -> list[Compaction]:
        """Where content left a session's context."""
        found = [compaction(row) async for row in self._sql.compactions(self._db, id=key)]
        return [each for each in found if each is not None]


def _recorded(row: tuple[Any, ...]) -> Recorded:
    library = None if row[_LIBRARY_AT] is None else _library(row[_LIBRARY_AT:])
    return Recorded._make((*row[:_LIBRARY_AT], library))


def _library(row: Sequence[Any]) -> LibrarySize:
    return LibrarySize(**dict(zip(LibrarySize.__struct_fields__, row, strict=True)))


def _call(row: tuple[Any, ...]) -> Call:
    key, tool, uri, size, detail, message, at, agent_id, is_sidechain = row
    chain = chain_of(agent_id, is_sidechain=bool(is_sidechain))
    return Call(key, tool, uri, size, detail == FAILED, message, at, chain)


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


def _with_libraries(
    loads: Sequence[SessionLoad], changes: Sequence[_Snapshot]
) -> Iterator[SessionLoad]:
    """The loads, each with the library that it came from: its own, or the last that is known of
    this session before it. Of what metadata alone tells, it is the last that the ledger saw before
    it, if there is none. Never a later one; and never another session's where a transcript shows a
    call, which may be of any server's."""
    own = sorted((_Snapshot(load.at, load.library) for load in loads if load.library), key=_moment)
    for load in loads:
        library = load.library or _last(own, load.at)
        if load.origin == "metadata":
            yield _sized(load, library or _last(changes, load.at))
        else:
            yield replace(load, library=library)


def _last(snapshots: Sequence[_Snapshot], at: int) -> LibrarySize | None:
    index = bisect_right(snapshots, at, key=_moment)
    return snapshots[index - 1].library if index else None


def _moment(snapshot: _Snapshot) -> int:
    return snapshot.at


def _sized(load: SessionLoad, library: LibrarySize | None) -> SessionLoad:
    """A load of which only the number of documents is known, by their mean size."""
    mean = None if library is None else library.mean_tokens
    tokens = None if mean is None else load.documents * mean
    return replace(load, library=library, tokens=tokens)


def _once(loads: Sequence[SessionLoad]) -> Iterator[SessionLoad]:
    """The loads, without the documents that a message's metadata names and that its chain already
    held: they were loaded before."""
    held: defaultdict[tuple[str, str], list[SessionLoad]] = defaultdict(list)
    for load in loads:
        if load.kind == "load" and load.origin != "metadata":
            for uri in load.uri.split():
                held[load.chain, uri].append(load)
    for load in loads:
        if load.origin != "metadata" or not _is_held(load, held[load.chain, load.uri]):
            yield load
        elif load.documents > 1:
            one = None if load.tokens is None else load.tokens // load.documents
            tokens = None if load.tokens is None or one is None else load.tokens - one
            yield replace(load, documents=load.documents - 1, tokens=tokens)


def _is_held(load: SessionLoad, before: Iterable[SessionLoad]) -> bool:
    at = load.entered_at
    return any(
        each.entered_at <= at and (each.left_at is None or at < each.left_at) for each in before
    )
