"""One load, told twice: what a server recorded, and the call that a transcript shows.

They are one by the id of the call, where the host passed it. Otherwise by session, tool and
nearest time (`load_pairs`): each record and each call is used at most once, so that two calls at
one moment stay two. A call that no server recorded is a load by itself.
"""

from collections.abc import Hashable, Iterable, Sequence
from itertools import groupby
from typing import Final, NamedTuple

from token_tracking.loads import LibrarySize, LoadKind, LoadOrigin, SessionLoad
from token_tracking.store.load_pairs import Calls

BYTES_PER_TOKEN: Final = 4
"""Of an answer that only a transcript shows. Of 204 sections of English documentation, 90 in 100
had 3.3 to 6.0 bytes a token of o200k_base: so this is right within a half for 95 of 100."""

_KINDS: Final[dict[str, LoadKind]] = {"load_content": "load", "search_content": "search"}


class Recorded(NamedTuple):
    """A load as a server recorded it."""

    tool_use_id: str | None
    at: int
    kind: LoadKind
    uri: str
    category: str
    tokens: int
    overhead_tokens: int
    method: str
    answer: str
    library: LibrarySize | None


class Call(NamedTuple):
    """A call that a transcript shows; `at` is the time of its message, and `failed` says that the
    tool answered with an error."""

    key: str
    tool: str | None
    uri: str | None
    size: int | None
    failed: bool
    message: str
    at: int
    chain: str

    @property
    def kind(self) -> LoadKind | None:
        """What the tool does, where its name tells."""
        return _KINDS.get(self.tool or "")


class _Answer(NamedTuple):
    """What a server recorded of one call: a load for each document that it gave."""

    loads: tuple[Recorded, ...]

    @property
    def first(self) -> Recorded:
        return self.loads[0]

    @property
    def kinds(self) -> tuple[LoadKind, ...]:
        """The tools whose call it may be: a notice may be of either."""
        kind = self.first.kind
        return ("load", "search") if kind == "notice" else (kind,)

    @property
    def wanted(self) -> list[Hashable]:
        """The same, with the documents that it brought."""
        return [(kind, load.uri) for kind in self.kinds for load in self.loads]


def join_calls(
    session_id: str, recorded: Iterable[Recorded], calls: Iterable[Call]
) -> list[SessionLoad]:
    """The loads of a session in order of time, from both tellings."""
    by_key = {call.key: call for call in calls}
    answers = _answers(recorded)
    found = {
        index: by_key[answer.first.tool_use_id or ""]
        for index, answer in enumerate(answers)
        if answer.first.tool_use_id in by_key
    }
    named = {call.key for call in found.values()}
    waiting = [index for index in range(len(answers)) if index not in found]
    rest = [call for call in by_key.values() if call.key not in named and call.kind]
    found |= {index: by_key[key] for index, key in _nearest(answers, waiting, rest).items()}
    loads: list[SessionLoad] = []
    for index, answer in enumerate(answers):
        loads += [_of_record(session_id, load, found.get(index)) for load in answer.loads]
    told = {call.key for call in found.values()}
    loads += [
        _of_call(session_id, call, call.kind)
        for call in by_key.values()
        if call.kind and call.key not in told
    ]
    return sorted(loads, key=lambda load: (load.at, load.tool_use_id or "", load.uri))


def _answers(recorded: Iterable[Recorded]) -> list[_Answer]:
    """Records of one call together: by its id, by the server's own, or else by moment and kind."""

    def call(load: Recorded) -> tuple[str, str, int, str]:
        if load.tool_use_id:
            return (load.tool_use_id, "", 0, "")
        return ("", load.answer, 0, "") if load.answer else ("", "", load.at, load.kind)

    return [
        _Answer(tuple(loads))
        for _, loads in groupby(sorted(recorded, key=lambda load: (call(load), load.uri)), call)
    ]


def _nearest(
    answers: Sequence[_Answer], waiting: Sequence[int], calls: Sequence[Call]
) -> dict[int, str]:
    """The call of each waiting answer, by its index: first where the call names what it brought."""
    known = Calls((by, call.at, call.key) for call in calls for by in _names(call))
    by_uri = [(answers[index].first.at, answers[index].wanted) for index in waiting]
    found = {waiting[number]: key for number, key in known.nearest(by_uri).items()}
    rest = [index for index in waiting if index not in found]
    by_kind = [(answers[index].first.at, answers[index].kinds) for index in rest]
    return found | {rest[number]: key for number, key in known.nearest(by_kind).items()}


def _names(call: Call) -> list[Hashable]:
    return [call.kind, *((call.kind, uri) for uri in sorted(set((call.uri or "").split())))]


def _of_record(session_id: str, load: Recorded, call: Call | None) -> SessionLoad:
    origin: LoadOrigin = "server" if call is None else "both"
    return SessionLoad(
        session_id=session_id,
        at=load.at,
        kind=load.kind,
        uri=load.uri,
        category=load.category,
        tokens=load.tokens,
        overhead_tokens=load.overhead_tokens,
        method=load.method,
        origin=origin,
        # The request that called does not carry the answer yet; every later one does.
        entered_at=load.at if call is None else call.at + 1,
        tool_use_id=load.tool_use_id if call is None else call.key,
        message=None if call is None else call.message,
        chain="" if call is None else call.chain,
        library=load.library,
    )


def _of_call(session_id: str, call: Call, kind: LoadKind) -> SessionLoad:
    estimated = None if call.size is None else -(-call.size // BYTES_PER_TOKEN)
    kind = "notice" if call.failed else kind
    is_content = kind == "load"
    return SessionLoad(
        session_id=session_id,
        at=call.at,
        kind=kind,
        uri=call.uri or "",
        category=None,
        tokens=estimated if is_content else 0,
        overhead_tokens=0 if is_content else estimated or 0,
        method=f"bytes / {BYTES_PER_TOKEN}",
        origin="transcript",
        entered_at=call.at + 1,
        documents=max(1, len((call.uri or "").split())),
        tool_use_id=call.key,
        message=call.message,
        chain=call.chain,
    )
