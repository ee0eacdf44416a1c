"""Shares with their Wilson intervals."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.review_desk.intervals import share
from policies.model import PPM


@pytest.mark.parametrize(
    ("count", "of", "low", "high"),
    [
        # Newcombe, Statistics in Medicine 17 (1998), table I, method 3
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_published_intervals_are_met(count: int, of: int, low: float, high: float) -> None:
    found = share(count, of)

    assert found.low_ppm / PPM == pytest.approx(low, abs=0.00005)
    assert found.high_ppm / PPM == pytest.approx(high, abs=0.00005)


@given(st.integers(1, 10_000).flatmap(lambda of: st.tuples(st.integers(0, of), st.just(of))))
def test_the_share_lies_inside_its_interval_and_mirrors(counts: tuple[int, int]) -> None:
    count, of = counts

    found, rest = share(count, of), share(of - count, of)

    assert 0 <= found.low_ppm <= found.ppm <= found.high_ppm <= PPM
    assert abs(found.low_ppm + rest.high_ppm - PPM) <= 1


def test_nothing_counted_is_anything() -> None:
    found = share(0, 0)

    assert (found.ppm, found.low_ppm, found.high_ppm) == (0, 0, PPM)


@pytest.mark.parametrize(("count", "of"), [(-1, 3), (4, 3), (1, 0)])
def test_no_share_is_refused(count: int, of: int) -> None:
    with pytest.raises(ValueError, match="no share"):
        share(count, of)
