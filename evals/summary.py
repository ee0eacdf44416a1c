"""What the results of a run come to: the figures that gates judge and reports show."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from evals.results import Decided, Result, Run, successes
from evals.stats.calibration import Bin, brier, expected_calibration_error, reliability
from evals.stats.clusters import clustered_share
from evals.stats.interval import Interval, rule_of_three, wilson
from evals.stats.repeats import pass_hat_k
from evals.stats.worth import Due, always_worth, decision_worth, even_false_alarm, never_worth

_PPM = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """A share of something, with what it was counted in; no interval when there was nothing to count."""

    hits: int
    n: int
    interval: Interval | None


@dataclass(frozen=True, slots=True, kw_only=True)
class FamilyScore:
    """How reliably the cases of a family are passed."""

    family: str
    cases: int
    passed: int
    """Cases of which every repeat passed."""
    pass_hat_k: Interval
    """Mean over cases; the interval takes cases, not repeats, as independent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InvariantScore:
    """How often a critical invariant was tried, and how often it broke."""

    name: str
    cases: int
    """Cases that try it; repeats of one case are not further evidence."""
    broken: int
    """Cases in which it broke in any repeat."""
    bound: float
    """Largest rate that is still plausible at 95 %: 3/n without a break, else the upper end of Wilson's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Worth:
    """Net value per decision in micro-units, beside that of plain policies on the same cases."""

    currency: str
    decided: float
    """With the cost of the model taken off, one to one whatever its currency."""
    always: float
    never: float
    rules_only: float | None
    """None when it was not asked in every case."""
    even_false_alarm: float | None
    """What a needless message must cost for `decided` to equal `always`; None when nobody was spared one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """What decisions cost, in micro-units of money, tokens and milliseconds."""

    calls: int
    failed_calls: Mapping[str, int]
    """Failure class → calls."""
    cost_micros: int
    """Of the trials that count."""
    in_all_micros: int
    """With what trials cost that were cut off; the books of a live run."""
    per_decision_micros: float
    prompt_tokens: int
    completion_tokens: int
    median_milliseconds: int
    p95_milliseconds: int
    model_median_milliseconds: int
    """What the model took of it."""
    model_p95_milliseconds: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """Whether the probabilities that were used came true."""

    n: int
    brier: float
    error: float
    """Expected calibration error over bins of equal mass."""
    bins: Sequence[Bin]


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """The figures of one run; shares count repeats, intervals take families as clusters."""

    k: int
    """The k of pass^k: the one asked for, or the fewest repeats of any case when those are fewer."""
    cases: int
    repeats: int
    """Of all cases together."""
    pass_hat_k: Interval
    pass_hat_1: Interval
    families: Sequence[FamilyScore]
    confusion: Mapping[tuple[Decided, Decided], int]
    """(expected, decided) → repeats."""
    false_alarms: Share
    """Contacts that were not due, of all contacts."""
    misses: Share
    """Due contacts that neither went out nor went to a person."""
    invariants: Sequence[InvariantScore]
    worth: Worth
    spent: Spent
    calibration: Calibration | None
    """None without a case whose probability and outcome are known."""


def summarise(run: Run, *, k: int) -> Summary:
    """Return the figures of a run.

    Args:
        run: At least one result.
        k: Of pass^k, at least 1.

    Raises:
        ValueError: The run has no result, or `k` is below 1.
    """
    if not run.results:
        raise ValueError("a run without results")
    cases = run.cases
    reached = min(k, *(len(repeats) for repeats in cases.values()))
    return Summary(
        k=reached,
        cases=len(cases),
        repeats=len(run.results),
        pass_hat_k=_all_passes(cases, reached),
        pass_hat_1=_all_passes(cases, 1),
        families=[_family(family, results, reached) for family, results in run.families.items()],
        confusion=Counter((result.expected, result.decided) for result in run.results),
        false_alarms=_share(
            [result for result in run.results if result.decided is Decided.CONTACT],
            lambda result: result.expected is not Decided.CONTACT,
        ),
        misses=_share(
            [result for result in run.results if result.expected is Decided.CONTACT],
            lambda result: result.decided.due == "silence",
        ),
        invariants=_invariants(run.results),
        worth=_worth(run),
        spent=_spent(run),
        calibration=_calibration(run.results),
    )


def case_scores(cases: Mapping[str, Sequence[Result]], k: int) -> dict[str, float]:
    """Return pass^k of each case."""
    return {case: float(pass_hat_k(*successes(repeats), k)) for case, repeats in cases.items()}


def _all_passes(cases: Mapping[str, Sequence[Result]], k: int) -> Interval:
    clusters = [repeats[0].family for repeats in cases.values()]
    return clustered_share(list(case_scores(cases, k).values()), clusters)


def _family(family: str, results: Sequence[Result], k: int) -> FamilyScore:
    cases: dict[str, list[Result]] = {}
    for result in results:
        cases.setdefault(result.case, []).append(result)
    return FamilyScore(
        family=family,
        cases=len(cases),
        passed=sum(all(result.passed for result in repeats) for repeats in cases.values()),
        pass_hat_k=wilson(min(sum(case_scores(cases, k).values()), len(cases)), len(cases)),
    )


def _share(results: Sequence[Result], hit: Callable[[Result], bool]) -> Share:
    hits = [float(hit(result)) for result in results]
    interval = clustered_share(hits, [result.family for result in results]) if hits else None
    return Share(hits=round(sum(hits)), n=len(hits), interval=interval)


def _invariants(results: Sequence[Result]) -> list[InvariantScore]:
    tried: dict[str, set[str]] = {}
    broken: dict[str, set[str]] = {}
    for result in results:
        for name in result.critical:
            tried.setdefault(name, set()).add(result.case)
        for name in result.broken:
            broken.setdefault(name, set()).add(result.case)
    return [_invariant(name, len(tried[name]), len(broken.get(name, ()))) for name in sorted(tried)]


def _invariant(name: str, cases: int, broken: int) -> InvariantScore:
    bound = wilson(broken, cases).high if broken else rule_of_three(cases)
    return InvariantScore(name=name, cases=cases, broken=broken, bound=bound)


def _worth(run: Run) -> Worth:
    due: list[Due] = [result.expected.due for result in run.results]
    number, costs = len(due), run.costs

    def total(done: Sequence[Decided]) -> int:
        pairs = zip(due, done, strict=True)
        return sum(decision_worth(costs, due=right, done=kind.due) for right, kind in pairs)

    spent = sum(result.cost_micros for result in run.results)
    plain = [result.rules_only for result in run.results if result.rules_only is not None]
    return Worth(
        currency=costs.currency,
        decided=(total([result.decided for result in run.results]) - spent) / number,
        always=always_worth(costs, due) / number,
        never=never_worth(costs, due) / number,
        rules_only=total(plain) / number if len(plain) == number else None,
        even_false_alarm=even_false_alarm(
            costs, due=due, done=[result.decided.due for result in run.results], spent=spent
        ),
    )


def _spent(run: Run) -> Spent:
    results = run.results
    cost = sum(result.cost_micros for result in results)
    median, p95 = _middle_and_high([result.milliseconds for result in results])
    model_median, model_p95 = _middle_and_high([result.model_milliseconds for result in results])
    return Spent(
        calls=sum(result.calls for result in results),
        failed_calls=Counter(kind for result in results for kind in result.failed_calls),
        cost_micros=cost,
        in_all_micros=max(cost, run.spent_micros),
        per_decision_micros=cost / len(results),
        prompt_tokens=sum(result.prompt_tokens for result in results),
        completion_tokens=sum(result.completion_tokens for result in results),
        median_milliseconds=median,
        p95_milliseconds=p95,
        model_median_milliseconds=model_median,
        model_p95_milliseconds=model_p95,
    )


def _middle_and_high(values: Sequence[int]) -> tuple[int, int]:
    """Return the median and the 95th percentile, both values that occur."""
    ordered = sorted(values)
    return ordered[(len(ordered) - 1) // 2], ordered[-(-len(ordered) * 95 // 100) - 1]


def _calibration(results: Sequence[Result]) -> Calibration | None:
    known = {
        result.case: (result.probability_ppm / _PPM, result.outcome)
        for result in results
        if result.probability_ppm is not None and result.outcome is not None
    }
    if not known:
        return None
    probabilities = [p for p, _ in known.values()]
    outcomes = [came for _, came in known.values()]
    bins = reliability(probabilities, outcomes)
    return Calibration(
        n=len(known),
        brier=brier(probabilities, outcomes),
        error=expected_calibration_error(bins),
        bins=bins,
    )
