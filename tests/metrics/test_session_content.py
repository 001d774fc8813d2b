"""What just-in-time content did to a session, from the ledger's own figures."""

from datetime import UTC
from decimal import Decimal
from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.store.test_contract import MODEL, NOON, event
from tests.store.test_loads import LIBRARY, LOAD, TEN, called, load, take
from tests.transcripts import FORK, SESSION, answer, forked, tool_use, write
from token_tracking.counting import Multiplier
from token_tracking.efficiency import EfficiencyEngine, Scale
from token_tracking.metrics import JitFigures, TokenMetrics
from token_tracking.pricing import PriceBook
from token_tracking.store import TokenStore
from token_tracking.usage import Usage

USAGE = Usage(cache_read_tokens=50_000)


async def figures(store: TokenStore, engine: EfficiencyEngine | None = None) -> JitFigures:
    found = await TokenMetrics(store, UTC, efficiency=engine).get_session_data("s1")
    assert found.jit is not None
    return found.jit


@pytest.fixture(autouse=True)
async def ledger(store: TokenStore) -> None:
    """Two requests, and a load between them."""
    await store.save_usage(
        [event("msg_1", NOON, usage=USAGE), event("msg_2", NOON + 9, usage=USAGE)]
    )
    await store.save_loads([load(NOON + 5, tool_use_id="t1")], LIBRARY)


async def test_the_figures_add_up(store: TokenStore) -> None:
    jit = await figures(store, EfficiencyEngine(lambda _: Scale()))
    assert (jit.library_documents, jit.library_tokens) == (40, 30_000)
    assert (len(jit.loads), jit.loaded_tokens, jit.overhead_tokens) == (1, 1200, 860)
    assert (jit.requests, jit.tokens_saved) == (2, 29_200 + 27_940)
    assert jit.baseline_tokens == 100_000 + 57_140
    assert jit.efficiency == 57_140 / 157_140 * 100
    assert (jit.basis, jit.error_p95, jit.fits_window) == ("estimated", None, True)
    # Opus 4.6 reads a million tokens for 0.50 USD.
    assert jit.saved_usd is not None
    assert jit.saved_usd * 10**6 == 57_140 / 2


async def test_what_the_ledger_learned_of_a_model_is_used(store: TokenStore) -> None:
    assert (await figures(store)).library_tokens == 33_600
    learned = Multiplier(multiplier=1.2, error_median=0.01, error_p95=0.03, samples=9, learned_at=1)
    await store.save_multipliers({MODEL: learned})
    jit = await figures(store)
    assert (jit.library_tokens, jit.error_p95) == (36_000, 0.03)
    assert (await figures(store, EfficiencyEngine(lambda _: Scale()))).library_tokens == 30_000


async def test_the_prices_may_be_others_than_the_stores(store: TokenStore) -> None:
    class Dearer(PriceBook):
        def cost(self, usage: Usage, *given: object, **terms: object) -> object:  # pyright: ignore[reportIncompatibleMethodOverride]
            return super().cost(usage + usage, *given, **terms)  # pyright: ignore[reportArgumentType]

    usual = (await TokenMetrics(store, UTC).get_session_data("s1")).jit
    metrics = TokenMetrics(store, UTC, prices=Dearer())  # pyright: ignore[reportArgumentType]
    dearer = (await metrics.get_session_data("s1")).jit
    again = (await metrics.get_session_data("s1", prices=store.prices)).jit
    assert again == usual
    assert usual is not None
    assert dearer is not None
    assert usual.saved_usd is not None
    assert dearer.saved_usd == usual.saved_usd * 2


async def test_a_forks_library_is_that_of_its_own_last_load(
    store: TokenStore, tmp_path: Path
) -> None:
    grown = replace(LIBRARY, fingerprint="f2", documents=80, tokens=90_000)
    lines = called(tool_use("toolu_1", LOAD, uris=["content://guides/caching"]))
    own = answer("msg_own", uuid="o", parent="a1", second=30, sessionId=FORK)
    own["message"]["content"] = [tool_use("toolu_2", LOAD, uris=["content://guides/limits"])]
    await store.save_loads([load(TEN + 900, SESSION, tool_use_id="toolu_1")], LIBRARY)
    await store.save_loads([load(NOON + 31_000, FORK, tool_use_id="toolu_2")], grown)
    write(tmp_path, lines)
    await take(store, tmp_path, [*forked(lines), own], FORK)
    jit = (await TokenMetrics(store, UTC).get_session_data(FORK)).jit
    assert jit is not None
    assert jit.library_documents == 80


async def test_a_session_that_loaded_nothing_has_none(store: TokenStore) -> None:
    await store.save_usage(event("msg_3", session="s2"))
    assert (await TokenMetrics(store, UTC).get_session_data("s2")).jit is None


async def test_a_period_is_told_against_both_baselines_which_are_not_their_sum(
    store: TokenStore,
) -> None:
    metrics = TokenMetrics(store, UTC, efficiency=EfficiencyEngine(lambda _: Scale()))
    no_cache, no_jit, both = await metrics.get_cost_savings()
    # 100,000 tokens read at 0.50 USD a million, which uncached cost 5.
    assert (no_cache.cost_usd, no_cache.saved_usd) == (Decimal("0.05"), Decimal("0.45"))
    assert (no_jit.requests, no_jit.tokens_saved) == (2, 57_140)
    assert (no_jit.cost_usd, no_jit.saved_usd) == (Decimal("0.05"), Decimal("0.02857"))
    assert no_jit.efficiency == 57_140 / 157_140 * 100
    # The library would have been plain input, too: 57,140 tokens at 5 USD.
    assert both.baseline_cost_usd == Decimal("0.5") + Decimal("0.2857")
    assert both.saved_usd == Decimal("0.7357")
    session = await metrics.calculate_session_efficiency("s1")
    assert session.baselines == [no_cache, no_jit, both]
