"""The simulated prompt cache: what a request reads and writes, block by block."""

from collections.abc import Callable, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.upstream.caching import Billed, Cache
from tests.upstream.prompts import Part
from token_tracking.window.prompt_cache import (
    FIVE_MINUTES_MS,
    HOUR_MS,
    LOOKBACK_BLOCKS,
    AutomaticCache,
    Breakpoint,
    CacheUse,
    PromptCache,
    minimum_tokens,
)

EACH = 1_024
"""Tokens of a block: one alone is cached."""


def before(blocks: int) -> int:
    return EACH * blocks


def send(cache: PromptCache, *places: Breakpoint | int, **more: int) -> CacheUse:
    """A request that ends with its last breakpoint, and goes on from the one before."""
    marks = [place if isinstance(place, Breakpoint) else Breakpoint(place) for place in places]
    blocks = more.get("blocks", max((place.blocks for place in marks), default=0))
    return cache.send(
        marks,
        before,
        blocks=blocks,
        unchanged=more.get("unchanged", blocks),
        at_ms=more.get("at_ms", 0),
    )


def test_the_first_request_is_written_up_to_its_last_breakpoint():
    assert send(PromptCache(), 3, blocks=5) == CacheUse(0, 3 * EACH, 0, 2 * EACH)
    assert send(PromptCache(), Breakpoint(3, "1h"), blocks=5) == CacheUse(0, 0, 3 * EACH, 2 * EACH)


def test_without_breakpoints_nothing_is_cached():
    cache = PromptCache()
    assert send(cache, blocks=5) == CacheUse(0, 0, 0, 5 * EACH)
    assert not cache.is_alive(0)


def test_a_later_request_reads_what_was_written_and_writes_the_rest():
    cache = PromptCache()
    send(cache, 3)
    assert send(cache, 5, unchanged=3) == CacheUse(3 * EACH, 2 * EACH, 0, 0)
    assert send(cache, 6, blocks=7, unchanged=5) == CacheUse(5 * EACH, EACH, 0, EACH)


def test_a_change_in_front_of_a_breakpoint_makes_it_worthless():
    cache = PromptCache()
    send(cache, 2, 5)
    assert send(cache, 6, unchanged=4) == CacheUse(2 * EACH, 4 * EACH, 0, 0)
    assert send(cache, 6, unchanged=1) == CacheUse(0, 6 * EACH, 0, 0)


def test_a_breakpoint_looks_back_over_twenty_blocks_its_own_among_them():
    for far, read in ((LOOKBACK_BLOCKS - 1, 2 * EACH), (LOOKBACK_BLOCKS, 0)):
        cache = PromptCache()
        send(cache, 2)
        assert send(cache, 2 + far, unchanged=2).read == read


def test_a_breakpoint_where_the_last_request_ended_finds_it_from_any_distance():
    cache = PromptCache()
    send(cache, 2)
    assert send(cache, 2, 200, unchanged=2) == CacheUse(2 * EACH, 198 * EACH, 0, 0)


def test_what_is_smaller_than_the_minimum_is_not_cached():
    for minimum, is_cached in ((2 * EACH, True), (2 * EACH + 1, False)):
        cache = PromptCache(minimum_tokens=minimum)
        assert send(cache, 2).write_5m == (2 * EACH if is_cached else 0)
        assert cache.is_alive(0) == is_cached


@pytest.mark.parametrize(("ttl", "lifetime"), [("5m", FIVE_MINUTES_MS), ("1h", HOUR_MS)])
def test_an_entry_lives_for_its_lifetime_from_its_last_use(ttl: str, lifetime: int):
    cache = PromptCache()
    mark = Breakpoint(2, ttl)
    send(cache, mark)
    assert send(cache, mark, at_ms=lifetime).read == 2 * EACH  # this use renews it
    assert send(cache, mark, at_ms=2 * lifetime).read == 2 * EACH
    assert cache.is_alive(3 * lifetime)
    assert not cache.is_alive(3 * lifetime + 1)
    assert send(cache, mark, at_ms=3 * lifetime + 1).read == 0


def test_an_hour_in_front_outlives_five_minutes_behind():
    cache = PromptCache()
    marks = (Breakpoint(2, "1h"), Breakpoint(4, "5m"))
    assert send(cache, *marks) == CacheUse(0, 2 * EACH, 2 * EACH, 0)
    later = send(cache, *marks, at_ms=FIVE_MINUTES_MS + 1)
    assert later == CacheUse(2 * EACH, 2 * EACH, 0, 0)


def test_the_order_in_which_breakpoints_are_given_does_not_matter():
    marks = [Breakpoint(4, "5m"), Breakpoint(2, "1h")]
    assert send(PromptCache(), *marks) == send(PromptCache(), *reversed(marks))


def test_what_could_be_read_is_told_without_a_request():
    cache = PromptCache()
    send(cache, 2, 5)
    assert cache.readable(9, before, 0) == 5 * EACH
    assert cache.readable(4, before, 0) == 2 * EACH
    assert cache.readable(1, before, 0) == 0
    assert cache.readable(9, before, FIVE_MINUTES_MS + 1) == 0


def test_what_is_found_by_a_later_breakpoint_is_used_and_lives_on():
    cache = PromptCache()
    send(cache, 2)
    part = FIVE_MINUTES_MS * 4 // 5
    assert send(cache, 4, unchanged=2, at_ms=part).read == 2 * EACH
    assert send(cache, 2, unchanged=2, at_ms=2 * part).read == 2 * EACH


@pytest.mark.parametrize("lifetimes", [("1h", "5m"), ("5m", "1h")])
def test_an_entry_that_is_cached_for_two_lifetimes_keeps_the_longer(lifetimes: tuple[str, str]):
    cache = PromptCache()
    for ttl in lifetimes:
        send(cache, Breakpoint(2, ttl))
    assert cache.is_alive(HOUR_MS)
    assert not cache.is_alive(HOUR_MS + 1)


def test_a_provider_that_caches_by_itself_reads_any_unchanged_front():
    cache, other = AutomaticCache(), AutomaticCache()
    late = FIVE_MINUTES_MS
    for each in (cache, other):
        assert each.send([], before, blocks=3, unchanged=0, at_ms=0) == CacheUse(0, 0, 0, 3 * EACH)
    assert other.send([], before, blocks=5, unchanged=3, at_ms=late) == CacheUse(
        3 * EACH, 0, 0, 2 * EACH
    )
    assert cache.send([], before, blocks=5, unchanged=3, at_ms=late + 1).read == 0


def test_such_a_provider_does_not_cache_short_prompts():
    cache = AutomaticCache(minimum_tokens=2 * EACH + 1)
    cache.send([], before, blocks=2, unchanged=0, at_ms=0)
    assert cache.readable(2, before, 0) == 0
    assert cache.readable(3, before, 0) == 3 * EACH


Request = tuple[int, list[int], set[int], int]
"""How many of the blocks before stay, the sizes of new ones, breakpoints (by place from the end),
and the seconds that have passed."""

sizes = st.one_of(
    st.lists(st.integers(1, 3_000), max_size=8),
    st.integers(18, 22).map(lambda count: [100] * count),
)
requests = st.lists(
    st.tuples(
        st.one_of(st.just(60), st.integers(0, 29)),
        sizes,
        st.one_of(st.just({0}), st.sets(st.integers(0, 45), max_size=4)),
        st.sampled_from([0, 7, 107, 287, 317, 2_007, 3_487, 3_707]),
    ),
    min_size=1,
    max_size=9,
)
"""No sum of the seconds is exactly a lifetime: at that moment either answer is right."""


def parts_of(blocks: Sequence[tuple[str, int]], marks: set[int], hours: int) -> list[Part]:
    """Breakpoints before the block `hours` are for an hour."""
    return [
        Part(name, tokens, ("1h" if place < hours else "5m") if place in marks else None)
        for place, (name, tokens) in enumerate(blocks)
    ]


def tokens_before_of(parts: Sequence[Part]) -> Callable[[int], int]:
    return lambda count: sum(part.tokens for part in parts[:count])


@settings(max_examples=100, deadline=None)
@given(requests, st.integers(0, 40))
def test_it_bills_what_an_independent_cache_bills(history: list[Request], hours: int):
    now = [0.0]
    theirs, ours = Cache(lambda: now[0]), PromptCache()
    blocks: list[tuple[str, int]] = []
    for number, (kept, sizes, places, seconds) in enumerate(history):
        now[0] += seconds
        unchanged = min(kept, len(blocks)) if kept < 30 else len(blocks)
        new = [(f"{number}.{place}", size) for place, size in enumerate(sizes)]
        blocks = [*blocks[:unchanged], *new]
        marks = {len(blocks) - 1 - place for place in places if place < len(blocks)}
        parts = parts_of(blocks, marks, hours)
        billed = theirs.bill("model", parts, 1_024)
        used = ours.send(
            [Breakpoint(place + 1, parts[place].ttl or "5m") for place in marks],
            tokens_before_of(parts),
            blocks=len(parts),
            unchanged=unchanged,
            at_ms=int(now[0] * 1000),
        )
        assert Billed(used.uncached, used.read, used.write_5m, used.write_1h) == billed


@pytest.mark.parametrize(
    ("model", "tokens"),
    [
        ("claude-opus-5-5", 512),
        ("claude-opus-5", 512),
        ("claude-sonnet-5-5", 512),
        ("claude-fable-5-1", 512),
        ("claude-sonnet-5", 1_024),
        ("claude-opus-4-8", 1_024),
        ("claude-sonnet-4-5-20250929", 1_024),
        ("claude-opus-4-20250514", 1_024),
        ("claude-opus-4-7", 2_048),
        ("claude-3-5-haiku-20241022", 2_048),
        ("claude-opus-4-6", 4_096),
        ("us.anthropic.claude-opus-4-5-20251101-v1:0", 4_096),
        ("claude-haiku-4-5-20251001", 4_096),
        ("gpt-5.2", 1_024),
        ("something-new", 1_024),
    ],
)
def test_each_model_has_its_own_minimum(model: str, tokens: int):
    assert minimum_tokens(model) == tokens
