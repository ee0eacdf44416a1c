"""What a run did not come to: cases without a recording, and trials that were not run."""

from evals.gate import GateAnswer, Standing
from evals.results import Run

GATE = "complete"


def incomplete(run: Run) -> list[str]:
    """Return what is missing, a sentence each; empty for a run in which every trial has a result."""
    sentences: list[str] = []
    if run.needed:
        cases = len({one.case for one in run.needed})
        asked = len({one.request for one in run.needed})
        sentences.append(
            f"{cases} case{'s' if cases > 1 else ''} need{'' if cases > 1 else 's'} new recordings: "
            f"no recording answers {asked} question{'s' if asked > 1 else ''}."
        )
    if run.left:
        why = f": {run.stopped}" if run.stopped else ""
        sentences.append(f"{run.left} trial{'s' if run.left > 1 else ''} without a result{why}.")
    return sentences


def complete_answer(run: Run) -> GateAnswer:
    """Return the gate that no file can leave out: figures over a part of the cases pass for nothing else."""
    missing = incomplete(run)
    return GateAnswer(
        gate=GATE,
        standing=Standing.BROKEN if missing else Standing.HELD,
        sentence=" ".join(missing) or "every trial has a result",
    )
