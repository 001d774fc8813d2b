"""Whether a ratio of sums, such as the cost per message, differs between two periods by more than
chance: the ratio estimator over steps, and Welch's test.

A period is a sample of steps (hours, days), each with a numerator y and a denominator x. The ratio
is R = sum(y) / sum(x); its variance is estimated by linearization, n/(n-1) * sum((y - R*x)**2) /
sum(x)**2 (Cochran, Sampling Techniques, 3rd ed. 1977, section 6.4, without the correction for a
finite population). Two ratios differ if |R1 - R2| exceeds t * sqrt(v1 + v2), with t for 95% at the
degrees of freedom of Welch (Biometrika 34, 1947) and Satterthwaite (Biometrics Bulletin 2, 1946).

Steps that follow each other hang together: a session goes on for hours, a task for days. So many
are worth fewer independent ones: n * (1 - r) / (1 + r), where r is the correlation of neighbours
(Zwiers and von Storch, Journal of Climate 8, 1995), corrected for its bias in short series by
(1 + 3r) / n (Marriott and Pope, Biometrika 41, 1954). Of two periods that are alike the test tells
5% apart at most where steps are independent, and about 10% where r is 0.6; without this it would
be 30% (the tests simulate it).
"""

from collections.abc import Sequence
from itertools import pairwise
from math import sqrt
from typing import Final, NamedTuple

T_95: Final = (
    12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228,
    2.201, 2.179, 2.160, 2.145, 2.131, 2.120, 2.110, 2.101, 2.093, 2.086,
    2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042,
)  # fmt: skip
"""Two-sided 95% points of Student's t for 1 to 30 degrees of freedom (NIST/SEMATECH e-Handbook of
Statistical Methods, 1.3.6.7.2)."""

T_95_MANY: Final = 2.042
"""For more than 30 the point of 30: the true one, at least 1.960, is less, so the test errs
towards not telling."""

LEAST_STEPS: Final = 3
"""Steps with something in them that either period needs: the variance of two is anyone's guess."""

_MOST_TOGETHER: Final = 0.9
"""More than this is a trend of its own, and leaves a tenth of the steps as it is."""

Step = tuple[float, float]
"""The numerator and the denominator of a step."""


class Ratio(NamedTuple):
    """A ratio of sums, the variance of it, the steps that it is of, and how many independent ones
    these are worth; `None` is unknown."""

    value: float | None
    variance: float | None
    steps: int
    worth: float


def ratio(steps: Sequence[Step]) -> Ratio:
    """The ratio over steps in order of time; those with a denominator of 0 count for nothing."""
    used = [(y, x) for y, x in steps if x > 0]
    count = len(used)
    if not count:
        return Ratio(None, None, 0, 0.0)
    total = sum(x for _, x in used)
    value = sum(y for y, _ in used) / total
    if count < LEAST_STEPS:
        return Ratio(value, None, count, float(count))
    residuals = [y - value * x for y, x in used]
    squares = sum(each**2 for each in residuals)
    together = _correlation(residuals, squares)
    worth = count * (1 - together) / (1 + together)
    variance = count / worth * count / (count - 1) * squares / total**2
    return Ratio(value, variance, count, max(worth, 2.0))


def _correlation(residuals: Sequence[float], squares: float) -> float:
    """That of neighbours, from 0 to `_MOST_TOGETHER`."""
    if not squares:
        return 0.0
    found = sum(a * b for a, b in pairwise(residuals)) / squares
    unbiased = found + (1 + 3 * found) / len(residuals)
    return min(max(unbiased, 0.0), _MOST_TOGETHER)


def differ(now: Ratio, before: Ratio) -> bool | None:
    """Whether two ratios differ by more than chance; `None` where the steps are too few to say."""
    if now.value is None or before.value is None:
        return None
    if now.variance is None or before.variance is None:
        return None
    variance = now.variance + before.variance
    difference = abs(now.value - before.value)
    # What never varies is exact, but for the last digits of floating point.
    if sqrt(variance) <= 1e-12 * max(abs(now.value), abs(before.value)):
        return difference > 1e-9 * max(abs(now.value), abs(before.value))
    return difference > _critical(_freedom(now, before)) * sqrt(variance)


def _freedom(now: Ratio, before: Ratio) -> float:
    first, second = now.variance or 0.0, before.variance or 0.0
    total = first + second
    # As parts of the sum: the squares of what is tiny vanish.
    parts = (first / total) ** 2 / (now.worth - 1) + (second / total) ** 2 / (before.worth - 1)
    return 1 / parts


def _critical(freedom: float) -> float:
    whole = int(freedom + 1e-9)
    return T_95[max(whole, 1) - 1] if whole <= len(T_95) else T_95_MANY
