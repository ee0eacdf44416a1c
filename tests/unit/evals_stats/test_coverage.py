"""Simulated coverage: intervals at 95 % hold the truth in about 95 of 100 simulations."""

import numpy as np
import pytest

from evals.stats.clusters import bootstrap_ratio, clustered_mean, clustered_share, paired_difference
from evals.stats.interval import wilson

SIMULATIONS = 10_000


@pytest.mark.parametrize("n", [50, 200, 1_000])
def test_wilson_covers(n: int) -> None:
    random = np.random.default_rng(n)
    truth = random.uniform(0.05, 0.95, SIMULATIONS)  # over a range: a single p hits the steps of the binomial
    drawn = random.binomial(n, truth)
    bounds = [wilson(successes, n) for successes in range(n + 1)]

    pairs: list[tuple[int, float]] = list(zip(drawn.tolist(), truth.tolist(), strict=True))

    held = sum(bounds[successes].holds(p) for successes, p in pairs)

    assert 0.94 <= held / SIMULATIONS <= 0.96


@pytest.mark.slow
@pytest.mark.parametrize("families", [15, 40])
def test_a_clustered_mean_covers_where_a_plain_one_would_not(families: int) -> None:
    random, size = np.random.default_rng(families), 12
    clusters = np.repeat(np.arange(families), size).tolist()
    held = plain = 0
    for _ in range(SIMULATIONS):
        shared = np.repeat(random.normal(0, 0.5, families), size)
        scores = (shared + random.normal(0, 1, families * size)).tolist()
        held += clustered_mean(scores, clusters).holds(0)
        plain += clustered_mean(scores, range(len(scores))).holds(0)

    assert 0.94 <= held / SIMULATIONS <= 0.96
    assert plain / SIMULATIONS < 0.80


@pytest.mark.slow
def test_a_clustered_share_covers() -> None:
    random, families, size = np.random.default_rng(3), 20, 15
    clusters = np.repeat(np.arange(families), size).tolist()
    held = 0
    for _ in range(SIMULATIONS):
        p = np.repeat(random.beta(8, 2, families), size)  # mean 0.8, intra-family correlation 1/11
        held += clustered_share((random.random(families * size) < p).astype(float).tolist(), clusters).holds(
            0.8
        )

    assert 0.94 <= held / SIMULATIONS <= 0.965


@pytest.mark.slow
def test_a_paired_difference_covers() -> None:
    random, families, size = np.random.default_rng(4), 15, 10
    clusters = np.repeat(np.arange(families), size).tolist()
    held = 0
    for _ in range(SIMULATIONS):
        hard = np.repeat(random.normal(0, 0.15, families), size) + random.normal(0, 0.05, families * size)
        old = random.random(families * size) < np.clip(0.60 - hard, 0, 1)
        new = random.random(families * size) < np.clip(0.65 - hard, 0, 1)
        held += paired_difference(new.astype(float).tolist(), old.astype(float).tolist(), clusters).holds(
            0.05
        )

    assert 0.94 <= held / SIMULATIONS <= 0.965


@pytest.mark.slow
def test_a_bootstrap_over_clusters_covers() -> None:
    random, weeks, size = np.random.default_rng(5), 120, 4
    clusters = np.repeat(np.arange(weeks), size).tolist()
    held = 0
    for number in range(2_000):
        weight = 1 + random.poisson(3, weeks * size)
        share = np.repeat(random.beta(4, 6, weeks), size)
        hits = random.binomial(weight, share)
        held += bootstrap_ratio(hits.tolist(), weight.tolist(), clusters, seed=number, resamples=1_000).holds(
            0.4
        )

    assert 0.93 <= held / 2_000 <= 0.96
