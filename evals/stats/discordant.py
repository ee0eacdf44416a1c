"""The exact test of two judges on the same cases: only the cases on which they differ speak."""

import math
from fractions import Fraction


def mcnemar(better: int, worse: int, *, mid_p: bool = False) -> float:
    """Return the two-sided p-value that `better` and `worse` discordant pairs are equally likely.

    Args:
        better: Cases that only the new side got right.
        worse: Cases that only the old side got right.
        mid_p: Count the observed table half; less conservative, no longer guaranteed.

    Returns:
        A probability; 1 when no pair is discordant.

    Raises:
        ValueError: A number is negative.

    Source: Q. McNemar, Psychometrika 12 (1947) 153-157; exact and mid-p as in M. W. Fagerland, S. Lydersen
    and P. Laake, BMC Med. Res. Methodol. 13:91 (2013).
    """
    if better < 0 or worse < 0:
        raise ValueError(f"no counts: {better}, {worse}")
    pairs, fewer = better + worse, min(better, worse)
    if pairs == 0:
        return 1.0
    every = 2**pairs
    exact = min(Fraction(2 * sum(math.comb(pairs, i) for i in range(fewer + 1)), every), Fraction(1))
    if not mid_p:
        return float(exact)
    observed = Fraction(math.comb(pairs, fewer), every)
    return float(1 - observed / 2 if better == worse else exact - observed)
