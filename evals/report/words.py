"""Figures as people read them; the same words in the terminal and on the page."""

from collections.abc import Sequence

from evals.gate import GateAnswer, Standing
from evals.report.complete import incomplete
from evals.results import Run
from evals.stats.interval import Interval
from evals.stats.worth import CostTable
from evals.summary import Share, Spent, Worth

_MICROS = 1_000_000


def percent(share: float) -> str:
    """Return a share as a percentage with one place."""
    return f"{share:.1%}"


def points(difference: float) -> str:
    """Return a difference of shares in percentage points, signed."""
    return f"{100 * difference:+.1f} points"


def between(interval: Interval | None) -> str:
    """Return a share with its bounds, or `none` without one."""
    if interval is None:
        return "none"
    return f"{percent(interval.estimate)} ({percent(interval.low)} to {percent(interval.high)})"


def counted(share: Share, of: str) -> str:
    """Return a share with its bounds and its counts, in words for what was counted."""
    return f"{between(share.interval)}, {share.hits} of {share.n} {of}" if share.n else f"there were no {of}"


def chance(p: float) -> str:
    """Return a p-value with four places."""
    least = 0.0001
    return f"p < {least:.4f}" if p < least else f"p = {p:.4f}"


def money(micros: float, currency: str) -> str:
    """Return micro-units as an amount with four places."""
    return f"{micros / _MICROS:,.4f} {currency}"


def gates_words(answers: Sequence[GateAnswer]) -> str:
    """Return how many gates hold, of those that could be judged."""
    held, left = (
        sum(one.standing is standing for one in answers) for standing in (Standing.HELD, Standing.NOT_JUDGED)
    )
    return f"{held} of {len(answers) - left} hold" + (f", {left} not judged" if left else "")


def by_whom(run: Run) -> str:
    """Return who decided, so that nobody takes one tier for another."""
    match run.tier:
        case "rules":
            return "the rules model"
        case "recorded":
            return f"recorded replies of {run.model}"
        case "live":
            return f"{run.model}, live"


def other_side_rows(run: Run) -> list[tuple[str, str]]:
    """Return what must be known of the other side: who decided, for how much, and what is missing."""
    rows = [("decided there by", by_whom(run))]
    if cost := sum(result.cost_micros for result in run.results):
        rows.append(("model there, in all", money(cost, "USD")))
    return rows + [("missing there", sentence) for sentence in incomplete(run)]


def spent_rows(spent: Spent) -> list[tuple[str, str]]:
    """Return what decisions cost, one figure per line; what only a model has is left out without one."""
    rows = [
        ("model, per decision", money(spent.per_decision_micros, "USD")),
        ("model, in all", money(spent.cost_micros, "USD")),
    ]
    if spent.in_all_micros > spent.cost_micros:
        rows.append(("with trials that were cut off", money(spent.in_all_micros, "USD")))
    if spent.calls:
        failed = ", ".join(f"{number} {kind}" for kind, number in sorted(spent.failed_calls.items()))
        rows.append(("calls", f"{spent.calls:,}" + (f", of them failed: {failed}" if failed else "")))
    rows.append(("tokens", f"{spent.prompt_tokens:,} in, {spent.completion_tokens:,} out"))
    rows.append(("time", _times(spent.median_milliseconds, spent.p95_milliseconds)))
    if spent.calls:
        rows.append(
            ("time of the model", _times(spent.model_median_milliseconds, spent.model_p95_milliseconds))
        )
    return rows


def _times(median: int, p95: int) -> str:
    return f"{median} ms median, {p95} ms at 95 %, per decision"


def plain_policies(worth: Worth) -> list[tuple[str, float]]:
    """Return the worth per decision of the run and of the policies it must beat, in micro-units."""
    rows = [
        ("Outrider", worth.decided),
        ("rules only", worth.rules_only),
        ("always contact", worth.always),
        ("never contact", worth.never),
    ]
    return [(name, value) for name, value in rows if value is not None]


def even_words(worth: Worth, costs: CostTable) -> str:
    """Return how much of the comparison with writing to everybody rests on the cost of a needless message."""
    if worth.even_false_alarm is None:
        return ""
    if not worth.even_false_alarm:
        return "Worth more than writing to everybody, whatever a needless message costs."
    least, assumed = (money(value, worth.currency) for value in (worth.even_false_alarm, costs.false_alarm))
    return (
        f"Worth more than writing to everybody where a needless message costs more than {least}; "
        f"the table says {assumed}."
    )
