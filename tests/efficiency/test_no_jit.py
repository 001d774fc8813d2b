"""What the whole library upfront would have taken: tokens by definition, money as billed."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from msgspec import Struct
from msgspec.structs import replace

from token_tracking.efficiency import EfficiencyEngine, JitContext, Scale, contexts, without_jit
from token_tracking.efficiency.no_jit import billed_context, with_prompt
from token_tracking.efficiency.session import SessionBaseline, no_jit_requests
from token_tracking.errors import InvalidUsageError, UnknownBaselineError
from token_tracking.loads import LibrarySize, SessionLoad
from token_tracking.pricing import PriceBook
from token_tracking.usage import Usage

NOON = 1_772_452_800_000
OPUS = "claude-opus-4-6"
PRICES = PriceBook()


class Sent(Struct, frozen=True, kw_only=True):
    """A request."""

    message_id: str
    timestamp: int
    usage: Usage
    model: str | None = OPUS
    service_tier: str | None = None
    speed: str | None = None
    inference_geo: str | None = None
    agent_id: str | None = None
    is_sidechain: bool = False


def sent(at: int, usage: Usage | None = None, **fields: Any) -> Sent:
    """A request at `at` ms past noon, that read 50,000 tokens and wrote 1,000."""
    read = Usage(input_tokens=5, cache_read_tokens=50_000, cache_write_5m_tokens=1000)
    key = f"msg_{at}{fields.get('agent_id', '')}"
    return Sent(message_id=key, timestamp=NOON + at, usage=usage or read, **fields)


def library(tokens: int = 30_000, overhead: int = 800, documents: int = 40) -> LibrarySize:
    return LibrarySize(
        fingerprint=str(tokens),
        documents=documents,
        tokens=tokens,
        overhead_tokens=overhead,
        method="o200k_base",
    )


def loaded(at: int, tokens: int = 1200, overhead: int = 60, **fields: Any) -> SessionLoad:
    """A load that requests carry from `at` ms past noon on."""
    given: dict[str, Any] = {
        "kind": "load",
        "uri": "content://guides/caching",
        "category": "guides",
        "method": "o200k_base",
        "origin": "both",
        "library": library(),
        **fields,
    }
    return SessionLoad(
        session_id="s",
        at=NOON + at,
        entered_at=NOON + at,
        tokens=tokens,
        overhead_tokens=overhead,
        **given,
    )


def plain(model: str | None) -> Scale:
    return Scale(1.0, 0.1)


ENGINE = EfficiencyEngine(plain)


def no_jit(requests: Sequence[Sent], loads: Sequence[SessionLoad]) -> SessionBaseline:
    found = ENGINE.calculate_session_baseline("no_jit", requests, loads, PRICES)
    assert found is not None
    return found


def saved_by_request(requests: Sequence[Sent], loads: Sequence[SessionLoad]) -> list[int]:
    return [row.tokens_saved for row in no_jit_requests(requests, loads, PRICES, plain)]


def test_every_request_from_the_first_counts_what_it_did_not_carry() -> None:
    requests = [sent(0), sent(10), sent(20)]
    assert saved_by_request(requests, [loaded(5), loaded(15, 300, 40)]) == [
        30_000 - 800,
        30_000 - 800 - 1260,
        30_000 - 800 - 1260 - 340,
    ]


def test_a_request_at_the_time_of_a_load_carries_it() -> None:
    assert saved_by_request([sent(4), sent(5)], [loaded(5)]) == [29_200, 27_940]


def test_a_search_is_overhead() -> None:
    search = loaded(5, 0, 250, kind="search", uri="content://")
    assert saved_by_request([sent(10)], [search]) == [30_000 - 800 - 250]


def test_after_a_compaction_only_the_definitions_stand_there() -> None:
    compacted = loaded(5, left_at=NOON + 15)
    assert saved_by_request([sent(10), sent(15), sent(20)], [compacted]) == [27_940, 29_200, 29_200]


def test_each_chain_carries_its_own_loads() -> None:
    requests = [sent(10), sent(11, agent_id="a1"), sent(12, is_sidechain=True)]
    assert saved_by_request(requests, [loaded(5, chain="a1")]) == [29_200, 27_940, 29_200]
    assert saved_by_request(requests, [loaded(5, chain="sidechain")]) == [29_200, 29_200, 27_940]


def test_a_library_that_grew_counts_from_its_first_load_on() -> None:
    grown = loaded(15, library=library(40_000))
    assert saved_by_request([sent(10), sent(20)], [loaded(5), grown]) == [
        30_000 - 800 - 1260,
        40_000 - 800 - 2520,
    ]


def test_what_no_model_answered_is_no_request() -> None:
    requests = [sent(10), sent(11, model="<synthetic>"), sent(12, Usage(output_tokens=4))]
    found = no_jit(requests, [loaded(5)])
    assert (found.requests, found.tokens_saved) == (1, 27_940)


def test_without_a_library_there_is_no_baseline() -> None:
    loads = [loaded(5, library=None)]
    assert ENGINE.calculate_session_baseline("no_jit", [sent(1)], loads, PRICES) is None
    assert ENGINE.calculate_session_baseline("no_jit", [sent(1)], [], PRICES) is None
    assert contexts([sent(1)], loads) == {}


def test_counts_are_scaled_to_what_the_model_bills_and_say_how_sure_that_is() -> None:
    engine = EfficiencyEngine(lambda _: Scale(1.5, 0.27))
    found = engine.calculate_session_baseline("no_jit", [sent(10)], [loaded(5)], PRICES)
    assert found is not None
    assert (found.tokens_saved, found.basis, found.error_p95) == (
        45_000 - 1_800 - 90 - 1_200,
        "estimated",
        0.27,
    )


def test_a_model_whose_error_was_not_measured_leaves_it_open() -> None:
    engine = EfficiencyEngine(lambda model: Scale(1.0, None if model == OPUS else 0.1))
    requests = [sent(10), sent(11, model="claude-haiku-4-5")]
    found = engine.calculate_session_baseline("no_jit", requests, [loaded(5)], PRICES)
    assert found is not None
    assert found.error_p95 is None


def test_a_library_smaller_than_its_overhead_is_a_loss() -> None:
    tiny = library(500, 800, 2)
    found = no_jit([sent(10), sent(20)], [loaded(15, 200, 50, library=tiny)])
    assert found.tokens_saved == (500 - 800) + (500 - 800 - 250)
    assert found.efficiency is not None
    assert found.efficiency < 0
    assert found.saved_usd is not None
    assert found.saved_usd < 0


# Opus 4.6 in pico-USD a token: input 5, read 0.5, written for 5 minutes 6.25, for an hour 10.
@pytest.mark.parametrize(
    ("usage", "expected"),
    [
        (Usage(cache_read_tokens=50_000, cache_write_5m_tokens=1000), "cache_read_tokens"),
        (Usage(cache_write_5m_tokens=50_000, input_tokens=9), "cache_write_5m_tokens"),
        (Usage(cache_write_1h_tokens=50_000, input_tokens=9), "cache_write_1h_tokens"),
        (Usage(cache_write_1h_tokens=9, cache_write_5m_tokens=90_000), "cache_write_1h_tokens"),
        (Usage(input_tokens=50_000), "input_tokens"),
    ],
)
def test_the_library_is_billed_as_the_front_of_the_prompt_was(usage: Usage, expected: str) -> None:
    context = JitContext(library_tokens=10_000, loaded_tokens=0, overhead_tokens=0)
    otherwise = without_jit(usage, context)
    assert otherwise == replace(usage, **{expected: getattr(usage, expected) + 10_000})


def test_what_was_just_loaded_goes_from_what_was_written() -> None:
    usage = Usage(input_tokens=5, cache_read_tokens=50_000, cache_write_5m_tokens=1500)
    context = JitContext(
        library_tokens=10_000, loaded_tokens=1200, overhead_tokens=900, new_tokens=1260
    )
    assert without_jit(usage, context) == Usage(
        input_tokens=5, cache_read_tokens=50_000 + 10_000 - 840, cache_write_5m_tokens=240
    )


def test_money_is_that_of_the_kinds_of_tokens() -> None:
    requests = [
        sent(0, Usage(cache_write_5m_tokens=20_000)),
        sent(10, Usage(cache_read_tokens=20_000, cache_write_5m_tokens=1500)),
        sent(20, Usage(cache_read_tokens=21_500, cache_write_5m_tokens=100)),
    ]
    # Written 30,000 - 800; then read 30,000 - 800, less 1,260 written; then read 27,940.
    micro_usd = 29_200 * 25 // 4 + 29_200 // 2 - 1260 * 25 // 4 + 27_940 // 2
    assert no_jit(requests, [loaded(5)]).saved_usd == Decimal(micro_usd) / 10**6


def test_a_prompt_that_passes_the_tier_is_priced_by_it() -> None:
    """Sonnet 4.5 costs twice as much for a prompt of more than 200,000 tokens."""
    usage = Usage(input_tokens=190_000, output_tokens=1000)
    found = no_jit([sent(0, usage, model="claude-sonnet-4-5")], [loaded(5)])
    larger = Usage(input_tokens=219_200, output_tokens=1000)
    cost = [PRICES.cost(each, "claude-sonnet-4-5", NOON).usd for each in (usage, larger)]
    assert found.saved_usd == cost[1] - cost[0]
    assert cost[1] > cost[0] * 2


def test_an_unknown_model_has_tokens_and_no_money() -> None:
    found = no_jit([sent(0, model="nobody-knows"), sent(1, model=None)], [loaded(5)])
    assert (found.tokens_saved, found.saved_usd) == (58_400, None)
    assert (found.unpriced_requests, found.fits_window) == (2, None)
    assert found.unpriced is not None
    assert "nobody-knows" in found.unpriced


def test_one_request_without_a_price_leaves_the_others_theirs() -> None:
    found = no_jit([sent(0), sent(1, model="nobody-knows")], [loaded(5)])
    assert (found.saved_usd, found.unpriced_requests) == (
        no_jit([sent(0)], [loaded(5)]).saved_usd,
        1,
    )


def test_searches_without_a_price_do_not_matter() -> None:
    usage = Usage(cache_read_tokens=50_000, web_search_requests=3)
    assert no_jit([sent(0, usage)], [loaded(5)]).saved_usd is not None


def test_a_library_that_would_not_have_fit_is_said() -> None:
    huge = loaded(5, library=library(400_000))
    found = no_jit([sent(0, model="claude-haiku-4-5")], [huge])
    assert (found.fits_window, found.over_window_requests) == (False, 1)
    fits = no_jit([sent(0, model="claude-haiku-4-5")], [loaded(5)])
    assert (fits.fits_window, fits.over_window_requests) == (True, 0)


def test_a_request_that_is_larger_than_the_window_had_another_one() -> None:
    usage = Usage(cache_read_tokens=300_000)
    found = no_jit([sent(0, usage, model="claude-haiku-4-5")], [loaded(5)])
    assert (found.fits_window, found.over_window_requests) == (None, 0)


def test_a_prompt_cannot_hold_more_than_it_has() -> None:
    found = no_jit([sent(10, Usage(input_tokens=900))], [loaded(5)])
    assert (found.baseline_tokens, found.tokens_saved) == (30_000, 29_100)


_counts = st.integers(0, 3000)
_usages = st.builds(
    Usage,
    input_tokens=_counts,
    output_tokens=_counts,
    cache_read_tokens=_counts,
    cache_write_5m_tokens=_counts,
    cache_write_1h_tokens=_counts,
)
_agents = st.sampled_from([None, "a1"])


@st.composite
def sessions(draw: st.DrawFn) -> tuple[list[Sent], list[SessionLoad]]:
    """Requests and loads of two chains, with compactions."""
    times = draw(st.lists(st.integers(0, 50), min_size=1, max_size=8, unique=True))
    requests = [sent(at, draw(_usages), agent_id=draw(_agents)) for at in times]
    size = library(draw(st.integers(0, 40_000)), draw(st.integers(0, 900)))
    loads: list[SessionLoad] = []
    for at in draw(st.lists(st.integers(0, 50), min_size=1, max_size=5)):
        left = draw(st.none() | st.integers(at, 60))
        chain = draw(_agents) or ""
        loads.append(
            loaded(
                at,
                draw(_counts),
                draw(_counts),
                chain=chain,
                left_at=None if left is None else NOON + left,
                library=size,
            )
        )
    return requests, loads


def _by_definition(requests: list[Sent], loads: list[SessionLoad]) -> list[int]:
    """The definition itself: library - loaded - overhead, within what the prompt holds."""
    saved: list[int] = []
    for each in requests:
        inside = [
            load
            for load in loads
            if load.chain == (each.agent_id or "")
            and load.entered_at <= each.timestamp
            and (load.left_at is None or each.timestamp < load.left_at)
        ]
        size = loads[0].library
        assert size is not None
        held = size.overhead_tokens
        held += sum((load.tokens or 0) + load.overhead_tokens for load in inside)
        if each.usage.prompt_tokens:
            saved.append(size.tokens - min(held, each.usage.prompt_tokens))
    return saved


@given(sessions())
def test_tokens_saved_are_the_sum_over_the_requests(
    session: tuple[list[Sent], list[SessionLoad]],
) -> None:
    requests, loads = session
    found = no_jit(requests, loads)
    assert found.tokens_saved == sum(_by_definition(requests, loads))
    assert found.baseline_tokens == found.prompt_tokens + found.tokens_saved
    if found.baseline_tokens:
        assert found.efficiency == found.tokens_saved / found.baseline_tokens * 100
    else:
        assert found.efficiency is None


@given(sessions(), st.integers(0, 7), st.integers(1, 5000))
def test_more_overhead_never_saves_more(
    session: tuple[list[Sent], list[SessionLoad]], which: int, more: int
) -> None:
    requests, loads = session
    assume(any(each.usage.prompt_tokens for each in requests))
    index = which % len(loads)
    heavier = replace(loads[index], overhead_tokens=loads[index].overhead_tokens + more)
    _never_saves_more(requests, loads, [*loads[:index], heavier, *loads[index + 1 :]])
    size = loads[0].library
    assert size is not None
    larger = replace(size, overhead_tokens=size.overhead_tokens + more)
    _never_saves_more(requests, loads, [replace(load, library=larger) for load in loads])


@given(sessions(), st.integers(0, 50), st.integers(0, 5000), _agents)
def test_loading_more_never_saves_more(
    session: tuple[list[Sent], list[SessionLoad]], at: int, tokens: int, agent: str | None
) -> None:
    requests, loads = session
    assume(any(each.usage.prompt_tokens for each in requests))
    more = loaded(at, tokens, chain=agent or "", library=loads[0].library)
    _never_saves_more(requests, loads, [*loads, more])


def _never_saves_more(
    requests: list[Sent], less: list[SessionLoad], more: list[SessionLoad]
) -> None:
    before, after = no_jit(requests, less), no_jit(requests, more)
    assert after.tokens_saved <= before.tokens_saved
    assert before.saved_usd is not None
    assert after.saved_usd is not None
    assert after.saved_usd <= before.saved_usd


@given(sessions())
def test_no_library_at_all_loses_just_the_overhead(
    session: tuple[list[Sent], list[SessionLoad]],
) -> None:
    requests, loads = session
    empty = [replace(load, tokens=0, library=library(0, 800, 0)) for load in loads]
    found = no_jit(requests, empty)
    assert found.tokens_saved == sum(_by_definition(requests, empty)) <= 0


@given(_usages, _counts, _counts, _counts, _counts)
def test_the_usage_otherwise_has_the_prompt_of_the_definition(
    usage: Usage, size: int, content: int, overhead: int, new: int
) -> None:
    counted = JitContext(
        library_tokens=size, loaded_tokens=content, overhead_tokens=overhead, new_tokens=new
    )
    context = billed_context(counted, Scale(), usage.prompt_tokens)
    otherwise = without_jit(usage, context)
    assert otherwise.prompt_tokens == usage.prompt_tokens + context.tokens_saved
    assert otherwise.output_tokens == usage.output_tokens


@given(_usages, st.integers(0, 20_000))
def test_a_prompt_of_another_size_has_that_size(usage: Usage, size: int) -> None:
    assert with_prompt(usage, size).prompt_tokens == size


def test_no_cache_of_a_session_is_that_of_its_messages() -> None:
    requests = [sent(0), sent(10, Usage(cache_write_1h_tokens=5000))]
    found = ENGINE.calculate_session_baseline("no_cache", requests, [], PRICES)
    costs = [PRICES.cost(each.usage, OPUS, each.timestamp) for each in requests]
    assert found is not None
    assert (found.tokens_saved, found.basis, found.requests) == (0, "measured", 2)
    assert found.saved_usd is not None
    assert found.saved_usd * 10**12 == sum(cost.no_cache_pico - cost.pico_usd for cost in costs)


def test_a_baseline_of_ones_own_sees_each_request_and_what_it_held() -> None:
    load = loaded(5, chain="a1", left_at=NOON + 25)
    requests = [sent(4, agent_id="a1"), sent(10), sent(20, agent_id="a1"), sent(30, agent_id="a1")]

    def doubled(request: Any) -> Usage | int:
        return request.usage.prompt_tokens + 1000 * len(request.loads)

    found = ENGINE.calculate_session_baseline("custom", requests, [load], PRICES, custom=doubled)
    assert found is not None
    assert (found.tokens_saved, found.basis, found.name) == (1000, "estimated", "custom")
    # A thousand tokens more at the front of a prompt that was read.
    assert found.saved_usd is not None
    assert found.saved_usd * 10**6 == 500


def test_a_baseline_of_ones_own_may_be_a_usage() -> None:
    found = ENGINE.calculate_session_baseline(
        "custom", [sent(0)], [], PRICES, custom=lambda request: Usage(input_tokens=7)
    )
    assert found is not None
    assert found.baseline_tokens == 7


@pytest.mark.parametrize("told", [-1, 1.5, True, None, "many", 10**9, Usage(input_tokens=10**9)])
def test_what_is_no_baseline_is_refused(told: Any) -> None:
    with pytest.raises(InvalidUsageError, match="Your baseline"):
        ENGINE.calculate_session_baseline("custom", [sent(0)], [], PRICES, custom=lambda _: told)


def test_an_error_in_it_is_reported_with_its_cause() -> None:
    def broken(request: Any) -> int:
        return request.nothing

    with pytest.raises(InvalidUsageError, match=r"failed for msg_0: AttributeError") as raised:
        ENGINE.calculate_session_baseline("custom", [sent(0)], [], PRICES, custom=broken)
    assert isinstance(raised.value.__cause__, AttributeError)


def test_custom_needs_a_function_and_other_names_are_refused() -> None:
    with pytest.raises(UnknownBaselineError, match="custom="):
        ENGINE.calculate_session_baseline("custom", [sent(0)], [], PRICES)
    for name in ("magic", ""):
        with pytest.raises(UnknownBaselineError, match="no_cache, no_jit, custom"):
            ENGINE.calculate_session_baseline(name, [sent(0)], [], PRICES)
