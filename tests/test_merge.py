import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.events import events, items
from token_tracking.errors import InvalidUsageError
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


def test_the_earlier_time_counts() -> None:
    assert join(seen(timestamp=9), seen(timestamp=4)).timestamp == 4


def test_what_one_sighting_lacks_the_other_fills() -> None:
    joined = join(seen(version="2.1.200"), seen(service_tier="standard"))
    assert (joined.version, joined.service_tier) == ("2.1.200", "standard")


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
