"""The laws of joining what a server recorded with what a transcript shows."""

from hypothesis import given
from hypothesis import strategies as st

from token_tracking.store.load_calls import Call, Recorded, join_calls
from token_tracking.store.load_pairs import EARLIEST_MS, NEAREST_MS, Calls

_times = st.integers(0, 5) | st.integers(NEAREST_MS - 2, NEAREST_MS + 2)
_uris = st.sampled_from(["content://a", "content://b"])

_recorded = st.builds(
    Recorded,
    tool_use_id=st.none() | st.sampled_from(["t1", "t2", "elsewhere"]),
    at=_times,
    kind=st.sampled_from(["load", "search", "notice"]),
    uri=_uris,
    category=st.just("guides"),
    tokens=st.integers(0, 9),
    overhead_tokens=st.integers(0, 9),
    method=st.just("o200k_base"),
    answer=st.sampled_from(["", "r1", "r2"]),
    library=st.none(),
)
_calls = st.builds(
    Call,
    key=st.sampled_from(["t1", "t2", "t3", "t4"]),
    tool=st.sampled_from(["load_content", "search_content"]),
    uri=st.none() | _uris | st.just("content://a content://b"),
    size=st.none() | st.integers(0, 99),
    failed=st.booleans(),
    message=st.just("msg_1"),
    at=_times,
    chain=st.sampled_from(["", "a1"]),
)
# As the ledger keeps them: once for each call and URI, answer and URI, or else time and URI.
_records = st.lists(
    _recorded,
    max_size=6,
    unique_by=lambda load: (load.tool_use_id or load.answer or load.at, load.uri),
)
_nameless = _records.map(
    lambda loads: [load for load in loads if load.tool_use_id is None and not load.answer]
)
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
            assert -EARLIEST_MS <= load.at - call.at <= NEAREST_MS
            assert load.kind in {call.kind, "notice"}
            assert (call.message, call.chain) == (load.message, load.chain)


@given(_records, _shown)
def test_their_order_does_not_matter(recorded: list[Recorded], calls: list[Call]) -> None:
    other_way = join_calls("s", recorded[::-1], calls[::-1])
    assert other_way == join_calls("s", recorded, calls)


_wanted = st.lists(st.sampled_from("abc"), min_size=1, max_size=2, unique=True)


@given(
    st.lists(st.tuples(_times, _wanted), max_size=8),
    st.lists(st.tuples(st.sampled_from("abc"), _times), max_size=8),
)
def test_the_closest_pairs_are_those_of_looking_at_all(
    answers: list[tuple[int, list[str]]], calls: list[tuple[str, int]]
) -> None:
    shown = [(by, at, f"t{number}") for number, (by, at) in enumerate(calls)]
    pairs = sorted(
        (abs(at - called_at), called_at, index, key)
        for index, (at, wanted) in enumerate(answers)
        for by, called_at, key in shown
        if by in wanted and -EARLIEST_MS <= at - called_at <= NEAREST_MS
    )
    closest: dict[int, str] = {}
    for _, _, index, key in pairs:
        if index not in closest and key not in closest.values():
            closest[index] = key
    assert Calls(shown).nearest(answers) == closest
