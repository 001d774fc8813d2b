"""What stood in the prompts of several sessions is read at once, as if each were read alone."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.transcripts import FORK, SESSION, answer, asked, forked, tool_result, tool_use, write
from token_tracking.attributing.settler import fitting
from token_tracking.ingest import ingest_claude_code
from token_tracking.store import Due, SessionChains, TokenStore

_OTHER = "33333333-3333-4333-8333-333333333333"


def _lines(session: str, name: str) -> list[dict[str, Any]]:
    call = tool_use(f"toolu_{name}", "Read", file_path="/a.py")
    given: dict[str, Any] = {"sessionId": session}
    return [
        asked(uuid=f"u{name}", **given),
        answer(f"msg_{name}", uuid=f"a{name}", parent=f"u{name}", content=[call], **given),
        asked([tool_result(f"toolu_{name}")], uuid=f"r{name}", parent=f"a{name}", **given),
        answer(f"msg_{name}2", uuid=f"b{name}", parent=f"r{name}", second=9, **given),
    ]


async def _ingested(store: TokenStore, claude: Path) -> None:
    lines = _lines(SESSION, "a")
    own = answer("msg_f", uuid="f", parent="ba", second=40, sessionId=FORK)
    write(claude, lines)
    write(claude, [*forked(lines), own], FORK)
    write(claude, _lines(_OTHER, "z"), _OTHER)
    await ingest_claude_code(store, [claude])


def _keys(chains: SessionChains) -> tuple[Sequence[str], Sequence[str], Sequence[str]]:
    found = (chains.messages, chains.calls, chains.entries)
    messages, calls, entries = (sorted(each.key for each in rows) for rows in found)
    return messages, calls, entries


async def test_sessions_are_read_together_as_they_are_alone(
    store: TokenStore, tmp_path: Path
) -> None:
    await _ingested(store, tmp_path)
    names = [FORK, "unknown", _OTHER, SESSION]
    together = await store.chains_of(names)
    assert [each.session_id for each in together] == names
    assert together == [await store.session_chains(name) for name in names]
    fork, unknown, other, session = map(_keys, together)
    assert session == (["msg_a", "msg_a2"], ["toolu_a"], ["ua"])
    assert fork == (["msg_a", "msg_a2", "msg_f"], ["toolu_a"], ["ua"])
    assert other == (["msg_z", "msg_z2"], ["toolu_z"], ["uz"])
    assert unknown == ([], [], [])
    assert [each.is_own for each in sorted(together[0].messages)] == [False, False, True]


async def test_the_size_of_a_session_is_what_reading_it_brings(
    store: TokenStore, tmp_path: Path
) -> None:
    await _ingested(store, tmp_path)
    names = [FORK, "unknown", _OTHER, SESSION]
    sizes = await store.session_sizes(names)
    assert sizes == {FORK: 3, _OTHER: 2, SESSION: 2}
    assert await store.chains_of([]) == []


def test_as_many_sessions_fit_as_have_few_enough_messages() -> None:
    due = [Due(name, 1) for name in "abc"]
    sizes = {"a": 5, "b": 3, "c": 1}
    for most, fit in ((0, 1), (5, 1), (7, 1), (8, 2), (9, 3), (100, 3)):
        assert fitting(due, sizes, most) == due[:fit]
    assert fitting(due[:0], sizes, 5) == []
