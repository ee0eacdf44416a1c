"""Every gate holds at its bound and breaks beyond it, and mistakes in the file are named."""

from pathlib import Path

import pytest

from evals.compare.verdict import compare
from evals.gate import (
    Against,
    Critical,
    GateAnswer,
    Gates,
    Most,
    Reliability,
    Standing,
    broken,
    judge,
    load_gates,
)
from evals.results import Decided, Result, Run
from tests.unit.evals_stats.runs import failed, result, run
from tools.errors import InputError

HELD, BROKEN, NOT_JUDGED = Standing.HELD, Standing.BROKEN, Standing.NOT_JUDGED


def of(answers: list[GateAnswer], gate: str) -> GateAnswer:
    """Return the one answer of a gate."""
    (found,) = [answer for answer in answers if answer.gate == gate]
    return found


def cases(good: int, bad: int, family: str = "money", **changes: object) -> list[Result]:
    """Return cases of a family, some of them failed."""
    return [
        *(result(f"{family} good {n}", family=family, **changes) for n in range(good)),
        *(failed(f"{family} bad {n}", family=family, **changes) for n in range(bad)),
    ]


@pytest.mark.parametrize(("bad", "standing"), [(1, HELD), (2, BROKEN)])
def test_a_family_must_reach_its_pass_hat_k(bad: int, standing: Standing) -> None:
    gates = Gates(pass_hat_k=Reliability(k=1, least=0.9))

    answer = of(judge(gates, run(*cases(10 - bad, bad), *cases(5, 0, "identity"))), "pass_hat_k.money")

    assert answer.standing is standing
    assert f"pass^1 is {(10 - bad) / 10:.3f} over 10 cases" in answer.sentence


def test_one_failed_repeat_breaks_pass_hat_k_of_its_case() -> None:
    gates = Gates(pass_hat_k=Reliability(k=4, least=1.0))
    made = run(*(result("a", repeat=n) for n in range(3)), failed("a", repeat=3))

    assert [answer.gate for answer in broken(judge(gates, made))] == ["pass_hat_k.cleared while queued"]


def test_a_family_may_have_its_own_bound_and_an_absent_one_is_said() -> None:
    gates = Gates(pass_hat_k=Reliability(k=1, least=1.0, families={"money": 0.5, "moony": 1.0}))

    answers = judge(gates, run(*cases(1, 1)))

    assert of(answers, "pass_hat_k.money").standing is HELD
    assert of(answers, "pass_hat_k.moony").standing is NOT_JUDGED


def test_a_critical_invariant_may_not_break_in_any_repeat() -> None:
    tried = {"critical": ("opt-out",)}
    made = run(
        *(result("a", repeat=n, **tried) for n in range(9)),
        failed("a", repeat=9, broken=("opt-out",), **tried),
    )

    answer = of(judge(Gates(critical=Critical()), made), "critical.opt-out")

    assert (answer.standing, answer.sentence) == (BROKEN, "broken in 1 of 1 cases")


@pytest.mark.parametrize(("number", "standing"), [(300, HELD), (299, BROKEN)])
def test_a_critical_invariant_must_be_tried_often_enough(number: int, standing: Standing) -> None:
    made = run(*cases(number, 0, critical=("opt-out",)))

    assert of(judge(Gates(critical=Critical(least_cases=300)), made), "critical.opt-out").standing is standing


def test_a_run_that_tries_no_invariant_is_not_judged_on_them() -> None:
    assert of(judge(Gates(critical=Critical()), run(result())), "critical").standing is NOT_JUDGED


@pytest.mark.parametrize(("bound", "standing"), [(0.25, HELD), (0.24, BROKEN)])
def test_false_alarms_are_bounded(bound: float, standing: Standing) -> None:
    wrong = failed("wrong", expected=Decided.ABSTAIN, decided=Decided.CONTACT)
    made = run(*cases(3, 0), wrong)

    answer = of(judge(Gates(false_alarms=Most(most=bound)), made), "false_alarms")

    assert answer.standing is standing
    assert answer.sentence.startswith("1 of 4 contacts were not due: 25.0%")


@pytest.mark.parametrize(("bound", "standing"), [(0.25, HELD), (0.24, BROKEN)])
def test_misses_are_bounded(bound: float, standing: Standing) -> None:
    assert of(judge(Gates(misses=Most(most=bound)), run(*cases(3, 1))), "misses").standing is standing


def test_a_share_of_nothing_is_not_judged() -> None:
    silent = run(result(expected=Decided.NONE, decided=Decided.NONE))

    answers = judge(Gates(misses=Most(most=0), false_alarms=Most(most=0)), silent)

    assert {answer.standing for answer in answers} == {NOT_JUDGED}


def sides(*, drop: int = 0, cost: int = 100, milliseconds: int = 100) -> tuple[Run, Run]:
    """Return a new side that fails `drop` of 100 cases in 20 families, and an old one that fails none."""
    names = [(f"case {n}", f"family {n % 20}") for n in range(100)]
    new = [
        (failed if n < drop else result)(case, family=family, cost_micros=cost, milliseconds=milliseconds)
        for n, (case, family) in enumerate(names)
    ]
    old = [result(case, family=family, cost_micros=100, milliseconds=100) for case, family in names]
    return run(*new), run(*old)


@pytest.mark.parametrize(
    ("bounds", "new", "gate", "standing"),
    [
        pytest.param(Against(delta=0.02), {}, "delta", HELD, id="no drop"),
        pytest.param(Against(delta=0.10), {"drop": 3}, "delta", HELD, id="tolerated drop"),
        pytest.param(Against(delta=0.02), {"drop": 3}, "delta", BROKEN, id="drop"),
        pytest.param(Against(delta=0.04), {"drop": 3}, "delta", BROKEN, id="a greater drop is plausible"),
        pytest.param(Against(cost_percent=20), {"cost": 120}, "cost_percent", HELD, id="cost at bound"),
        pytest.param(Against(cost_percent=20), {"cost": 121}, "cost_percent", BROKEN, id="cost"),
        pytest.param(Against(latency_percent=50), {"milliseconds": 150}, "latency_percent", HELD, id="time"),
        pytest.param(
            Against(latency_percent=50), {"milliseconds": 151}, "latency_percent", BROKEN, id="slow"
        ),
    ],
)
def test_a_run_may_not_be_worse_than_the_other_side(
    bounds: Against, new: dict[str, int], gate: str, standing: Standing
) -> None:
    ours, theirs = sides(**new)

    answers = judge(Gates(against=bounds), ours, compare(ours, theirs, k=1))

    assert of(answers, f"against.{gate}").standing is standing


def test_without_another_side_its_gates_are_not_judged() -> None:
    answers = judge(Gates(against=Against(delta=0, cost_percent=0)), run(result()))

    assert [(answer.gate, answer.standing) for answer in answers] == [
        ("against.delta", NOT_JUDGED),
        ("against.cost_percent", NOT_JUDGED),
    ]


def test_a_gate_that_is_left_out_is_not_judged_at_all() -> None:
    assert judge(Gates(), run(*cases(0, 3))) == []


def test_the_shipped_gates_load_and_pass_a_good_run() -> None:
    gates = load_gates()

    assert broken(judge(gates, run(*cases(20, 0)))) == []
    assert gates.k == 4


@pytest.mark.parametrize(
    ("text", "words"),
    [
        pytest.param("misses:\n  mots: 0.1\n", "did you mean `most`", id="misspelt"),
        pytest.param("misses:\n  most: 1.5\n", "less than or equal to 1", id="no share"),
        pytest.param("pass_hat_k:\n  k: 0\n  least: 1\n", "greater than or equal to 1", id="no k"),
        pytest.param("false_alarms:\n  most: '0.1'\n", "valid number", id="text"),
    ],
)
def test_a_mistake_in_a_gate_file_is_named_with_its_line(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "gate.yaml").write_text(text, "utf-8")

    with pytest.raises(InputError, match=words) as caught:
        load_gates(tmp_path / "gate.yaml")

    assert caught.value.line is not None


def test_money_and_time_of_a_model_are_not_held_against_having_none() -> None:
    live, free = run(result(cost_micros=900), tier="live"), run(result())

    answers = {one.gate: one for one in judge(load_gates(), live, compare(live, free, k=1))}

    for gate in ("against.cost_percent", "against.latency_percent"):
        assert answers[gate].standing is Standing.NOT_JUDGED
        assert "a live model and a rules one" in answers[gate].sentence
