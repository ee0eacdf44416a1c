"""A run with everything that was made of it: figures, gates, and a comparison if there was one."""

from collections.abc import Sequence
from dataclasses import dataclass

from evals.compare.verdict import Comparison, Judgement
from evals.gate import GateAnswer, Gates, broken, judge
from evals.report.complete import complete_answer
from evals.results import Run
from evals.summary import Summary, summarise

_GOOD_VERDICT = "Every gate holds"


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """What a report shows."""

    run: Run
    summary: Summary
    answers: Sequence[GateAnswer]
    comparison: Comparison | None

    @property
    def ok(self) -> bool:
        """Whether no gate is broken."""
        return not broken(self.answers)

    @property
    def headline(self) -> str:
        """The verdict in one sentence."""
        gates = broken(self.answers)
        if not self.answers:
            first = "No gate was asked"
        elif gates:
            first = f"{len(gates)} gate{'s' if len(gates) > 1 else ''} broken"
        else:
            first = _GOOD_VERDICT
        return f"{first}; {against_words(self.comparison)}." if self.comparison else f"{first}."


def judged(run: Run, gates: Gates, comparison: Comparison | None = None) -> Judged:
    """Return a run with its figures and the answers of its gates.

    Args:
        run: At least one result.
        gates: Bounds; their k is that of every pass^k shown.
        comparison: Of the run with another side.
    """
    return Judged(
        run=run,
        summary=summarise(run, k=gates.k),
        answers=[*_complete(run), *judge(gates, run, comparison)],
        comparison=comparison,
    )


def _complete(run: Run) -> list[GateAnswer]:
    return [] if run.tier == "rules" else [complete_answer(run)]


def against_words(comparison: Comparison) -> str:
    """Return the verdict of a comparison as a part of a sentence."""
    other = comparison.old.name
    match comparison.judgement:
        case Judgement.BETTER:
            return f"better than {other}"
        case Judgement.WORSE:
            return f"worse than {other}"
        case Judgement.NOT_SHOWN:
            return f"no difference to {other} is shown"
