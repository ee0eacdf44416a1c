"""The same cases as tasks of Inspect, whose viewer shows each transcript; needs the extra `inspect`.

    inspect eval evals/inspect_tasks.py@decisions -T suite=quiet_hours --model none
    inspect view

Cases are served and scored by `evals.run_case`, exactly as `outrider eval` does it. Inspect adds its log, its
viewer and its epochs; its exit code says nothing about the outcome, so builds are gated by `outrider eval`.
"""

# pyright: basic, reportMissingImports=false
# Inspect is an extra, so the type checkers may run without it.

import asyncio
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, Final

from inspect_ai import Epochs, Task, task
from inspect_ai.dataset import MemoryDataset, Sample
from inspect_ai.log import transcript
from inspect_ai.model import ChatMessageAssistant, ModelOutput
from inspect_ai.scorer import (
    CORRECT,
    INCORRECT,
    Score,
    Scorer,
    Target,
    accuracy,
    grouped,
    scorer,
    stderr,
)
from inspect_ai.solver import Generate, Solver, TaskState, solver

from agent.clock import system_clock
from agent.log import configure_logs
from evals.cases.model import Case
from evals.made import MADE_SUITES
from evals.results import Result, Transcript
from evals.run_case import Judged, family_name
from evals.suites import HAND_MADE, Wanted, choose
from evals.trials import Bench, Trial
from evals.world.deciding import Deciding

_RESULT: Final = "outrider_result"
_SEPARATOR: Final = ","


@task
def decisions(
    suite: str = HAND_MADE,
    family: str = "",
    case: str = "",
    policies: str = "",
    seed: int = 1,
    repeat: int = 1,
) -> Task:
    """Return the cases of a suite as a task.

    Args:
        suite: Names as `outrider eval --suite` takes them, with commas between.
        family: Families by name or number, with commas between; all without any.
        case: Cases by id, with commas between; all without any.
        policies: A folder of playbooks, instead of the shipped ones.
        seed: Makes the generated suites and the ids.
        repeat: Times each case is tried; a case passes when it passes every time.

    Raises:
        InputError: There is no such suite, family or case, or a file is wrong.
    """
    wanted = Wanted(suites=_names(suite), families=_names(family), cases=_names(case), seed=seed)
    # a case that the present system is known to fail would only lower the mean; `outrider eval` counts them
    cases = [one for one in choose(wanted, MADE_SUITES).cases if not one.known_gap]
    deciding = Deciding.from_folder(Path(policies) if policies else None).prepared()
    return Task(
        dataset=MemoryDataset([_sample(one) for one in cases], name=suite),
        solver=serve({one.id: one for one in cases}, deciding, seed),
        scorer=end_state(),
        epochs=Epochs(repeat, f"pass_k_{repeat}") if repeat > 1 else None,
        name="decisions",
    )


@solver
def serve(cases: dict[str, Case], deciding: Deciding, seed: int) -> Solver:
    """Serve a case in a system of its own, and tell what happened as messages and events."""
    configure_logs(clock=system_clock, level="error")  # what goes wrong is in the results
    # one thread owns the scratch database and the event loop in which a system lives
    thread = ThreadPoolExecutor(1, thread_name_prefix="outrider")
    bench = Bench(deciding, seed, cards=True)

    async def solve(state: TaskState, generate: Generate) -> TaskState:  # noqa: ARG001  # Inspect's signature
        trial = Trial(case=cases[str(state.sample_id)], repeat=state.epoch - 1)
        run = partial(bench.run, [trial])
        (judged,) = await asyncio.get_running_loop().run_in_executor(thread, run)
        _tell(judged, state)
        return state

    return solve


@scorer(metrics=[accuracy(), stderr(cluster="family"), grouped(accuracy(), "family")])
def end_state() -> Scorer:
    """Score what a case came to: the product of end state, forbidden effects, facts and grounding."""

    async def judge(state: TaskState, target: Target) -> Score:  # noqa: ARG001  # Inspect's signature
        result = Result.model_validate_json(state.metadata[_RESULT])
        parts = result.score.model_dump(exclude={"reasons"})
        return Score(
            value=CORRECT if result.score.passed else INCORRECT,
            answer=result.decided.value,
            explanation="\n".join(result.score.reasons) or "as expected",
            metadata={**parts, "reason": result.reason, "broken": list(result.broken)},
        )

    return judge


def _sample(case: Case) -> Sample:
    return Sample(
        id=case.id,
        input=case.title,
        target=[one.value for one in case.expect.decisions],
        metadata={
            "family": family_name(case),
            "scenario": case.scenario,
            "critical": list(case.critical),
            "twin": case.twin,
        },
    )


def _tell(judged: Judged, state: TaskState) -> None:
    told: Transcript = judged.transcript
    state.metadata[_RESULT] = judged.result.model_dump_json()
    for step in told.steps:
        state.messages.append(ChatMessageAssistant(content=f"{step.at}  {step.stage}: {step.what}"))
    for message in told.messages:
        words = f"{message.channel} to {message.recipient}\n{message.subject}\n\n{message.body}"
        state.messages.append(ChatMessageAssistant(content=words))
    transcript().info(_as_json(told), source="outrider")
    state.output = ModelOutput.from_content(model="outrider", content=judged.result.decided.value)
    state.completed = True


def _as_json(told: Transcript) -> dict[str, Any]:
    return {"situation": told.situation, "card": told.card}


def _names(words: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in words.split(_SEPARATOR) if word.strip())
