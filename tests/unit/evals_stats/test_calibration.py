"""Brier scores and reliability: published examples, bounds, ties."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evals.stats.calibration import brier, expected_calibration_error, reliability

forecasts = st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=200)


@pytest.mark.parametrize(
    ("probabilities", "outcomes", "published"),
    [
        # the example of scikit-learn's brier_score_loss, and those of Wikipedia's article on the Brier score
        pytest.param([0.1, 0.9, 0.8, 0.3], [False, True, True, False], 0.0375, id="scikit-learn"),
        pytest.param([0.7], [True], 0.09, id="70 % and it rains"),
        pytest.param([0.3], [True], 0.49, id="30 % and it rains"),
        pytest.param([0.5], [False], 0.25, id="a coin"),
        pytest.param([1.0, 0.0], [True, False], 0.0, id="certain and right"),
    ],
)
def test_the_published_brier_scores(
    probabilities: list[float], outcomes: list[bool], published: float
) -> None:
    assert brier(probabilities, outcomes) == pytest.approx(published)


@given(forecasts, st.integers(1, 20))
def test_bins_hold_every_forecast_once_in_rising_order(pairs: list[tuple[float, bool]], bins: int) -> None:
    found = reliability([p for p, _ in pairs], [came for _, came in pairs], bins)

    assert sum(one.size for one in found) == len(pairs)
    assert 1 <= len(found) <= bins
    assert [one.forecast for one in found] == sorted(one.forecast for one in found)
    assert 0 <= brier([p for p, _ in pairs], [came for _, came in pairs]) <= 1
    assert 0 <= expected_calibration_error(found) <= 1


@given(forecasts, st.integers(1, 20), st.randoms())
def test_the_order_of_cases_changes_no_bin(
    pairs: list[tuple[float, bool]], bins: int, random: object
) -> None:
    shuffled = list(pairs)
    random.shuffle(shuffled)  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]
    one, other = (
        reliability([p for p, _ in order], [came for _, came in order], bins) for order in (pairs, shuffled)
    )

    assert [(each.size, each.came) for each in one] == [(each.size, each.came) for each in other]


def test_bins_are_of_equal_mass() -> None:
    probabilities = [number / 100 for number in range(100)]
    found = reliability(probabilities, [p > 0.5 for p in probabilities], 5)

    assert [one.size for one in found] == [20] * 5


def test_equal_forecasts_share_a_bin() -> None:
    assert [one.size for one in reliability([0.2] * 50 + [0.9], [False] * 51, 10)] == [50, 1]


def test_the_error_is_the_distance_of_forecast_and_outcome() -> None:
    bins = reliability([0.25] * 4 + [0.75] * 4, [False] * 4 + [True] * 4, 2)

    assert expected_calibration_error(bins) == pytest.approx(0.25)


def test_perfect_forecasts_have_no_error() -> None:
    bins = reliability([0.25] * 4, [True, False, False, False], 1)

    assert expected_calibration_error(bins) == pytest.approx(0)


@pytest.mark.parametrize(
    ("probabilities", "outcomes", "bins", "words"),
    [
        ([1.1], [True], 1, "between 0 and 1"),
        ([0.5], [True, False], 1, "1 forecasts and 2 outcomes"),
        ([], [], 1, "0 forecasts"),
        ([0.5], [True], 0, "no bins"),
    ],
)
def test_what_is_no_forecast_is_refused(
    probabilities: list[float], outcomes: list[bool], bins: int, words: str
) -> None:
    with pytest.raises(ValueError, match=words):
        reliability(probabilities, outcomes, bins)


def test_no_bins_have_no_error() -> None:
    with pytest.raises(ValueError, match="no forecasts"):
        expected_calibration_error([])
