"""Whether probabilities mean what they say."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from evals.stats.interval import Interval, wilson

BINS: Final = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Bin:
    """Forecasts of similar probability and how often what they forecast came."""

    size: int
    forecast: float
    """Mean probability."""
    came: Interval
    """Share of outcomes that came, with Wilson's interval."""


def brier(probabilities: Sequence[float], outcomes: Sequence[bool]) -> float:
    """Return the mean squared distance of forecasts from outcomes: 0 is perfect, 0.25 is a coin's.

    Raises:
        ValueError: The lengths differ, there is none, or a probability is not between 0 and 1.

    Source: G. W. Brier, Monthly Weather Review 78 (1950) 1-3, over one of the two classes (half his P).
    """
    _check(probabilities, outcomes)
    return math.fsum((p - came) ** 2 for p, came in zip(probabilities, outcomes, strict=True)) / len(outcomes)


def reliability(probabilities: Sequence[float], outcomes: Sequence[bool], bins: int = BINS) -> list[Bin]:
    """Return forecasts in at most `bins` bins of equal mass, by rising probability.

    Equal forecasts stay in one bin, so that the order of cases changes nothing; a bin may be fuller than its
    share, and there may be fewer bins.

    Raises:
        ValueError: As `brier`, or `bins` is below 1.

    Source: equal-mass bins after R. Roelofs et al., arXiv 2012.08668.
    """
    _check(probabilities, outcomes)
    if bins < 1:
        raise ValueError(f"no bins: {bins}")
    pairs = sorted(zip(probabilities, outcomes, strict=True))
    found: list[Bin] = []
    start = 0
    for number in range(1, bins + 1):
        end = max(round(number * len(pairs) / bins), start)
        while 0 < end < len(pairs) and pairs[end][0] == pairs[end - 1][0]:
            end += 1
        if end > start:
            found.append(_bin(pairs[start:end]))
        start = end
    return found


def expected_calibration_error(bins: Sequence[Bin]) -> float:
    """Return the mean distance of forecast and outcome over bins, weighted by size.

    Raises:
        ValueError: There is no bin.

    Source: M. P. Naeini, G. F. Cooper and M. Hauskrecht, AAAI 2015, here over bins of equal mass.
    """
    size = sum(one.size for one in bins)
    if size == 0:
        raise ValueError("no forecasts")
    return math.fsum(one.size * abs(one.forecast - one.came.estimate) for one in bins) / size


def _bin(pairs: Sequence[tuple[float, bool]]) -> Bin:
    return Bin(
        size=len(pairs),
        forecast=math.fsum(p for p, _ in pairs) / len(pairs),
        came=wilson(sum(came for _, came in pairs), len(pairs)),
    )


def _check(probabilities: Sequence[float], outcomes: Sequence[bool]) -> None:
    if len(probabilities) != len(outcomes) or not outcomes:
        raise ValueError(f"{len(probabilities)} forecasts and {len(outcomes)} outcomes")
    if not all(0 <= p <= 1 for p in probabilities):
        raise ValueError("a probability lies between 0 and 1")
