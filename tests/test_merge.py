import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.json import decode

from tests.events import EXTRA, events, items
from token_tracking.errors import InvalidUsageError
from token_tracking.extra_usage import ExtraUsage
from token_tracking.merge import join, join_item, join_places, owner
from token_tracking.usage import ContentItem, Place, Usage, UsageEvent

_same_message = events(key="msg_1")
_same_item = items.filter(lambda item: item.key == "toolu_1")


def seen(**fields: object) -> UsageEvent:
    defaults: dict[str, object] = {
        "key": "msg_1",
        "usage": Usage(output_tokens=1),
        "timestamp": 5,
        "source": "claude_code",
    }
    return UsageEvent(**{**defaults, **fields})  # pyright: ignore[reportArgumentType]


@given(_same_message, _same_message)
def test_the_join_is_commutative(a: UsageEvent, b: UsageEvent) -> None:
    assert join(a, b) == join(b, a)


@given(_same_message, _same_message, _same_message)
def test_the_join_is_associative(a: UsageEvent, b: UsageEvent, c: UsageEvent) -> None:
    assert join(join(a, b), c) == join(a, join(b, c))


@given(_same_message, _same_message)
def test_the_join_is_idempotent(a: UsageEvent, b: UsageEvent) -> None:
    assert join(a, a) == a
    assert join(join(a, b), b) == join(a, b)


@given(_same_item, _same_item, _same_item)
def test_the_join_of_items_has_the_same_laws(
    a: ContentItem, b: ContentItem, c: ContentItem
) -> None:
    assert join_item(a, b) == join_item(b, a)
    assert join_item(join_item(a, b), c) == join_item(a, join_item(b, c))
    assert join_item(a, a) == a


def test_the_larger_output_counts() -> None:
    partial, final = seen(usage=Usage(output_tokens=3)), seen(usage=Usage(output_tokens=40))
    assert join(partial, final).usage.output_tokens == 40


def test_a_stop_reason_once_seen_makes_the_message_final() -> None:
    joined = join(seen(stop_reason="end_turn"), seen())
    assert joined.stop_reason == "end_turn"
    assert joined.output_quality == "final"
    assert join(seen(), seen()).output_quality == "partial"


def test_a_final_sighting_tells_the_terms_of_billing() -> None:
    partial = seen(model="claude-opus-5", service_tier="standard")
    final = seen(model="claude-haiku-5-5", terms_final=True, stop_reason="end_turn")
    joined = join(partial, final)
    assert (joined.model, joined.service_tier) == ("claude-haiku-5-5", None)


def test_cache_writes_without_a_breakdown_are_those_of_the_breakdown() -> None:
    whole = seen(usage=Usage(cache_write_5m_tokens=1000))
    split = seen(usage=Usage(cache_write_5m_tokens=100, cache_write_1h_tokens=900))
    assert join(whole, split).usage == split.usage


def test_what_was_billed_beside_a_message_is_joined_one_by_one() -> None:
    short, long = EXTRA[1], EXTRA[3]
    joined = decode(join(seen(extra=short), seen(extra=long)).extra or "", type=list[ExtraUsage])
    assert [each.usage.output_tokens for each in joined] == [1000, 20]


def test_the_earlier_time_counts() -> None:
    assert join(seen(timestamp=9), seen(timestamp=4)).timestamp == 4


def test_what_one_sighting_lacks_the_other_fills() -> None:
    joined = join(seen(version="2.1.200"), seen(entrypoint="cli"))
    assert (joined.version, joined.entrypoint) == ("2.1.200", "cli")


def test_places_of_two_sessions_both_stay() -> None:
    a, b = Place(session_id="s1", timestamp=1), Place(session_id="s2", timestamp=1)
    assert join_places((b,), (a,)) == (a, b)


def test_of_two_places_at_one_time_the_one_with_a_parent_stays() -> None:
    first = Place(session_id="s1", timestamp=1, parent="msg_0")
    assert join_places((Place(session_id="s1", timestamp=1),), (first,)) == (first,)


def test_two_messages_cannot_be_joined() -> None:
    with pytest.raises(InvalidUsageError, match="two messages"):
        join(seen(), seen(key="msg_2"))


def test_two_items_cannot_be_joined() -> None:
    with pytest.raises(InvalidUsageError, match="two items"):
        join_item(ContentItem(key="a", kind="tool"), ContentItem(key="b", kind="tool"))


def test_the_owner_is_the_session_born_first() -> None:
    assert owner([(20, 50, "a"), (10, 90, "b")]) == "b"


def test_of_sessions_born_together_the_one_that_ended_first_owns() -> None:
    assert owner([(10, 90, "a"), (10, 50, "b")]) == "b"


def test_of_sessions_alike_in_time_the_smaller_id_owns() -> None:
    assert owner([(10, 50, "b"), (10, 50, "a")]) == "a"


@given(st.permutations([(10, 50, "b"), (10, 50, "a"), (9, 99, "c")]))
def test_the_owner_does_not_depend_on_order(sessions: list[tuple[int, int, str]]) -> None:
    assert owner(sessions) == "c"
