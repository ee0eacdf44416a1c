"""The paired comparison of two runs and the verdict on it."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from evals.results import Result, Run
from evals.stats.clusters import bootstrap_ratio, paired_difference
from evals.stats.discordant import mcnemar
from evals.stats.interval import LEVEL, Interval
from evals.stats.worth import decision_worth
from evals.summary import case_scores
from tools.errors import InputError

_SEED: Final = 20241101
_FEW_FAMILIES: Final = 2


class Judgement(StrEnum):
    """What a comparison shows."""

    BETTER = "better"
    WORSE = "worse"
    NOT_SHOWN = "not shown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Flip:
    """A case that one side passes and the other does not, with the first repeat that shows it."""

    case: str
    better: bool
    """Whether the new side passes it."""
    new: Result
    old: Result


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """A new side against an old one, over the cases both have."""

    new: Run
    old: Run
    shared: int
    """Cases both have."""
    only_new: Sequence[str]
    only_old: Sequence[str]
    k: int
    """Of pass^k: the fewest repeats of a shared case on either side, at most the k asked for."""
    difference: Interval | None
    """Mean pass^k of the new side less that of the old; None with fewer than two families."""
    better: int
    """Cases that only the new side passes in every repeat."""
    worse: int
    p_value: float
    """McNemar's exact two-sided p over `better` and `worse`."""
    worth: Interval | None
    """Difference of net value per case in micro-units, by a bootstrap over families."""
    judgement: Judgement
    flips: Sequence[Flip]


def compare(new: Run, old: Run, *, k: int) -> Comparison:
    """Compare two runs case by case.

    The verdict is `better` or `worse` when the 95 % interval of the paired difference lies on one side of
    zero and, where every case is simply passed or not, McNemar's exact test rejects at 5 % too: the interval
    knows that cases of a family are alike, the test that few cases show little. With a single family the
    test alone decides. Everything else is `not shown`, which is not the same as equal.

    Raises:
        InputError: The runs share no case.
    """
    ours, theirs = new.cases, old.cases
    shared = [case for case in ours if case in theirs]
    if not shared:
        raise InputError(f"{new.name} and {old.name} share no case", remedy="compare runs of the same suites")
    reached = min(k, *(min(len(ours[case]), len(theirs[case])) for case in shared))
    flips = [flip for case in shared if (flip := _flip(case, ours[case], theirs[case]))]
    better = sum(flip.better for flip in flips)
    p_value = mcnemar(better, len(flips) - better)
    families = [ours[case][0].family for case in shared]
    scores = [case_scores({case: side[case] for case in shared}, reached) for side in (ours, theirs)]
    difference = _difference(scores, families)
    plain = {value for side in scores for value in side.values()} <= {0.0, 1.0}
    return Comparison(
        new=new,
        old=old,
        shared=len(shared),
        only_new=[case for case in ours if case not in theirs],
        only_old=[case for case in theirs if case not in ours],
        k=reached,
        difference=difference,
        better=better,
        worse=len(flips) - better,
        p_value=p_value,
        worth=_worth(new, [ours, theirs], shared, families),
        judgement=_judge(difference, p_value if plain else None, rising=2 * better > len(flips)),
        flips=sorted(flips, key=lambda flip: (flip.better, flip.new.family, flip.case)),
    )


def _difference(scores: Sequence[dict[str, float]], families: Sequence[str]) -> Interval | None:
    if len(set(families)) < _FEW_FAMILIES:
        return None
    new, old = scores
    return paired_difference(list(new.values()), [old[case] for case in new], families)


def _judge(difference: Interval | None, p_value: float | None, *, rising: bool) -> Judgement:
    tests = [] if p_value is None else [p_value < 1 - LEVEL]
    if difference is not None:
        tests.append(not difference.holds(0))
        rising = difference.estimate > 0
    if not tests or not all(tests):
        return Judgement.NOT_SHOWN
    return Judgement.BETTER if rising else Judgement.WORSE


def _flip(case: str, new: Sequence[Result], old: Sequence[Result]) -> Flip | None:
    passes, passed = all(one.passed for one in new), all(one.passed for one in old)
    if passes == passed:
        return None
    return Flip(case=case, better=passes, new=_telling(new), old=_telling(old))


def _telling(repeats: Sequence[Result]) -> Result:
    """Return the first repeat that failed, else the first."""
    return next((one for one in repeats if not one.passed), repeats[0])


def _worth(
    run: Run, sides: Sequence[dict[str, tuple[Result, ...]]], shared: Sequence[str], families: Sequence[str]
) -> Interval | None:
    if len(set(families)) < _FEW_FAMILIES:
        return None
    new, old = ([_value(run, side[case]) for case in shared] for side in sides)
    gains = [one - other for one, other in zip(new, old, strict=True)]
    return bootstrap_ratio(gains, [1.0] * len(gains), families, seed=_SEED)


def _value(run: Run, repeats: Sequence[Result]) -> float:
    """Return the mean net value of a case's repeats under the costs of the new side."""
    worth = sum(
        decision_worth(run.costs, due=one.expected.due, done=one.decided.due) - one.cost_micros
        for one in repeats
    )
    return worth / len(repeats)
