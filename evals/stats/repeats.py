"""Whether a case succeeds every time: pass^k, the measure of one who acts without a second try."""

import math
from collections.abc import Iterable
from fractions import Fraction


def pass_hat_k(c: int, n: int, k: int) -> Fraction:
    """Return the chance that `k` repeats, drawn from the `n` that were run, all succeed: ``C(c,k) / C(n,k)``.

    Args:
        c: Repeats that succeeded.
        n: Repeats that were run.
        k: Repeats that must all succeed, 1 to `n`.

    Raises:
        ValueError: `c` is not in 0..n, or `k` not in 1..n.

    Source: S. Yao et al., tau-bench, arXiv 2406.12045, section 3.
    """
    if not (0 <= c <= n and 1 <= k <= n):
        raise ValueError(f"no pass^{k} of {c} successes in {n} repeats")
    return Fraction(math.comb(c, k), math.comb(n, k))


def mean_pass_hat_k(repeats: Iterable[tuple[int, int]], k: int) -> float:
    """Return the mean of pass^k over cases, each given as successes and repeats.

    Raises:
        ValueError: There is no case, or one has fewer than `k` repeats.
    """
    values = [pass_hat_k(c, n, k) for c, n in repeats]
    if not values:
        raise ValueError("no cases")
    return float(sum(values, Fraction(0)) / len(values))
