"""Means over cases that are alike within clusters: a family's variants are no independent evidence."""

import math
from collections.abc import Hashable, Sequence
from typing import TYPE_CHECKING, Final

from evals.stats.interval import LEVEL, Interval, normal_quantile, student_quantile, wilson

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]

RESAMPLES: Final = 2_000
_CHUNK: Final = 500
"""Resamples per matrix, so that thousands of clusters need no gigabytes."""


def clustered_se(scores: Sequence[float], clusters: Sequence[Hashable]) -> float:
    """Return the standard error of a mean whose cases are alike within clusters.

    ``sqrt(C/(C-1) * sum over clusters of (sum of deviations)**2) / N``. With one case per cluster it is the
    plain standard error of a mean.

    Raises:
        ValueError: The lengths differ, or there are fewer than two clusters.

    Source: E. Miller, "Adding Error Bars to Evals", arXiv 2411.00640, section 2.2, with the finite-cluster
    factor C/(C-1).
    """
    sums = _sums(scores, clusters, centre=True)
    count = len(sums)
    if count < 2:  # noqa: PLR2004  # a variance needs two
        raise ValueError("a clustered error needs two clusters")
    return math.sqrt(count / (count - 1) * float(sums @ sums)) / len(scores)


def clustered_mean(scores: Sequence[float], clusters: Sequence[Hashable], level: float = LEVEL) -> Interval:
    """Return a mean with Student's interval over its clusters (C-1 degrees of freedom).

    Raises:
        ValueError: As `clustered_se`.

    Source: `clustered_se`; the degrees of freedom after A. C. Cameron and D. L. Miller, J. Human Resources 50
    (2015) 317-372, section VI.
    """
    error, mean = clustered_se(scores, clusters), math.fsum(scores) / len(scores)
    reach = error * student_quantile(level, len(set(clusters)) - 1)
    return Interval(estimate=mean, low=mean - reach, high=mean + reach, level=level)


def clustered_share(scores: Sequence[float], clusters: Sequence[Hashable], level: float = LEVEL) -> Interval:
    """Return the mean of scores between 0 and 1 with an interval that stays between 0 and 1.

    The Wilson interval at the effective sample size: `n` over the design effect (the variance with clusters
    over the variance without, at least 1), times the squared ratio of the normal to Student's quantile.
    Without a failure, or without a success, no design effect can be estimated; it is then 1. With a single
    cluster it is Wilson's interval of its cases.

    Raises:
        ValueError: The lengths differ, there is no case, or a score is not between 0 and 1.

    Source: E. L. Korn and B. I. Graubard, Survey Methodology 24 (1998) 193-201, with Wilson's interval in
    place of the exact one.
    """
    n, total = len(scores), math.fsum(scores)
    if n != len(clusters) or n == 0 or not all(0 <= score <= 1 for score in scores):
        raise ValueError("scores must lie between 0 and 1, one cluster each")
    count, share = len(set(clusters)), total / n
    plain = share * (1 - share) / n
    if count == 1 or plain == 0:
        return wilson(min(total, n), n, level)
    effect = max(clustered_se(scores, clusters) ** 2 / plain, 1.0)
    size = n / effect * (normal_quantile(level) / student_quantile(level, count - 1)) ** 2
    return wilson(share * size, size, level)


def paired_difference(
    new: Sequence[float], old: Sequence[float], clusters: Sequence[Hashable], level: float = LEVEL
) -> Interval:
    """Return the mean of `new - old` on the same cases, with its clustered interval.

    Raises:
        ValueError: The lengths differ, or there are fewer than two clusters.

    Source: E. Miller, arXiv 2411.00640, section 4.2 (paired differences) with section 2.2 (clusters).
    """
    differences = [one - other for one, other in zip(new, old, strict=True)]
    return clustered_mean(differences, clusters, level)


def bootstrap_ratio(
    numerators: Sequence[float],
    denominators: Sequence[float],
    clusters: Sequence[Hashable],
    *,
    seed: int,
    level: float = LEVEL,
    resamples: int = RESAMPLES,
) -> Interval:
    """Return a ratio of sums with the percentile interval of a bootstrap over whole clusters.

    With denominators of 1 it is a mean; with differences as numerators, a paired difference. A resample whose
    denominators sum to nothing is left out.

    Args:
        numerators: One per case.
        denominators: One per case; their sum must not be 0.
        clusters: One per case; cases of a cluster are drawn together.
        seed: The same seed gives the same interval.
        level: Between 0 and 1, exclusive.
        resamples: How often all clusters are drawn.

    Raises:
        ValueError: The lengths differ, the denominators sum to 0, or there are fewer than two clusters.

    Source: A. C. Davison and D. V. Hinkley, Bootstrap Methods and their Application (1997), section 3.8 and
    5.3.1.
    """
    import numpy as np  # noqa: PLC0415  # of the extra `evals`; suites are listed without it

    above = _sums(numerators, clusters, centre=False)
    below = _sums(denominators, clusters, centre=False)
    count, whole = len(above), float(below.sum())
    if count < 2 or whole == 0:  # noqa: PLR2004  # a single cluster drawn again is the same sample
        raise ValueError("a bootstrap needs two clusters and a denominator")
    random = np.random.default_rng(seed)
    ratios: list[Floats] = []
    for start in range(0, resamples, _CHUNK):
        size = min(_CHUNK, resamples - start)
        drawn = random.multinomial(count, np.full(count, 1 / count), size=size)
        sums = drawn @ below
        ratios.append((drawn @ above)[sums != 0] / sums[sums != 0])
    tail = (1 - level) / 2
    low, high = np.quantile(np.concatenate(ratios), [tail, 1 - tail])
    return Interval(estimate=float(above.sum()) / whole, low=float(low), high=float(high), level=level)


def _sums(values: Sequence[float], clusters: Sequence[Hashable], *, centre: bool) -> "Floats":
    """Return the sum per cluster of values, or of their deviations from the mean."""
    import numpy as np  # noqa: PLC0415  # of the extra `evals`, too

    if len(values) != len(clusters) or not values:
        raise ValueError(f"{len(values)} values and {len(clusters)} clusters")
    place: dict[Hashable, int] = {}
    index = [place.setdefault(cluster, len(place)) for cluster in clusters]
    column = np.asarray(values, dtype=float)
    if centre:
        column = column - column.mean()
    return np.bincount(index, weights=column, minlength=len(place)).astype(np.float64)
