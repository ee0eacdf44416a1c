"""The figures of a run: what counts as what, and what there is nothing to say about."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evals.results import Decided, Result
from evals.stats.interval import wilson
from evals.summary import summarise
from tests.unit.evals_stats.runs import COSTS, failed, result, run

CONTACT, ABSTAIN, ESCALATE, NONE = Decided.CONTACT, Decided.ABSTAIN, Decided.ESCALATE, Decided.NONE


def decided(expected: Decided, kind: Decided, number: int = 1) -> list[Result]:
    """Return results of different cases."""
    make = result if expected is kind else failed
    return [make(f"{expected} {kind} {at}", expected=expected, decided=kind) for at in range(number)]


def test_false_alarms_are_a_share_of_contacts_and_misses_of_what_was_due() -> None:
    summary = summarise(
        run(
            *decided(CONTACT, CONTACT, 6),
            *decided(CONTACT, ABSTAIN, 1),
            *decided(CONTACT, ESCALATE, 1),
            *decided(ABSTAIN, CONTACT, 2),
            *decided(NONE, NONE, 5),
        ),
        k=1,
    )

    assert (summary.false_alarms.hits, summary.false_alarms.n) == (2, 8)
    assert (summary.misses.hits, summary.misses.n) == (1, 8)
    assert summary.false_alarms.interval == wilson(2, 8)
    assert summary.confusion[CONTACT, ESCALATE] == 1
    assert sum(summary.confusion.values()) == 15


def test_what_was_never_due_has_no_share_of_misses() -> None:
    summary = summarise(run(*decided(NONE, NONE)), k=1)

    assert summary.misses.interval is None
    assert summary.false_alarms.interval is None


def test_pass_hat_k_takes_the_fewest_repeats() -> None:
    made = run(
        *(result("a", repeat=n) for n in range(4)),
        *(result("b", repeat=n) for n in range(2)),
        failed("c", repeat=0),
        result("c", repeat=1),
    )

    summary = summarise(made, k=4)

    assert summary.k == 2
    assert summary.pass_hat_k.estimate == pytest.approx(2 / 3)
    assert summary.pass_hat_1.estimate == pytest.approx(2.5 / 3)
    assert (summary.families[0].cases, summary.families[0].passed) == (3, 2)


def test_an_invariant_counts_cases_not_repeats() -> None:
    made = run(
        *(result("a", repeat=n, critical=("opt-out", "quiet hours")) for n in range(5)),
        failed("b", critical=("opt-out",), broken=("opt-out",)),
    )

    broken, held = summarise(made, k=1).invariants

    assert (broken.name, broken.cases, broken.broken) == ("opt-out", 2, 1)
    assert (held.name, held.cases, held.broken, held.bound) == ("quiet hours", 1, 0, 1.0)


def test_three_hundred_variants_without_a_break_leave_one_percent() -> None:
    made = run(*(result(f"variant {n}", critical=("opt-out",)) for n in range(300)))

    assert summarise(made, k=1).invariants[0].bound == pytest.approx(0.01)


def test_worth_takes_the_model_off_and_stands_beside_plain_policies() -> None:
    made = run(
        result("a", cost_micros=1_000, rules_only=ABSTAIN),
        failed("b", expected=ABSTAIN, decided=CONTACT, rules_only=ABSTAIN),
    )

    worth = summarise(made, k=1).worth

    assert worth.decided == (COSTS.reached - COSTS.false_alarm - 1_000) / 2
    assert worth.always == (COSTS.reached - COSTS.false_alarm) / 2
    assert (worth.never, worth.rules_only) == (0, 0)


def test_rules_only_is_left_out_when_some_case_was_not_asked() -> None:
    assert summarise(run(result("a", rules_only=CONTACT), result("b")), k=1).worth.rules_only is None


def test_spending_is_per_decision_and_the_95th_percentile_is_a_time_that_occurred() -> None:
    made = run(*(result(f"{n}", milliseconds=n, cost_micros=10, prompt_tokens=2) for n in range(1, 101)))

    spent = summarise(made, k=1).spent

    assert (spent.cost_micros, spent.per_decision_micros, spent.prompt_tokens) == (1_000, 10, 200)
    assert (spent.median_milliseconds, spent.p95_milliseconds) == (50, 95)


def test_calibration_takes_a_case_once() -> None:
    made = run(
        *(result("a", repeat=n, probability_ppm=800_000, outcome=True) for n in range(3)),
        result("b", probability_ppm=200_000, outcome=False),
        result("c", probability_ppm=200_000),
    )

    calibration = summarise(made, k=1).calibration

    assert calibration is not None
    assert calibration.n == 2
    assert calibration.brier == pytest.approx(0.04)


def test_without_outcomes_there_is_no_calibration() -> None:
    assert summarise(run(result()), k=1).calibration is None


def test_an_empty_run_has_no_figures() -> None:
    with pytest.raises(ValueError, match="without results"):
        summarise(run(), k=1)


@given(st.lists(st.tuples(st.sampled_from(Decided), st.sampled_from(Decided)), min_size=1, max_size=40))
def test_nothing_is_worth_more_than_deciding_right(pairs: list[tuple[Decided, Decided]]) -> None:
    made = run(*(result(f"{n}", expected=due, decided=kind) for n, (due, kind) in enumerate(pairs)))
    right = run(*(result(f"{n}", expected=due, decided=due) for n, (due, _) in enumerate(pairs)))

    # silence costs nothing here when a person was due, so handing over may lose against it
    persons = sum(due is ESCALATE for due, _ in pairs) * COSTS.person
    assert summarise(made, k=1).worth.decided * len(pairs) <= (
        summarise(right, k=1).worth.decided * len(pairs) + persons
    )
