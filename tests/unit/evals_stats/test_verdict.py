"""Comparing two runs: what is shown, what is not, and which cases flipped."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evals.compare.verdict import Judgement, compare
from evals.results import Run
from tests.unit.evals_stats.runs import failed, result, run
from tools.errors import InputError


def side(*passed: bool, families: int = 10, repeats: int = 1) -> Run:
    """Return a run with one case per argument, spread over families."""
    return run(
        *(
            (result if good else failed)(f"case {n}", family=f"family {n % families}", repeat=at)
            for n, good in enumerate(passed)
            for at in range(repeats)
        )
    )


ALL, NONE = [True] * 40, [False] * 40


def test_a_side_that_passes_what_the_other_fails_is_better() -> None:
    found = compare(side(*ALL), side(*NONE[:20], *ALL[:20]), k=1)

    assert found.judgement is Judgement.BETTER
    assert (found.better, found.worse, found.shared) == (20, 0, 40)
    assert found.p_value == 2 / 2**20


def test_the_same_difference_turned_round_is_worse() -> None:
    found = compare(side(*NONE[:20], *ALL[:20]), side(*ALL), k=1)

    assert found.judgement is Judgement.WORSE
    assert found.difference is not None
    assert found.difference.estimate == -0.5


@given(st.lists(st.booleans(), min_size=1, max_size=40))
def test_equal_sides_show_nothing(passed: list[bool]) -> None:
    found = compare(side(*passed), side(*passed), k=4)

    assert found.judgement is Judgement.NOT_SHOWN
    assert (found.flips, found.p_value) == ([], 1.0)


def test_an_equal_gain_in_each_of_few_cases_is_not_shown() -> None:
    # every family gains alike, so the clustered error is zero; three cases still show nothing
    found = compare(side(True, True, True, families=3), side(False, False, False, families=3), k=1)

    assert found.difference is not None
    assert found.difference.low > 0
    assert found.judgement is Judgement.NOT_SHOWN


def test_a_gain_within_a_single_family_is_not_shown_as_one_over_families() -> None:
    # thirty discordant cases, all in one of ten families: McNemar alone would call it shown
    new = [True] * 100
    old = [n % 10 != 0 or n > 80 for n in range(100)]
    found = compare(side(*new), side(*old), k=1)

    assert found.p_value < 0.05
    assert found.judgement is Judgement.NOT_SHOWN


def test_a_single_family_is_judged_by_the_exact_test() -> None:
    found = compare(side(*ALL, families=1), side(*NONE[:6], *ALL[:34], families=1), k=1)

    assert found.difference is None
    assert found.judgement is Judgement.BETTER


def test_flips_name_the_repeat_that_failed() -> None:
    new = run(result("a"), failed("a", repeat=1, reason="quiet_hours"), failed("b"))
    old = run(result("a"), result("a", repeat=1), result("b"))

    found = compare(new, old, k=1)

    assert [(flip.case, flip.better) for flip in found.flips] == [("a", False), ("b", False)]
    assert found.flips[0].new.reason == "quiet_hours"
    assert found.flips[0].old.passed


def test_only_cases_that_both_have_are_compared() -> None:
    found = compare(run(result("a"), result("b")), run(failed("b"), failed("c")), k=1)

    assert (found.shared, found.only_new, found.only_old) == (1, ["a"], ["c"])


def test_the_fewest_repeats_decide_the_k() -> None:
    assert compare(side(*ALL, repeats=4), side(*ALL, repeats=3), k=4).k == 3


def test_worth_is_compared_per_case() -> None:
    found = compare(side(*ALL), side(*NONE), k=1)

    assert found.worth is not None
    assert found.worth.estimate == pytest.approx(4_000_000)


def test_runs_without_a_common_case_cannot_be_compared() -> None:
    with pytest.raises(InputError, match="share no case"):
        compare(run(result("a")), run(result("b")), k=1)
