"""The report for scripts: plain data, shares of 1, money in micro-units as named."""

from evals.compare.verdict import Comparison
from evals.report.judged import Judged
from evals.results import Run
from evals.stats.interval import Interval
from evals.summary import Calibration, Share, Summary

Form = dict[str, object]
_PLACES = 6


def report_form(judged: Judged) -> Form:
    """Return everything the terminal shows, and the name of every case that failed."""
    run, summary = judged.run, judged.summary
    return {
        "ok": judged.ok,
        "verdict": judged.headline,
        "suites": list(run.suites),
        "tier": run.tier,
        "model": run.model,
        "prompts": run.prompts,
        "code": run.code,
        "cases": summary.cases,
        "runs": summary.repeats,
        "gates": [
            {"gate": one.gate, "standing": one.standing.value, "sentence": one.sentence}
            for one in judged.answers
        ],
        "k": summary.k,
        "pass_hat_k": _interval(summary.pass_hat_k),
        "pass_hat_1": _interval(summary.pass_hat_1),
        "families": [
            {
                "family": one.family,
                "cases": one.cases,
                "passed": one.passed,
                "pass_hat_k": _interval(one.pass_hat_k),
            }
            for one in summary.families
        ],
        "decisions": [
            {"expected": expected.value, "decided": decided.value, "runs": number}
            for (expected, decided), number in sorted(summary.confusion.items())
        ],
        "false_alarms": _share(summary.false_alarms),
        "misses": _share(summary.misses),
        "critical": [
            {"invariant": one.name, "cases": one.cases, "broken": one.broken, "bound": _round(one.bound)}
            for one in summary.invariants
        ],
        **_costs(summary),
        "calibration": _calibration(summary.calibration),
        "against": _against(judged.comparison) if judged.comparison else None,
        **missing_form(run),
        "failed": sorted({result.case for result in run.results if not result.passed}),
    }


def missing_form(run: Run) -> Form:
    """Return what a run did not come to."""
    return {
        "needs_recording": [one.model_dump() for one in run.needed],
        "trials_left": run.left,
        "stopped": run.stopped,
    }


def _costs(summary: Summary) -> Form:
    worth, spent = summary.worth, summary.spent
    rules_only = None if worth.rules_only is None else round(worth.rules_only)
    even = None if worth.even_false_alarm is None else round(worth.even_false_alarm)
    return {
        "worth_micros": {
            "currency": worth.currency,
            "decided": round(worth.decided),
            "always": round(worth.always),
            "never": round(worth.never),
            "rules_only": rules_only,
            "even_false_alarm": even,
        },
        "calls": spent.calls,
        "failed_calls": dict(sorted(spent.failed_calls.items())),
        "cost_micros": spent.cost_micros,
        "spent_in_all_micros": spent.in_all_micros,
        "cost_micros_per_decision": _round(spent.per_decision_micros),
        "prompt_tokens": spent.prompt_tokens,
        "completion_tokens": spent.completion_tokens,
        "milliseconds": {"median": spent.median_milliseconds, "p95": spent.p95_milliseconds},
        "model_milliseconds": {
            "median": spent.model_median_milliseconds,
            "p95": spent.model_p95_milliseconds,
        },
    }


def _against(comparison: Comparison) -> Form:
    return {
        "name": comparison.old.name,
        "code": comparison.old.code,
        "tier": comparison.old.tier,
        "model": comparison.old.model,
        "cost_micros": sum(result.cost_micros for result in comparison.old.results),
        "trials_left": comparison.old.left,
        "judgement": comparison.judgement.value,
        "shared": comparison.shared,
        "only_here": list(comparison.only_new),
        "only_there": list(comparison.only_old),
        "k": comparison.k,
        "difference": _interval(comparison.difference),
        "better": comparison.better,
        "worse": comparison.worse,
        "p_value": _round(comparison.p_value),
        "worth_micros": _interval(comparison.worth),
        "flips": [
            {
                "case": flip.case,
                "now": "passes" if flip.better else "fails",
                "decided": flip.new.decided.value,
                "was": flip.old.decided.value,
            }
            for flip in comparison.flips
        ],
    }


def _calibration(calibration: Calibration | None) -> Form | None:
    if calibration is None:
        return None
    return {
        "cases": calibration.n,
        "brier": _round(calibration.brier),
        "error": _round(calibration.error),
        "bins": [
            {"cases": one.size, "forecast": _round(one.forecast), "came": _interval(one.came)}
            for one in calibration.bins
        ],
    }


def _share(share: Share) -> Form:
    return {"hits": share.hits, "of": share.n, "share": _interval(share.interval)}


def _interval(interval: Interval | None) -> Form | None:
    if interval is None:
        return None
    return {
        "estimate": _round(interval.estimate),
        "low": _round(interval.low),
        "high": _round(interval.high),
    }


def _round(value: float) -> float:
    return round(value, _PLACES)
