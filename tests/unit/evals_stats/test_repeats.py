"""pass^k: published figures, bounds, order, and agreement with plain drawing."""

from fractions import Fraction
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evals.stats.repeats import mean_pass_hat_k, pass_hat_k

runs = st.integers(1, 12).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n), st.integers(1, n)))


@given(runs)
def test_pass_hat_k_is_the_share_of_draws_that_all_succeed(run: tuple[int, int, int]) -> None:
    c, n, k = run
    draws = list(combinations([True] * c + [False] * (n - c), k))

    assert pass_hat_k(c, n, k) == Fraction(sum(map(all, draws)), len(draws))


@given(runs.filter(lambda run: run[2] < run[1]))
def test_pass_hat_k_never_rises_with_k(run: tuple[int, int, int]) -> None:
    c, n, k = run

    assert 0 <= pass_hat_k(c, n, k + 1) <= pass_hat_k(c, n, k) <= 1


@given(runs.filter(lambda run: run[0] < run[1]))
def test_pass_hat_k_never_falls_with_successes(run: tuple[int, int, int]) -> None:
    c, n, k = run

    assert pass_hat_k(c, n, k) <= pass_hat_k(c + 1, n, k)


def test_pass_hat_1_is_the_share_of_successes() -> None:
    assert pass_hat_k(3, 4, 1) == 0.75


def test_the_mean_is_over_cases_not_repeats() -> None:
    assert mean_pass_hat_k([(4, 4), (2, 4), (0, 2)], 2) == pytest.approx((1 + 1 / 6 + 0) / 3)


@pytest.mark.parametrize(("c", "n", "k"), [(5, 4, 1), (-1, 4, 1), (2, 4, 0), (2, 4, 5), (0, 0, 0)])
def test_what_cannot_be_drawn_is_refused(c: int, n: int, k: int) -> None:
    with pytest.raises(ValueError, match=r"pass\^"):
        pass_hat_k(c, n, k)


def test_no_cases_have_no_mean() -> None:
    with pytest.raises(ValueError, match="no cases"):
        mean_pass_hat_k([], 1)
