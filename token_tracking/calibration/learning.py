"""From samples to a multiplier: fitted on one half of the sessions, measured on the other."""

from collections import defaultdict
from collections.abc import Sequence
from statistics import median, quantiles
from typing import Final, Literal, NamedTuple

from token_tracking.calibration.samples import Sample
from token_tracking.counting import Multiplier, default_multiplier

ENOUGH: Final = 50
"""Samples that a model needs, of both halves."""
ENOUGH_OF_A_HALF: Final = 20
PLAUSIBLE: Final = (0.9, 2.0)
"""Multipliers outside of this do not come from a tokenizer: the texts are not what was billed."""
WIDEST: Final = 0.25
"""Between the quartiles of the ratios, as a share of their median. With the tokenizers that were
measured half of all texts are within 2.4% and 5.9% of it, so that the quartiles are 5% and 12%
apart; where they are further, the texts are of several kinds, and no one multiplier is theirs."""


Reason = Literal["better", "too few samples", "the default is as good", "not plausible"]


class Errors(NamedTuple):
    """Relative errors of estimates against what was billed: 0.05 is five per cent. `bias` is the
    median with its sign: above 0, too many tokens were estimated."""

    median: float
    p95: float
    bias: float


class Learned(NamedTuple):
    """What a model's samples say. `before` and `after` are errors of the default and of the
    `fitted` multiplier on the same held-out samples. `kept` is `None` where the default stays,
    and `reason` says why."""

    model: str
    samples: int
    held_out: int
    default: float
    fitted: float | None
    before: Errors | None
    after: Errors | None
    kept: Multiplier | None
    reason: Reason


def split(samples: Sequence[Sample]) -> tuple[list[Sample], list[Sample]]:
    """The samples to fit on, and those held out: whole sessions, so that no text stands in both.
    The halves are as equal as the sessions allow, and do not depend on the order."""
    sessions: dict[str, list[Sample]] = defaultdict(list)
    for sample in samples:
        sessions[sample.session].append(sample)
    halves: tuple[list[Sample], list[Sample]] = ([], [])
    for session in sorted(sessions, key=lambda name: (-len(sessions[name]), name)):
        halves[len(halves[0]) > len(halves[1])].extend(sessions[session])
    return halves


def errors_of(samples: Sequence[Sample], multiplier: float) -> Errors | None:
    """The errors of a multiplier on samples; `None` without any."""
    if not samples:
        return None
    signed = sorted((s.counted * multiplier - s.billed) / s.billed for s in samples)
    sizes = sorted(map(abs, signed))
    p95 = sizes[min(len(sizes) - 1, int(0.95 * len(sizes)))]
    return Errors(median=median(sizes), p95=p95, bias=median(signed))


def _spread(ratios: Sequence[float]) -> float:
    """How far the quartiles are apart, as a share of the median."""
    first, middle, third = quantiles(ratios, n=4)
    return (third - first) / middle


def learn(model: str, samples: Sequence[Sample], now: int) -> Learned:
    """What to count a model with from `now` (milliseconds since 1970 UTC) on. The median ratio is
    fitted, as a few samples hide tokens that no line shows."""
    known = default_multiplier(model)
    default = 1.0 if known is None else known.multiplier
    fit, held = split(samples)
    if len(samples) < ENOUGH or min(len(fit), len(held)) < ENOUGH_OF_A_HALF:
        before = errors_of(held, default)
        reason = "too few samples"
        return Learned(model, len(samples), len(held), default, None, before, None, None, reason)
    ratios = [sample.billed / sample.counted for sample in fit]
    fitted = round(median(ratios), 4)
    before, after = errors_of(held, default), errors_of(held, fitted)
    assert before is not None
    assert after is not None
    kept = None
    reason: Reason
    if not PLAUSIBLE[0] <= fitted <= PLAUSIBLE[1] or _spread(ratios) > WIDEST:
        reason = "not plausible"
    elif after.median > before.median or after.p95 >= before.p95:
        reason = "the default is as good"
    else:
        reason = "better"
        kept = Multiplier(
            multiplier=fitted,
            error_median=round(after.median, 4),
            error_p95=round(after.p95, 4),
            samples=len(samples),
            learned_at=now,
        )
    return Learned(model, len(samples), len(held), default, fitted, before, after, kept, reason)
