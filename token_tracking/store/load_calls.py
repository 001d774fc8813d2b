"""One load, told twice: what a server recorded, and the call that a transcript shows.

They are one by the id of the call, where the host passed it. Otherwise by session, tool and
nearest time: each record and each call is used at most once, so that two calls at one moment stay
two. A call that no server recorded is a load by itself.
"""

from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Final, NamedTuple

from token_tracking.loads import LibrarySize, LoadKind, LoadOrigin, SessionLoad

EARLIEST_MS: Final = 1_000
"""A server records after the call was written; clocks round."""

NEAREST_MS: Final = 600_000
"""A record and a call further apart are two. The call's time is that of its message; between the
two the user may have been asked for permission, which takes minutes rather than hours."""

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
    library: LibrarySize | None


class Call(NamedTuple):
    """A call that a transcript shows; `at` is the time of its message."""

    key: str
    tool: str | None
    uri: str | None
    size: int | None
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


def join_calls(
    session_id: str, recorded: Iterable[Recorded], calls: Iterable[Call]
) -> list[SessionLoad]:
    """The loads of a session in order of time, from both tellings."""
    by_key = {call.key: call for call in calls}
    answers = _answers(recorded)
    pairs = [(answer, by_key.pop(answer.first.tool_use_id or "", None)) for answer in answers]
    open_answers = [answer for answer, call in pairs if call is None]
    nearest = _nearest(open_answers, [call for call in by_key.values() if call.kind])
    loads: list[SessionLoad] = []
    for answer, known in pairs:
        call = known or nearest.get(answer)
        if call is not None:
            by_key.pop(call.key, None)
        loads += [_of_record(session_id, load, call) for load in answer.loads]
    loads += [_of_call(session_id, call, call.kind) for call in by_key.values() if call.kind]
    return sorted(loads, key=lambda load: (load.at, load.tool_use_id or "", load.uri))


def _answers(recorded: Iterable[Recorded]) -> list[_Answer]:
    """Records of one call together: by its id, or else by their moment and kind."""

    def call(load: Recorded) -> tuple[str, int, str]:
        return (load.tool_use_id, 0, "") if load.tool_use_id else ("", load.at, load.kind)

    return [
        _Answer(tuple(loads))
        for _, loads in groupby(sorted(recorded, key=lambda load: (call(load), load.uri)), call)
    ]


def _nearest(answers: Sequence[_Answer], calls: Sequence[Call]) -> dict[_Answer, Call]:
    """The closest pairs first, and before them those where the call names what it brought."""
    pairs = sorted(
        (
            (
                not _shares_uri(answer, call),
                abs(answer.first.at - call.at),
                call.at,
                call.key,
                index,
            ),
            answer,
            call,
        )
        for index, answer in enumerate(answers)
        for call in calls
        if _may_be(answer, call)
    )
    found: dict[_Answer, Call] = {}
    used: set[str] = set()
    for _, answer, call in pairs:
        if answer not in found and call.key not in used:
            found[answer] = call
            used.add(call.key)
    return found


def _may_be(answer: _Answer, call: Call) -> bool:
    """Whether the tool and the time agree. A notice may be of either tool."""
    first = answer.first
    if not -EARLIEST_MS <= first.at - call.at <= NEAREST_MS:
        return False
    return first.kind in {call.kind, "notice"}


def _shares_uri(answer: _Answer, call: Call) -> bool:
    named = (call.uri or "").split()
    return any(load.uri in named for load in answer.loads)


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
    is_search = kind == "search"
    return SessionLoad(
        session_id=session_id,
        at=call.at,
        kind=kind,
        uri=call.uri or "",
        category=None,
        tokens=0 if is_search else estimated,
        overhead_tokens=(estimated or 0) if is_search else 0,
        method=f"bytes / {BYTES_PER_TOKEN}",
        origin="transcript",
        entered_at=call.at + 1,
        documents=max(1, len((call.uri or "").split())),
        tool_use_id=call.key,
        message=call.message,
        chain=call.chain,
    )
