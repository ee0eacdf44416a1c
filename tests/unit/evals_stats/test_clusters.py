"""Clustered errors: a sum worked by hand, the plain case as a limit, and seeded bootstraps."""

import math
from statistics import stdev

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evals.stats.clusters import (
    bootstrap_ratio,
    clustered_mean,
    clustered_se,
    clustered_share,
    paired_difference,
)
from evals.stats.interval import student_quantile, wilson

scores_with_clusters = st.integers(2, 40).flatmap(
    lambda n: st.tuples(
        st.lists(st.floats(0, 1), min_size=n, max_size=n),
        st.lists(st.integers(0, 6), min_size=n, max_size=n).filter(lambda found: len(set(found)) > 1),
    )
)


def test_a_clustered_error_worked_by_hand() -> None:
    # mean 1/2; deviations per cluster sum to 1, 0 and -1: sqrt(3/2 * 2) / 6
    scores, clusters = [1, 1, 1, 0, 0, 0], ["a", "a", "b", "b", "c", "c"]

    assert clustered_se(scores, clusters) == pytest.approx(math.sqrt(3) / 6)


@given(st.lists(st.floats(0, 1), min_size=2, max_size=60))
def test_with_one_case_per_cluster_it_is_the_plain_error(scores: list[float]) -> None:
    plain = stdev(scores) / math.sqrt(len(scores))

    assert clustered_se(scores, range(len(scores))) == pytest.approx(plain, abs=1e-9)


@given(scores_with_clusters)
def test_the_order_and_the_names_of_clusters_change_nothing(
    drawn: tuple[list[float], list[int]],
) -> None:
    scores, clusters = drawn
    renamed = [f"family {cluster}" for cluster in reversed(clusters)]

    assert clustered_se(scores, clusters) == pytest.approx(clustered_se(scores[::-1], renamed), abs=1e-12)


def test_the_interval_takes_its_freedom_from_the_clusters() -> None:
    scores, clusters = [1, 1, 1, 0, 0, 0], ["a", "a", "b", "b", "c", "c"]
    found = clustered_mean(scores, clusters)

    assert found.high - found.estimate == pytest.approx(student_quantile(0.95, 2) * math.sqrt(3) / 6)
    assert found.estimate == 0.5


@given(scores_with_clusters)
def test_a_clustered_share_stays_between_zero_and_one(drawn: tuple[list[float], list[int]]) -> None:
    found = clustered_share(*drawn)

    assert 0 <= found.low <= found.estimate <= found.high <= 1


@given(st.integers(2, 30), st.integers(2, 30))
def test_a_clustered_share_is_never_surer_than_independent_cases(good: int, bad: int) -> None:
    scores = [1.0] * good + [0.0] * bad
    clusters = [number // 4 for number in range(good + bad)]

    assert clustered_share(scores, clusters).width >= wilson(good, good + bad).width - 1e-12


def test_a_share_without_failures_is_wilsons() -> None:
    assert clustered_share([1.0] * 30, [n % 3 for n in range(30)]) == wilson(30, 30)


def test_a_share_of_a_single_cluster_is_wilsons() -> None:
    assert clustered_share([1.0, 0.0, 1.0], ["a"] * 3) == wilson(2, 3)


@given(scores_with_clusters)
def test_a_paired_difference_turns_with_its_sides(drawn: tuple[list[float], list[int]]) -> None:
    new, clusters = drawn
    old = new[::-1]
    there, back = paired_difference(new, old, clusters), paired_difference(old, new, clusters)

    assert (there.estimate, there.low) == pytest.approx((-back.estimate, -back.high), abs=1e-12)


@given(scores_with_clusters)
def test_equal_sides_do_not_differ(drawn: tuple[list[float], list[int]]) -> None:
    found = paired_difference(drawn[0], drawn[0], drawn[1])

    assert (found.low, found.estimate, found.high) == (0, 0, 0)


def test_a_bootstrap_is_the_same_for_the_same_seed_only() -> None:
    scores = [float(n % 7 == 0) for n in range(90)]
    clusters = [n // 3 for n in range(90)]
    one, again, other = (
        bootstrap_ratio(scores, [1.0 + n % 2 for n in range(90)], clusters, seed=seed) for seed in (1, 1, 2)
    )

    assert one == again
    assert one != other
    assert one.low < one.estimate < one.high


def test_a_bootstrap_draws_whole_clusters() -> None:
    # every cluster has the same mean, so no draw of whole clusters can differ from it
    found = bootstrap_ratio([0.0, 1.0] * 20, [1.0] * 40, [n // 2 for n in range(40)], seed=7)

    assert (found.low, found.estimate, found.high) == (0.5, 0.5, 0.5)


@pytest.mark.parametrize("clusters", [["a", "a"], ["a"]], ids=["one cluster", "too few names"])
def test_one_cluster_has_no_error(clusters: list[str]) -> None:
    with pytest.raises(ValueError, match="clusters"):
        clustered_se([0.0, 1.0], clusters)
    with pytest.raises(ValueError, match="clusters"):
        bootstrap_ratio([0.0, 1.0], [1.0, 1.0], clusters, seed=1)


def test_a_share_refuses_scores_beyond_one() -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        clustered_share([2.0, 0.0], ["a", "b"])
