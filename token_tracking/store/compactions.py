"""When content left a context: compactions, and results that were removed one by one."""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple, cast

from msgspec import DecodeError
from msgspec.json import decode
from msgspec.structs import replace

from token_tracking.loads import SessionLoad, chain_of


class Compaction(NamedTuple):
    """A removal from one chain at a time (milliseconds since 1970 UTC): of everything, or of the
    results of `calls` alone."""

    at: int
    chain: str
    calls: frozenset[str] | None


def compaction(row: tuple[Any, ...]) -> Compaction | None:
    """A row of `compactions`; `None` where nothing tells its time.

    Earlier versions kept no time of their own: the message before it is the last that was sent
    with everything.
    """
    kind, text, after, agent_id, is_sidechain = row
    detail = _detail(text)
    at = detail.get("at")
    if not isinstance(at, int):
        at = None if after is None else after + 1
    if at is None:
        return None
    agent = detail.get("agent", agent_id)
    chain = chain_of(agent if isinstance(agent, str) else None, is_sidechain=bool(is_sidechain))
    if kind == "compact":
        return Compaction(at, chain, None)
    named: object = detail.get("compactedToolIds")
    ids = cast("list[object]", named) if isinstance(named, list) else []
    return Compaction(at, chain, frozenset(each for each in ids if isinstance(each, str)))


def leave(loads: Iterable[SessionLoad], compactions: Sequence[Compaction]) -> list[SessionLoad]:
    """The loads, each with the time when a compaction of its chain removed it.

    What a compaction preserved is not told apart: it counts as removed.
    """
    return [replace(load, left_at=_left_at(load, compactions)) for load in loads]


def _left_at(load: SessionLoad, compactions: Sequence[Compaction]) -> int | None:
    since = max(load.at, load.entered_at)
    times = (
        each.at
        for each in compactions
        if each.at >= since
        and (load.tool_use_id in each.calls if each.calls is not None else each.chain == load.chain)
    )
    return min(times, default=None)


def _detail(text: str | None) -> dict[str, object]:
    try:
        given: object = decode(text or "{}")
    except DecodeError:
        return {}
    return cast("dict[str, object]", given) if isinstance(given, dict) else {}
