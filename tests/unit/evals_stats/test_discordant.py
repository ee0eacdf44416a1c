"""McNemar's exact test: published tables, symmetry, and order."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evals.stats.discordant import mcnemar

counts = st.integers(0, 300)


@pytest.mark.parametrize(
    ("better", "worse", "mid_p", "published"),
    [
        # airway hyper-responsiveness of Bentur et al. (2009) in Fagerland, Lydersen and Laake (2013)
        pytest.param(1, 7, False, 0.0703, id="Bentur, exact"),
        pytest.param(1, 7, True, 0.0391, id="Bentur, mid-p"),
        # M. P. Fay's vignette of the R package exact2x2
        pytest.param(9, 2, False, 0.0654, id="Fay, exact"),
    ],
)
def test_the_published_p_values(better: int, worse: int, mid_p: bool, published: float) -> None:
    assert round(mcnemar(better, worse, mid_p=mid_p), 4) == published


@given(counts, counts)
def test_it_is_a_probability_and_symmetric(better: int, worse: int) -> None:
    exact, mid = mcnemar(better, worse), mcnemar(better, worse, mid_p=True)

    assert 0 < mid <= exact <= 1
    assert (exact, mid) == (mcnemar(worse, better), mcnemar(worse, better, mid_p=True))


@given(counts, counts)
def test_more_on_the_greater_side_is_less_likely(better: int, worse: int) -> None:
    greater, fewer = max(better, worse), min(better, worse)

    assert mcnemar(greater + 1, fewer) <= mcnemar(greater, fewer)


def test_without_discordant_pairs_nothing_is_shown() -> None:
    assert mcnemar(0, 0) == mcnemar(0, 0, mid_p=True) == 1
    assert mcnemar(3, 3) == 1


def test_negative_counts_are_refused() -> None:
    with pytest.raises(ValueError, match="no counts"):
        mcnemar(-1, 2)
