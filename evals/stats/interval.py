"""Intervals of shares, and the quantiles they stand on."""

import math
from dataclasses import dataclass
from functools import lru_cache
from statistics import NormalDist
from typing import Final

LEVEL: Final = 0.95
"""The confidence level of every interval unless a caller says otherwise."""
_NORMAL: Final = NormalDist()
_ALMOST_NORMAL: Final = 1_000
"""From this many degrees of freedom on, Student's quantile differs from the normal one by less than 0.2 %."""
_HALVINGS: Final = 80


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """An estimate between its bounds, both inclusive."""

    estimate: float
    low: float
    high: float
    level: float = LEVEL

    @property
    def width(self) -> float:
        """Distance of the bounds."""
        return self.high - self.low

    def holds(self, value: float) -> bool:
        """Whether a value lies inside, bounds included."""
        return self.low <= value <= self.high


def wilson(successes: float, n: float, level: float = LEVEL) -> Interval:
    """Return the score interval of a share.

    Args:
        successes: Between 0 and `n`. A sum of values between 0 and 1 may stand here too: such a mean varies
            no more than a share does, so the interval is then too wide rather than too narrow.
        n: Above 0; an effective sample size need not be a whole number.
        level: Between 0 and 1, exclusive.

    Raises:
        ValueError: An argument is out of its range.

    Source: E. B. Wilson, JASA 22 (1927) 209-212; method 3 of R. G. Newcombe, Statist. Med. 17 (1998) 857-872.
    """
    if not (n > 0 and 0 <= successes <= n):
        raise ValueError(f"no share: {successes} of {n}")
    z, share = normal_quantile(level), successes / n
    centre = share + z * z / (2 * n)
    reach = z * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    scale = 1 + z * z / n
    low = 0.0 if successes == 0 else (centre - reach) / scale  # exact at the ends, where rounding is not
    high = 1.0 if successes == n else (centre + reach) / scale
    return Interval(
        estimate=share, low=min(max(low, 0.0), share), high=max(min(high, 1.0), share), level=level
    )


def rule_of_three(n: int) -> float:
    """Return the largest failure rate that no failure in `n` tries leaves plausible, at 95 %: 3/n, at most 1.

    Raises:
        ValueError: `n` is below 1.

    Source: J. A. Hanley and A. Lippman-Hand, JAMA 249 (1983) 1743-1745.
    """
    if n < 1:
        raise ValueError(f"no tries: {n}")
    return min(3 / n, 1.0)


def no_failure_bound(n: int, level: float = LEVEL) -> float:
    """Return what `rule_of_three` approximates: the one-sided exact upper bound ``1 - (1 - level)**(1/n)``.

    Raises:
        ValueError: `n` is below 1, or `level` is not between 0 and 1.

    Source: C. J. Clopper and E. S. Pearson, Biometrika 26 (1934) 404-413, for no success.
    """
    if n < 1 or not 0 < level < 1:
        raise ValueError(f"no tries: {n}, or no level: {level}")
    return -math.expm1(math.log1p(-level) / n)


def normal_quantile(level: float) -> float:
    """Return z with `level` of the standard normal distribution between -z and z.

    Raises:
        ValueError: `level` is not between 0 and 1, exclusive.
    """
    if not 0 < level < 1:
        raise ValueError(f"no confidence level: {level}")
    return _NORMAL.inv_cdf((1 + level) / 2)


@lru_cache(maxsize=256)
def student_quantile(level: float, freedom: int) -> float:
    """Return t with `level` of Student's distribution between -t and t.

    Raises:
        ValueError: `level` is not between 0 and 1, exclusive, or `freedom` is below 1.

    Source: the finite series 26.7.3 and 26.7.4 of M. Abramowitz and I. A. Stegun (1964), solved by halving.
    """
    z = normal_quantile(level)
    if freedom < 1:
        raise ValueError(f"no degrees of freedom: {freedom}")
    if freedom >= _ALMOST_NORMAL:
        return z
    low, high = 0.0, 1.0
    while _student_between(high, freedom) < level:
        low, high = high, 2 * high
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if _student_between(middle, freedom) < level else (low, middle)
    return high


def _student_between(t: float, freedom: int) -> float:
    """Return the probability between -t and t."""
    angle = math.atan(t / math.sqrt(freedom))
    square = math.cos(angle) ** 2
    odd = freedom % 2
    term = math.cos(angle) if odd else 1.0
    total = 0.0
    for step in range(1 + odd, freedom, 2):
        total += term
        term *= square * step / (step + 1)
    return 2 / math.pi * (angle + math.sin(angle) * total) if odd else math.sin(angle) * total
