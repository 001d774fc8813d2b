from collections.abc import AsyncIterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from token_tracking import TokenSystem, create_token_system
from token_tracking.counting import Multiplier
from token_tracking.efficiency import JitContext
from token_tracking.errors import InvalidUsageError, UnknownBaselineError, UnknownModelError
from token_tracking.store import LibrarySize, Load, TokenStore
from token_tracking.tracker import TokenTracker
from token_tracking.usage import Usage

USAGE = {"input_tokens": 1000, "output_tokens": 10, "service_tier": "standard"}
META = {"model": "claude-opus-4-6", "session_id": "s1", "timestamp": "2026-03-02T12:00:00Z"}


@pytest.fixture
async def system(tmp_path: Path) -> AsyncIterator[TokenSystem]:
    async with await create_token_system(tmp_path / "l.db", timezone="UTC") as opened:
        yield opened


async def test_a_response_is_recorded_with_its_cost(system: TokenSystem) -> None:
    tracked = await system.tracker.track("msg_1", USAGE, META)
    assert (tracked.is_new, tracked.cost_usd) == (True, Decimal("0.00525"))
    (row,) = await system.store.get_recent_usage()
    assert (row.message_id, row.source, row.service_tier) == ("msg_1", "track", "standard")
    assert (row.output_quality, row.timestamp) == ("final", 1_772_452_800_000)


async def test_anthropics_usage_object_is_taken_as_it_is(system: TokenSystem) -> None:
    usage = SimpleNamespace(model_dump=lambda: USAGE, speed="standard", service_tier=None)
    assert (await system.tracker.track("msg_1", usage, META)).usage.input_tokens == 1000
    (row,) = await system.store.get_recent_usage()
    assert (row.speed, row.service_tier) == ("standard", None)


async def test_a_response_counts_once(system: TokenSystem) -> None:
    await system.tracker.track("msg_1", USAGE, META)
    again = await system.tracker.track("msg_1", {**USAGE, "output_tokens": 30}, META)
    assert not again.is_new
    summary = await system.metrics.get_summary()
    assert (summary.sums.messages, summary.sums.output_tokens) == (1, 30)


async def test_an_id_that_is_not_global_counts_once_too(system: TokenSystem) -> None:
    for _ in range(3):
        await system.tracker.track("gen-1", USAGE, {"model": "claude-opus-4-6"})
    assert len(await system.store.get_recent_usage()) == 1


async def test_a_repeated_call_tells_what_the_ledger_has(system: TokenSystem) -> None:
    more = {**USAGE, "output_tokens": 30}
    await system.tracker.track("msg_1", more, META)
    assert (await system.tracker.track("msg_1", USAGE, META)).usage.output_tokens == 30


async def test_what_is_billed_beside_a_message_is_part_of_its_cost(system: TokenSystem) -> None:
    advisor = {"type": "advisor_message", "input_tokens": 0, "output_tokens": 1000}
    usage = {**USAGE, "iterations": [advisor, {"type": "message"}, "odd"]}
    tracked = await system.tracker.track("msg_1", usage, META)
    assert tracked.cost_usd == Decimal("0.00525") + Decimal("0.025")
    cost = system.tracker.calculate_cost(usage, "claude-opus-4-6", META["timestamp"])
    assert cost.usd == tracked.cost_usd


async def test_an_answer_that_was_cut_off_is_partial(system: TokenSystem) -> None:
    await system.tracker.track("msg_1", USAGE, {**META, "partial": True})
    (row,) = await system.store.get_recent_usage()
    assert row.output_quality == "partial"


async def test_other_metadata_is_kept(system: TokenSystem) -> None:
    extra = {"category": "agents", "resource_uri": "content://a", "resource_count": 2}
    await system.tracker.track("msg_1", USAGE, {**META, **extra})
    (row,) = await system.store.get_recent_usage(10, "agents")
    assert row.metadata == '{"resource_count":2,"resource_uri":"content://a"}'


async def test_an_unknown_model_is_recorded_without_cost(system: TokenSystem) -> None:
    tracked = await system.tracker.track("msg_1", USAGE, {**META, "model": "nobody-knows"})
    assert tracked.cost_usd is None
    assert tracked.unpriced is not None
    assert (await system.tracker.track("msg_2", USAGE)).unpriced == "The message names no model."


async def test_what_was_tracked_is_known_until_it_is_cleared(system: TokenSystem) -> None:
    await system.tracker.track("msg_1", USAGE, META)
    assert system.tracker.has_tracked("msg_1")
    assert not system.tracker.has_tracked("msg_2")
    system.tracker.clear_tracked()
    assert not system.tracker.has_tracked("msg_1")
    assert await system.store.has_message("msg_1")


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        (datetime(2026, 3, 2, 12, tzinfo=UTC), 1_772_452_800_000),
        ("2026-03-02T12:00:00+00:00", 1_772_452_800_000),
        (1_772_452_800_000, 1_772_452_800_000),
    ],
)
async def test_a_time_has_several_forms(system: TokenSystem, at: Any, expected: int) -> None:
    await system.tracker.track("msg_1", USAGE, {**META, "timestamp": at})
    (row,) = await system.store.get_recent_usage()
    assert row.timestamp == expected


@pytest.mark.parametrize(
    ("message_id", "usage", "metadata"),
    [
        ("", USAGE, {}),
        (7, USAGE, {}),
        ("msg_1", {}, {}),
        ("msg_1", {"input_tokens": -1, "output_tokens": 1}, {}),
        ("msg_1", USAGE, {"timestamp": "yesterday"}),
        ("msg_1", USAGE, {"timestamp": 1.5}),
        ("msg_1", USAGE, {"timestamp": -5}),
        ("msg_1", USAGE, {"model": 7}),
        ("msg_1", USAGE, {"extra": object()}),
        ("msg_1", USAGE, {"category": 7}),
        ("msg_1", USAGE, {"resource_uri": 7}),
        ("msg_1", USAGE, {"resource_count": "3"}),
        ("msg_1", USAGE, {"resource_count": True}),
        ("msg_1", USAGE, {"resource_count": -1}),
        ("msg_1", USAGE, {"resource_count": 10_001}),
    ],
)
async def test_what_is_not_valid_is_refused_and_nothing_is_saved(
    system: TokenSystem, message_id: str, usage: Any, metadata: dict[str, Any]
) -> None:
    with pytest.raises(InvalidUsageError):
        await system.tracker.track(message_id, usage, metadata)
    assert await system.store.get_recent_usage() == []


def test_cost_and_baseline_of_a_message(system: TokenSystem) -> None:
    usage = Usage(input_tokens=1000, cache_read_tokens=100_000, cache_write_5m_tokens=10_000)
    cost = system.tracker.calculate_cost(usage, "claude-opus-4-6", META["timestamp"])
    assert cost.usd == Decimal("0.005") + Decimal("0.05") + Decimal("0.0625")
    baseline = system.tracker.calculate_baseline(
        "no_cache", usage, "claude-opus-4-6", META["timestamp"]
    )
    assert (baseline.cost_usd, baseline.tokens) == (Decimal("0.555"), 111_000)
    assert baseline.saved_usd == Decimal("0.555") - cost.usd
    assert baseline.basis == "measured"


def test_an_unknown_baseline_or_model_is_refused(system: TokenSystem) -> None:
    with pytest.raises(UnknownBaselineError, match="no_cache"):
        system.tracker.calculate_baseline("magic", USAGE, "claude-opus-4-6")
    with pytest.raises(UnknownModelError):
        system.tracker.calculate_cost(USAGE, "nobody-knows")


LIBRARY = LibrarySize(
    fingerprint="f", documents=10, tokens=5000, overhead_tokens=100, method="o200k_base"
)


async def test_metadata_of_earlier_systems_is_a_load_of_the_librarys_mean_size(
    system: TokenSystem,
) -> None:
    told = {**META, "category": "agents", "resource_uri": "content://a/b", "resource_count": 3}
    for _ in range(2):
        await system.tracker.track("msg_1", USAGE, told)
    unknown = (await system.metrics.get_session_data("s1")).jit
    assert unknown is not None
    assert (unknown.unsized_loads, unknown.tokens_saved, unknown.basis) == (1, None, "unknown")
    seen = Load(session_id="s2", at=1_772_452_799_999, uri="content://a/c", category="a", tokens=9)
    await system.store.save_loads([seen], LIBRARY)
    jit = (await system.metrics.get_session_data("s1")).jit
    assert jit is not None
    # 3 documents of 500 tokens each, times 1.12 for this model.
    assert (len(jit.loads), jit.loaded_tokens, jit.unsized_loads) == (1, 1680, 0)
    (load,) = jit.loads
    assert (load.uri, load.category, load.documents) == ("content://a/b", "agents", 3)


def test_what_the_library_would_have_taken_in_one_message(system: TokenSystem) -> None:
    context = JitContext(library_tokens=10_000, loaded_tokens=500, overhead_tokens=100)
    usage = {"input_tokens": 1000, "output_tokens": 10}
    baseline = system.tracker.calculate_baseline(
        "no_jit", usage, "claude-opus-4-6", META["timestamp"], context=context
    )
    # The counts times 1.12; at 5 USD a million.
    assert baseline is not None
    assert (baseline.saved_tokens, baseline.tokens) == (10_528, 11_538)
    assert (baseline.saved_usd, baseline.basis) == (Decimal("0.05264"), "estimated")
    assert system.tracker.calculate_baseline("no_jit", usage, "claude-opus-4-6") is None


async def test_what_the_ledger_learned_of_a_model_is_used_for_one_message(
    system: TokenSystem,
) -> None:
    learned = Multiplier(multiplier=1.3, error_median=0.01, error_p95=0.02, samples=9, learned_at=1)
    context = JitContext(library_tokens=10_000, loaded_tokens=0, overhead_tokens=0)

    def saved(store: TokenStore) -> tuple[int, float | None]:
        found = TokenTracker(store).calculate_baseline(
            "no_jit", USAGE, "claude-opus-4-6", context=context
        )
        assert found is not None
        return found.saved_tokens, found.error_p95

    assert saved(system.store) == (11_200, 0.084)
    await system.store.save_multipliers({"claude-opus-4-6": learned})
    assert saved(system.store) == (13_000, 0.02)
    async with TokenStore.opened(system.store.location.path) as again:
        assert saved(again) == (13_000, 0.02)


def test_a_baseline_of_ones_own_for_one_message(system: TokenSystem) -> None:
    advisor = {"type": "advisor_message", "input_tokens": 0, "output_tokens": 1000}
    baseline = system.tracker.calculate_baseline(
        "custom",
        {**USAGE, "iterations": [advisor]},
        "claude-opus-4-6",
        META["timestamp"],
        custom=lambda request: request.usage.prompt_tokens + 1000,
    )
    assert baseline is not None
    assert (baseline.saved_tokens, baseline.saved_usd) == (1000, Decimal("0.005"))
    with pytest.raises(UnknownBaselineError, match="custom="):
        system.tracker.calculate_baseline("custom", USAGE, "claude-opus-4-6")
