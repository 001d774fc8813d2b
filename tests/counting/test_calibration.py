"""A multiplier is learned from billed texts, and kept only where it is better on others."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.counting.billed import transcript
from tests.transcripts import FORK, answer, write
from token_tracking.calibration import Sample, calibrate, errors_of, learn, split
from token_tracking.counting import Multiplier
from token_tracking.errors import SourceError
from token_tracking.store import TokenStore

MODEL = "claude-opus-4-6"
SAMPLES = st.lists(
    st.builds(
        Sample,
        st.just(MODEL),
        st.sampled_from("abcdefgh"),
        st.just("answer"),
        st.integers(1, 9999),
        st.integers(200, 9999),
    )
)


def samples(ratio: float, count: int = 60, sessions: int = 6, noise: float = 0.01) -> list[Sample]:
    """As a model would be billed whose tokens are `ratio` of o200k_base, give or take `noise`
    twice."""
    return [
        Sample(MODEL, f"s{i % sessions}", "answer", round(ratio * (1 + (i % 5 - 2) * noise) * n), n)
        for i, n in enumerate(range(1000, 1000 + count))
    ]


@given(SAMPLES)
def test_no_session_stands_in_both_halves_and_no_sample_is_lost(given: list[Sample]) -> None:
    fit, held = split(given)
    assert not {sample.session for sample in fit} & {sample.session for sample in held}
    assert sorted(fit + held) == sorted(given)
    largest = max([0, *(sum(s.session == name for s in given) for name in "abcdefgh")])
    assert abs(len(fit) - len(held)) <= largest


@given(SAMPLES, st.randoms())
def test_what_is_learned_does_not_depend_on_the_order(given: list[Sample], rng: Any) -> None:
    shuffled = rng.sample(given, len(given))
    assert learn(MODEL, given, 0) == learn(MODEL, shuffled, 0)


def test_a_better_multiplier_is_kept_with_its_error_on_held_out_sessions() -> None:
    found = learn(MODEL, samples(1.3), 77)
    assert found.reason == "better"
    assert found.before is not None
    assert found.before.median == pytest.approx(0.138, abs=0.01)
    assert found.before.bias < 0
    kept = found.kept
    assert kept is not None
    assert (kept.samples, kept.learned_at) == (60, 77)
    assert kept.multiplier == pytest.approx(1.3, rel=0.01)
    assert kept.error_median == pytest.approx(0.01, abs=0.005)
    assert kept.error_p95 == pytest.approx(0.02, abs=0.005)


def _two_kinds() -> list[Sample]:
    """Half of the texts at 1.0, half at 1.6."""
    return [
        Sample(MODEL, f"s{n // 2 % 2}", "answer", (1000, 1600)[n % 2], 1000) for n in range(100)
    ]


def _better_at_the_edge_only() -> list[Sample]:
    """Most held-out texts are as the default says; what is fitted is nearer the few others."""
    fit = [Sample(MODEL, "a", "answer", 1150, 1000) for _ in range(30)]
    held = [Sample(MODEL, "b", "answer", 1120 if n < 20 else 1250, 1000) for n in range(30)]
    return [*fit, *held]


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        (samples(1.3, count=49), "too few samples"),
        (samples(1.3, sessions=1), "too few samples"),
        (samples(1.12, noise=0), "the default is as good"),
        (samples(5.0), "not plausible"),
        (samples(0.85), "not plausible"),
        (samples(2.1), "not plausible"),
        (_two_kinds(), "not plausible"),
        (_better_at_the_edge_only(), "the default is as good"),
        ([], "too few samples"),
    ],
)
def test_else_the_default_stays(given: list[Sample], reason: str) -> None:
    found = learn(MODEL, given, 0)
    assert (found.kept, found.reason) == (None, reason)


def test_errors_are_of_what_was_billed() -> None:
    of = [Sample(MODEL, "s", "answer", 100, n) for n in (80, 100, 130)]
    assert errors_of(of, 1.0) == (0.2, 0.3, 0.0)
    assert errors_of([], 1.0) is None


@pytest.mark.slow
async def test_what_was_learned_stands_in_the_ledger(store: TokenStore, claude: Path) -> None:
    transcript(claude, "one", 1.4, "claude-opus-4-6")
    transcript(claude, "two", 1.4, "claude-opus-4.6-20260101")
    transcript(claude, "openai", 1.4, "gpt-5")
    bytes_done: list[tuple[int, int]] = []

    def progress(done: int, total: int) -> None:
        bytes_done.append((done, total))

    done = await calibrate(store, [claude], progress=progress)
    (learned,) = done.learned
    assert (learned.model, learned.samples, learned.held_out) == (MODEL, 60, 30)
    assert await store.multipliers() == {MODEL: learned.kept}
    assert learned.kept is not None
    assert learned.kept.multiplier == pytest.approx(1.4, rel=0.01)
    assert (done.files, done.failures) == (3, {})
    assert bytes_done[-1][0] == bytes_done[-1][1] > 0


async def test_a_model_with_too_few_samples_keeps_what_was_learned_before(
    store: TokenStore, claude: Path
) -> None:
    before = Multiplier(multiplier=1.2, error_median=0.01, error_p95=0.05, samples=80, learned_at=5)
    await store.save_multipliers({MODEL: before})
    transcript(claude, "one", 1.4, MODEL)
    done = await calibrate(store, [claude])
    assert done.learned[0].reason == "too few samples"
    assert await store.multipliers() == {MODEL: before}


@pytest.mark.slow
async def test_a_multiplier_that_is_no_longer_better_is_forgotten(
    store: TokenStore, claude: Path
) -> None:
    old = Multiplier(multiplier=1.9, error_median=0.01, error_p95=0.05, samples=80, learned_at=5)
    await store.save_multipliers({MODEL: old, "claude-opus-9": old})
    transcript(claude, "one", 1.12, MODEL)
    transcript(claude, "two", 1.12, MODEL)
    await calibrate(store, [claude])
    assert await store.multipliers() == {"claude-opus-9": old}


async def test_a_copy_of_a_message_counts_once(store: TokenStore, claude: Path) -> None:
    transcript(claude, "one", 1.4, MODEL)
    original = next(claude.rglob("one.jsonl"))
    copied = [json.loads(line) | {"sessionId": FORK} for line in original.read_text().splitlines()]
    write(claude, copied, FORK)
    (learned,) = (await calibrate(store, [claude])).learned
    assert learned.samples == 30


async def test_a_folder_that_is_not_there_is_an_error(store: TokenStore, tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="no such folder"):
        await calibrate(store, [tmp_path / "gone"])


async def test_garbage_teaches_nothing(store: TokenStore, claude: Path) -> None:
    bad = answer(content=[{"type": "text", "text": "x" * 5000}], billed={"output_tokens": "many"})
    write(claude, ["{", "null", '"x"', "\x00", bad])
    assert (await calibrate(store, [claude])).learned == []


@pytest.mark.parametrize("model", ["claude-\x00-x", "claude-" + "x" * 200, "claude opus", ""])
async def test_what_is_no_name_of_a_model_is_not_learned_of(
    store: TokenStore, claude: Path, model: str
) -> None:
    transcript(claude, "one", 1.4, model)
    assert (await calibrate(store, [claude])).learned == []


async def test_a_multiplier_is_replaced_and_read_back_as_it_was(store: TokenStore) -> None:
    one = Multiplier(multiplier=1.2, error_median=0.01, error_p95=0.05, samples=80, learned_at=5)
    two = Multiplier(multiplier=0.9, error_median=0.1, error_p95=0.5, samples=90, learned_at=6)
    await store.save_multipliers({"a": one, "b": one})
    await store.save_multipliers({"a": two, "b": None, "c": None})
    assert await store.multipliers() == {"a": two}
