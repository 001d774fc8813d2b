"""What the ledger records of a reply, alone and beside other sources' sightings of its message."""

import itertools
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.events import usages
from tests.ledgers import broken_sums, dump, empty_ledger
from tests.transcripts import SESSION, answer, asked, write
from token_tracking.ingest import ingest_claude_code
from token_tracking.merge import join
from token_tracking.sources.replies import Call, Reply, sighting_of
from token_tracking.store import TokenStore, TokenUsage
from token_tracking.usage import Place, Usage, UsageEvent

AT = 1_772_452_805_000
"""Five seconds before the transcript's answer: when its request began."""

COUNTS = Usage(input_tokens=5, output_tokens=10)


def reply(**fields: Any) -> Reply:
    given: dict[str, Any] = {
        "form": "anthropic",
        "message_id": "msg_a",
        "model": "claude-opus-4-6",
        "usage": COUNTS,
        "is_complete": True,
        "stop_reason": "end_turn",
    }
    return Reply(**{**given, **fields})


def call(**fields: Any) -> Call:
    given: dict[str, Any] = {"started_at": AT, "source": "gateway", "request_id": "req_1"}
    return Call(**{**given, **fields})


def seen(the_reply: Reply, the_call: Call) -> UsageEvent:
    event = sighting_of(the_reply, the_call)
    assert event is not None
    return event


def test_a_responses_own_id_is_its_key_whoever_fetches_it() -> None:
    told = reply(form="openai", message_id="resp_1")
    calls = [call(), call(request_id=None, session_id="s1"), call(request_id="r", started_at=1)]
    assert {seen(told, each).key for each in calls} == {"resp_1"}
    assert seen(reply(message_id="resp_1"), call()).key == "/resp_1/req_1"


def test_a_reply_becomes_a_sighting_with_what_the_caller_said_of_itself() -> None:
    told = call(
        upstream="anthropic",
        session_id="s1",
        user="sam",
        agent="reviewer",
        project="shop",
        key="sha256:ab",
        metadata={"ticket": 7, "user": "not this one"},
    )
    metadata = {
        "key": "sha256:ab",
        "project": "shop",
        "ticket": 7,
        "upstream": "anthropic",
        "user": "sam",
    }
    assert seen(reply(service_tier="batch"), told) == UsageEvent(
        key="msg_a",
        usage=COUNTS,
        timestamp=AT,
        source="gateway",
        model="claude-opus-4-6",
        terms_final=True,
        stop_reason="end_turn",
        service_tier="batch",
        agent_id="reviewer",
        metadata=json.dumps(metadata, separators=(",", ":")),
        places=(Place(session_id="s1", timestamp=AT, cwd="shop"),),
    )


def test_metadata_that_is_no_json_is_left_out_and_the_rest_kept() -> None:
    event = seen(reply(), call(user="sam", metadata={"x": object()}))
    assert event.metadata == '{"user":"sam"}'
    assert seen(reply(), call()).metadata is None


def test_a_reply_without_id_and_usage_is_not_recorded() -> None:
    assert sighting_of(reply(message_id=None, usage=None, error_type="x"), call()) is None


def test_an_id_without_usage_is_a_partial_message_whose_usage_is_unknown() -> None:
    event = seen(reply(form="openai", message_id="chatcmpl-1", usage=None), call(model="gpt-5"))
    assert (event.usage, event.output_quality, event.terms_final) == (Usage(), "partial", False)
    assert event.metadata == '{"usage":"unknown"}'


def test_a_reply_that_broke_off_is_partial_and_one_without_a_reason_is_final() -> None:
    broken = seen(reply(is_complete=False, stop_reason=None), call())
    assert (broken.output_quality, broken.stop_reason) == ("partial", None)
    whole = seen(reply(stop_reason=None), call())
    assert (whole.output_quality, whole.stop_reason) == ("final", "")


def test_an_id_that_others_use_too_is_scoped_and_a_global_one_is_not() -> None:
    def key(the_reply: Reply, **fields: Any) -> str:
        return seen(the_reply, call(**fields)).key

    chat = reply(form="openai", message_id="chatcmpl-1")
    assert key(reply(), session_id="a") == key(reply(), request_id="req_2") == "msg_a"
    assert key(chat) != key(chat, request_id="req_2")
    # The SDK and the gateway see the same request; only one of them may know the session.
    assert key(chat, session_id="a") == key(chat)
    assert key(chat, request_id=None) != key(chat, request_id=None, started_at=AT + 1)
    assert key(chat, request_id=None, session_id="a") != key(chat, request_id=None)
    # A transcript scopes by its session.
    odd = reply(message_id="gen-1")
    assert key(odd, session_id=SESSION) == f"{SESSION}/gen-1/req_1"
    # A batch may be fetched again, by another request.
    batch = reply(form="openai", message_id="chatcmpl-1", request_id="req_b")
    assert key(batch) == key(batch, request_id="req_9", started_at=AT + 1)


def test_a_reply_without_an_id_has_a_key_of_its_own() -> None:
    nameless = reply(message_id=None)
    assert seen(nameless, call()).key == seen(nameless, call(started_at=AT + 1)).key
    unknown = call(request_id=None)
    assert seen(nameless, unknown).key != seen(nameless, unknown).key


def test_the_model_is_the_replys_else_the_one_that_was_asked_for() -> None:
    assert seen(reply(model=None), call(model="asked")).model == "asked"
    assert seen(reply(model="models/gemini-2.5-pro"), call()).model == "gemini-2.5-pro"
    groq = seen(reply(model="openai/gpt-oss-120b"), call(upstream="groq"))
    assert groq.model == "groq/openai/gpt-oss-120b"


async def _ledger(path: Path, events: list[UsageEvent]) -> list[TokenUsage]:
    async with TokenStore.opened(path) as store:
        await store.save_usage(events)
        return await store.get_recent_usage(100)


async def test_a_message_without_a_session_stands_in_the_nameless_one(tmp_path: Path) -> None:
    (row,) = await _ledger(await empty_ledger(tmp_path / "l.db"), [seen(reply(), call())])
    assert (row.session_id, row.project, row.usage) == ("", None, COUNTS)


async def test_each_project_that_is_named_without_a_session_is_a_project_of_reports(
    tmp_path: Path,
) -> None:
    events = [
        seen(reply(message_id=f"msg_{project}"), call(project=project)) for project in ("a", "b")
    ]
    rows = await _ledger(await empty_ledger(tmp_path / "l.db"), events)
    assert {row.project for row in rows} == {"a", "b"}
    async with TokenStore.opened(tmp_path / "l.db") as store:
        cells = await store.totals("project")
    assert {name for name, _, sums in cells if sums.messages == 1} == {"a", "b"}


SEEN_HERE = [
    call(),
    call(session_id=SESSION),
    call(project="shop of Sam"),
    call(session_id=SESSION, project="shop of Sam", user="sam"),
]


@pytest.mark.parametrize("here", SEEN_HERE)
async def test_a_message_seen_here_and_in_a_transcript_is_one_message_of_the_transcript(
    tmp_path: Path, here: Call
) -> None:
    partial = reply(usage=Usage(input_tokens=5, output_tokens=1), is_complete=False)
    folder = tmp_path / "claude"
    write(
        folder,
        [asked("hi"), answer("msg_0", uuid="u-0", parent="u-u", second=4),
         asked("more", uuid="u-v", parent="u-0", second=5), answer(parent="u-v")],
    )  # fmt: skip
    dumps: list[str] = []
    for number, order in enumerate(itertools.permutations(("here", "again", "transcript"))):
        database = await empty_ledger(tmp_path / f"{number}.db")
        async with TokenStore.opened(database) as store:
            for step in order:
                if step == "transcript":
                    await ingest_claude_code(store, [folder])
                else:
                    await store.save_usage(seen(reply() if step == "here" else partial, here))
            rows = {row.message_id: row for row in await store.get_recent_usage(9)}
            sums = [each for _, _, each in await store.totals("session")]
        row = rows["msg_a"]
        assert (row.session_id, row.project, row.cwd) == (SESSION, *["/home/sam/shop"] * 2)
        assert (row.git_branch, row.usage, row.stop_reason) == ("main", COUNTS, "end_turn")
        assert row.source == "claude_code"
        assert sum(each.messages for each in sums) == len(rows) == 2
        assert broken_sums(database) == []
        dumps.append(await dump(database, files=False))
    assert dumps[0].count("'msg_0'") >= 2, "the parent is known"
    assert len(set(dumps)) == 1


_places = st.builds(
    Place,
    session_id=st.sampled_from(["", "@p", "@q", "s1", "s2"]),
    timestamp=st.integers(0, 3),
    cwd=st.sampled_from([None, "p", "/home/sam", "C:\\sam"]),
    git_branch=st.sampled_from([None, "main"]),
)


def _sighting(place: Place, usage: Usage, source: str) -> UsageEvent:
    return UsageEvent(
        key="msg_1", usage=usage, timestamp=place.timestamp, source=source, places=(place,)
    )


_sources = st.sampled_from(["claude_code", "gateway", "sdk", "track"])
_sightings = st.builds(_sighting, _places, usages, _sources)


@given(_sightings, _sightings, _sightings)
def test_the_join_of_all_sources_keeps_its_laws(
    a: UsageEvent, b: UsageEvent, c: UsageEvent
) -> None:
    assert join(a, b) == join(b, a)
    assert join(join(a, b), c) == join(a, join(b, c))
    assert join(join(a, b), b) == join(a, b)


@settings(
    max_examples=25,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(sightings=st.lists(_sightings, min_size=2, max_size=5), data=st.data())
async def test_any_order_of_all_sources_gives_the_same_ledger(
    tmp_path_factory: pytest.TempPathFactory, sightings: list[UsageEvent], data: st.DataObject
) -> None:
    folder = tmp_path_factory.mktemp("laws")
    whole, parts = [await empty_ledger(folder / name) for name in ("whole.db", "parts.db")]
    async with TokenStore.opened(whole) as store:
        await store.save_usage(sightings)
    async with TokenStore.opened(parts) as store:
        for event in data.draw(st.permutations(sightings)):
            await store.save_usage(event)
    assert await dump(parts) == await dump(whole)
    assert broken_sums(parts) == []


def test_messages_of_a_server_that_repeats_its_ids_are_messages_of_their_own() -> None:
    reply = Reply(form="openai", message_id="chatcmpl-1", usage=Usage(input_tokens=1))
    call = Call(started_at=1_800_000_000_000, source="gateway")
    first, second = sighting_of(reply, call), sighting_of(reply, call)
    assert first is not None
    assert second is not None
    assert first.key != second.key
