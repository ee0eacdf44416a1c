"""What rules alone decide in the same cases: the plain policy that a model has to be better than."""

from collections.abc import Sequence
from dataclasses import replace

from evals.results import Decided
from evals.run_case import Judged
from evals.trials import Plan, Progress, run_trials


def with_rules_only(plan: Plan, outcomes: Sequence[Judged], progress: Progress) -> list[Judged]:
    """Return the outcomes with what rules alone decide; where nobody else was asked they have it already.

    The offline rules model decides the same each time, so each case is run once more and no more.

    Args:
        plan: The run with a model.
        outcomes: What came of it, of this run or an earlier one.
        progress: Told of the trials with rules.

    Raises:
        InputError: A playbook, a limit or a template is wrong.
    """
    wanted = {one.result.case for one in outcomes if one.asked.counts and one.result.rules_only is None}
    cases = [case for case in plan.cases if case.id in wanted]
    if not cases:
        return list(outcomes)
    rules = replace(
        plan, cases=cases, deciding=plan.deciding.asked_by(None), repeats=1, cards=False, done=frozenset()
    )
    decided = {one.result.case: one.result.decided for one in run_trials(rules, progress=progress)}
    return [_with(one, decided.get(one.result.case)) for one in outcomes]


def _with(judged: Judged, decided: Decided | None) -> Judged:
    if judged.result.rules_only is not None or decided is None:
        return judged
    return replace(judged, result=judged.result.model_copy(update={"rules_only": decided}))
