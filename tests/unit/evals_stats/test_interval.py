"""Intervals against published examples, their bounds and their order."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evals.stats.interval import no_failure_bound, normal_quantile, rule_of_three, student_quantile, wilson

counts = st.integers(1, 5_000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


@pytest.mark.parametrize(
    ("successes", "n", "low", "high"),
    [
        # R. G. Newcombe, Statist. Med. 17 (1998), table I, method 3
        pytest.param(81, 263, 0.2553, 0.3662, id="81 of 263"),
        pytest.param(15, 148, 0.0624, 0.1605, id="15 of 148"),
        pytest.param(0, 20, 0.0000, 0.1611, id="0 of 20"),
        pytest.param(1, 29, 0.0061, 0.1718, id="1 of 29"),
    ],
)
def test_wilson_gives_the_published_bounds(successes: int, n: int, low: float, high: float) -> None:
    found = wilson(successes, n)

    assert (round(found.low, 4), round(found.high, 4)) == (low, high)
    assert found.estimate == successes / n


@given(counts, st.floats(0.5, 0.999))
def test_wilson_stays_between_zero_and_one_and_holds_its_estimate(
    count: tuple[int, int], level: float
) -> None:
    found = wilson(*count, level)

    assert 0 <= found.low <= found.estimate <= found.high <= 1
    assert found.holds(found.estimate)


@given(counts)
def test_wilson_is_symmetric(count: tuple[int, int]) -> None:
    successes, n = count
    found, mirrored = wilson(successes, n), wilson(n - successes, n)

    assert found.low == pytest.approx(1 - mirrored.high, abs=1e-12)
    assert found.high == pytest.approx(1 - mirrored.low, abs=1e-12)


@given(counts.filter(lambda count: count[0] < count[1]))
def test_wilson_rises_with_successes(count: tuple[int, int]) -> None:
    successes, n = count
    fewer, more = wilson(successes, n), wilson(successes + 1, n)

    assert fewer.low < more.low
    assert fewer.high <= more.high


@given(counts, st.integers(2, 50))
def test_wilson_narrows_with_more_cases_of_the_same_share(count: tuple[int, int], times: int) -> None:
    successes, n = count

    assert wilson(times * successes, times * n).width < wilson(successes, n).width


@given(counts)
def test_wilson_widens_with_its_level(count: tuple[int, int]) -> None:
    assert wilson(*count, 0.8).width < wilson(*count, 0.95).width < wilson(*count, 0.99).width


@pytest.mark.parametrize(("successes", "n"), [(1, 0), (-1, 3), (4, 3), (math.nan, 3)])
def test_wilson_refuses_what_is_no_share(successes: float, n: float) -> None:
    with pytest.raises(ValueError, match="no share"):
        wilson(successes, n)


@pytest.mark.parametrize(
    ("n", "bound"),
    [
        # Hanley and Lippman-Hand, JAMA 249 (1983): no reaction in 167 patients, and no case in 14
        pytest.param(167, 0.018, id="167 patients"),
        pytest.param(14, 0.214, id="14 patients"),
        pytest.param(300, 0.01, id="300 variants"),
        pytest.param(2, 1.0, id="never above 1"),
    ],
)
def test_rule_of_three(n: int, bound: float) -> None:
    assert round(rule_of_three(n), 3) == bound


def test_the_exact_bound_of_14_is_the_published_one() -> None:
    assert round(no_failure_bound(14), 3) == 0.193


@given(st.integers(1, 100_000))
def test_the_rule_of_three_is_never_below_the_exact_bound(n: int) -> None:
    exact = no_failure_bound(n)

    assert exact <= rule_of_three(n)
    assert (1 - exact) ** n == pytest.approx(0.05)


@pytest.mark.parametrize(
    ("freedom", "t"),
    [
        # M. Abramowitz and I. A. Stegun (1964), table 26.10, two-sided 95 %
        *(
            (1, 12.706),
            (2, 4.303),
            (3, 3.182),
            (4, 2.776),
            (9, 2.262),
            (10, 2.228),
            (30, 2.042),
            (120, 1.980),
        ),
        (5_000, 1.960),
    ],
)
def test_student_quantiles_are_the_tabled_ones(freedom: int, t: float) -> None:
    assert round(student_quantile(0.95, freedom), 3) == t


@given(st.integers(1, 400), st.floats(0.5, 0.999))
def test_student_quantiles_fall_towards_the_normal_one(freedom: int, level: float) -> None:
    found = student_quantile(level, freedom)

    assert found > student_quantile(level, freedom + 1) > normal_quantile(level)


@pytest.mark.parametrize("level", [0.0, 1.0, -0.5, math.nan])
def test_a_level_lies_between_zero_and_one(level: float) -> None:
    with pytest.raises(ValueError, match="level"):
        normal_quantile(level)
