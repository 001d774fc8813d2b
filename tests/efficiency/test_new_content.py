"""What entered a prompt since the request before, and what it is priced as."""

from collections.abc import Sequence
from typing import Any

import pytest

from tests.efficiency.test_no_jit import (
    ENGINE,
    NOON,
    OPUS,
    PRICES,
    Sent,
    library,
    loaded,
    no_jit,
    sent,
)
from token_tracking.efficiency import EfficiencyEngine, JitContext, Scale, contexts
from token_tracking.efficiency.no_jit import billed_context
from token_tracking.errors import InvalidUsageError
from token_tracking.loads import SessionLoad
from token_tracking.usage import Usage


def new_tokens(requests: Sequence[Sent], loads: Sequence[SessionLoad]) -> list[int]:
    found = contexts(requests, loads)
    return [found[each.message_id].new_tokens for each in requests]


def test_content_is_new_in_the_request_that_it_enters() -> None:
    assert new_tokens([sent(0), sent(10), sent(20)], [loaded(5)]) == [0, 1260, 0]


def test_what_a_fork_inherited_is_not_new() -> None:
    assert new_tokens([sent(10), sent(20)], [loaded(15, is_inherited=True)]) == [0, 0]


def test_what_a_fork_inherited_goes_from_what_was_read() -> None:
    inherited = no_jit([sent(10)], [loaded(5, is_inherited=True)])
    # 30,000 - 800 - 1,260 tokens that were read, at 0.50 USD a million.
    assert inherited.saved_usd is not None
    assert inherited.saved_usd * 10**6 == 27_940 / 2


def test_what_stood_there_before_the_first_known_request_is_not_new() -> None:
    """The request that called was cleaned up."""
    assert new_tokens([sent(10), sent(20)], [loaded(9)]) == [0, 0]
    assert new_tokens([sent(10), sent(20)], [loaded(10)]) == [1260, 0]
    subagent = [sent(1), sent(10, agent_id="a1")]
    assert new_tokens(subagent, [loaded(5, chain="a1")]) == [0, 0]


@pytest.mark.parametrize("entered", [3, 7])
def test_what_entered_and_left_between_two_requests_is_not_new(entered: int) -> None:
    assert new_tokens([sent(0), sent(10)], [loaded(entered, left_at=NOON + 7)]) == [0, 0]


def test_new_content_is_scaled_as_the_rest() -> None:
    counted = JitContext(library_tokens=1, loaded_tokens=100, overhead_tokens=40, new_tokens=140)
    assert billed_context(counted, Scale(1.5), 10_000).new_tokens == 210


@pytest.mark.parametrize("bad", [-1, 1.5, True, None, "9", 10**25])
@pytest.mark.parametrize(
    "name", ["library_tokens", "loaded_tokens", "overhead_tokens", "new_tokens"]
)
def test_a_context_that_is_none_is_refused(name: str, bad: Any) -> None:
    given = {"library_tokens": 9, "loaded_tokens": 9, "overhead_tokens": 9, name: bad}
    with pytest.raises(InvalidUsageError, match=name):
        JitContext(**given)


def test_a_fast_request_is_priced_as_one() -> None:
    standard, fast = (no_jit([sent(0, speed=speed)], [loaded(5)]) for speed in (None, "fast"))
    terms = {"speed": "fast"}
    usage = Usage(cache_read_tokens=29_200)
    assert standard.saved_usd == PRICES.cost(usage, OPUS, NOON).usd
    assert fast.saved_usd == PRICES.cost(usage, OPUS, NOON, **terms).usd
    assert fast.saved_usd != standard.saved_usd


def test_a_model_is_asked_for_its_scale_once(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str | None] = []
    windows: list[str] = []

    def scale_of(model: str | None) -> Scale:
        asked.append(model)
        return Scale()

    from token_tracking.efficiency import session

    session._window.cache_clear()  # pyright: ignore[reportPrivateUsage]
    monkeypatch.setattr(session, "limits", windows.append)
    requests = [sent(at) for at in range(50)]
    found = EfficiencyEngine(scale_of).calculate_session_baseline(
        "no_jit", requests, [loaded(5)], PRICES
    )
    session._window.cache_clear()  # pyright: ignore[reportPrivateUsage]
    assert found is not None
    assert found.requests == 50
    assert len(asked) <= 2
    assert windows == [OPUS]


def test_a_baseline_of_one_message_says_how_sure_it_is() -> None:
    usage = Usage(input_tokens=50_000)
    cost = PRICES.cost(usage, OPUS, NOON)
    context = JitContext(library_tokens=100, loaded_tokens=0, overhead_tokens=0)
    found = ENGINE.calculate_baseline("no_jit", usage, cost, model=OPUS, context=context)
    assert found is not None
    assert (found.basis, found.error_p95) == ("estimated", 0.1)
    assert ENGINE.calculate_baseline("no_cache", usage, cost).error_p95 is None


def test_the_library_is_that_of_each_time() -> None:
    found = contexts([sent(1), sent(20)], [loaded(5), loaded(15, library=library(7))])
    assert [each.library_tokens for each in found.values()] == [30_000, 7]
