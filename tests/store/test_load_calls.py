"""The laws of joining what a server recorded with what a transcript shows."""

from hypothesis import given
from hypothesis import strategies as st

from token_tracking.store.load_calls import NEAREST_MS, Call, Recorded, join_calls

_times = st.integers(0, 5) | st.integers(NEAREST_MS - 2, NEAREST_MS + 2)
_uris = st.sampled_from(["content://a", "content://b"])

_recorded = st.builds(
    Recorded,
    tool_use_id=st.none() | st.sampled_from(["t1", "t2", "elsewhere"]),
    at=_times,
    kind=st.sampled_from(["load", "search"]),
    uri=_uris,
    category=st.just("guides"),
    tokens=st.integers(0, 9),
    overhead_tokens=st.integers(0, 9),
    method=st.just("o200k_base"),
    library=st.none(),
)
_calls = st.builds(
    Call,
    key=st.sampled_from(["t1", "t2", "t3", "t4"]),
    tool=st.sampled_from(["load_content", "search_content"]),
    uri=st.none() | _uris | st.just("content://a content://b"),
    size=st.none() | st.integers(0, 99),
    message=st.just("msg_1"),
    at=_times,
    chain=st.sampled_from(["", "a1"]),
)
# As the ledger keeps them: once for each call and URI, or else for each time and URI.
_records = st.lists(
    _recorded, max_size=6, unique_by=lambda load: (load.tool_use_id or load.at, load.uri)
)
_nameless = _records.map(lambda loads: [load for load in loads if load.tool_use_id is None])
_shown = st.lists(_calls, max_size=4, unique_by=lambda call: call.key)


@given(_records, _shown)
def test_every_record_and_every_call_counts_once(
    recorded: list[Recorded], calls: list[Call]
) -> None:
    found = join_calls("s", recorded, calls)
    told = [load for load in found if load.origin != "transcript"]
    alone = [load.tool_use_id for load in found if load.origin == "transcript"]
    joined = {load.tool_use_id for load in found if load.origin == "both"}
    assert sorted((load.at, load.kind, load.uri, load.tokens or 0) for load in told) == sorted(
        (load.at, load.kind, load.uri, load.tokens) for load in recorded
    )
    assert len(alone) == len(set(alone))
    assert {call.key for call in calls} == joined | set(alone)
    assert not joined & set(alone)


@given(_nameless, _shown)
def test_a_record_without_an_id_is_joined_with_a_call_of_its_tool_and_time(
    recorded: list[Recorded], calls: list[Call]
) -> None:
    by_key = {call.key: call for call in calls}
    for load in join_calls("s", recorded, calls):
        if load.origin == "both":
            call = by_key[load.tool_use_id or ""]
            assert abs(call.at - load.at) <= NEAREST_MS
            assert (call.message, call.chain) == (load.message, load.chain)
            assert call.kind == load.kind or (call.kind == "load" and load.kind == "search")


@given(_records, _shown)
def test_their_order_does_not_matter(recorded: list[Recorded], calls: list[Call]) -> None:
    other_way = join_calls("s", recorded[::-1], calls[::-1])
    assert other_way == join_calls("s", recorded, calls)
