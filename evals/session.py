"""One run of chosen cases, as results to judge and compare, with the gaps that are known kept apart."""

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Final

from agent.clock import system_clock
from agent.errors import OutriderError
from evals.cases.model import Case
from evals.compare.git_ref import RefRun
from evals.compare.sides import Change, Circumstances, other_side
from evals.made import MADE_SUITES
from evals.results import Run, Transcript
from evals.run_case import Judged
from evals.stats.worth import CostTable
from evals.suites import Chosen, Wanted, choose, count_by_suite
from evals.trials import Plan, Progress, run_trials, usual_jobs
from evals.world.deciding import Deciding
from tools.yaml_file import load_yaml

COSTS_FILE: Final = Path(__file__).with_name("costs.yaml")
WORKING_TREE: Final = "working tree"


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """A case that the present system is known to fail."""

    case: Case
    closed: bool
    """Whether it passed after all: the mark is out of date."""
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """What came of a run."""

    run: Run
    outcomes: Sequence[Judged]
    cases: dict[str, Case]
    gaps: Sequence[Gap]
    skipped: Sequence[str]

    @property
    def closed_gaps(self) -> list[Gap]:
        """Known gaps that are none any more."""
        return [gap for gap in self.gaps if gap.closed]


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """What a person asked for; the cases are chosen once, also for another side."""

    wanted: Wanted
    deciding: Deciding
    repeats: int = 1
    jobs: int | None = None
    cards: bool = False

    def choose(self) -> Chosen:
        """Return the cases of the run.

        Raises:
            InputError: There is no such suite, scenario, family or case, or a dataset is wrong.
        """
        return choose(self.wanted, MADE_SUITES)

    def count(self) -> list[tuple[str, int, int, str]]:
        """Return (suite, cases, of them without a contact, why it cannot be made here)."""
        return count_by_suite(self.wanted, MADE_SUITES)

    def run(self, progress: Progress) -> Done:
        """Run the cases.

        Raises:
            InputError: A dataset, playbook, limit or template is wrong.
        """
        return self._run(self.choose(), self.deciding, WORKING_TREE, progress)

    def other_side(self, against: str, progress: Progress) -> Run:
        """Return the run to compare with.

        Raises:
            InputError: It is nothing that can be compared with.
            OutriderError: The other side could not be run.
        """
        chosen = self.choose()

        def rerun(change: Change, *, name: str) -> Run:
            return self._run(chosen, _changed(change), name, progress).run

        return other_side(
            against,
            Circumstances(
                suites=chosen.suites,
                rerun=rerun,
                ref=RefRun(repository=Path(__file__).parent, arguments=self._arguments()),
            ),
        )

    def _run(self, chosen: Chosen, deciding: Deciding, name: str, progress: Progress) -> Done:
        plan = Plan(
            cases=chosen.cases,
            deciding=deciding,
            repeats=self.repeats,
            seed=self.wanted.seed,
            jobs=self.jobs or usual_jobs(),
            cards=self.cards,
        )
        outcomes = run_trials(plan, progress=progress)
        cases = {case.id: case for case in chosen.cases}
        counted = [one for one in outcomes if not cases[one.result.case].known_gap]
        return Done(
            run=self._stored(chosen, deciding, name, counted),
            outcomes=counted,
            cases=cases,
            gaps=_gaps(outcomes, cases),
            skipped=chosen.skipped,
        )

    def _stored(self, chosen: Chosen, deciding: Deciding, name: str, outcomes: Sequence[Judged]) -> Run:
        transcripts: dict[str, Transcript] = {one.transcript.reference: one.transcript for one in outcomes}
        return Run(
            name=name,
            suites=chosen.suites,
            dataset_hash=chosen.dataset_hash,
            code=version("outrider"),
            model=deciding.model_name,
            policies_hash=deciding.policies_hash,
            repeats=self.repeats,
            seed=self.wanted.seed,
            at=system_clock().isoformat(timespec="seconds"),
            costs=load_yaml(COSTS_FILE, CostTable),
            results=tuple(
                one.result.model_copy(update={"transcript": one.transcript.reference}) for one in outcomes
            ),
            transcripts=transcripts,
        )

    def _arguments(self) -> list[str]:
        wanted = self.wanted
        arguments = ["eval", "--repeat", f"{self.repeats}", "--seed", f"{wanted.seed}"]
        arguments += ["--datasets", str(wanted.datasets.resolve())]
        for option, values in (
            ("--suite", wanted.suites),
            ("--scenario", wanted.scenarios),
            ("--family", wanted.families),
            ("--case", wanted.cases),
        ):
            arguments += [part for value in values for part in (option, value)]
        return arguments


def _changed(change: Change) -> Deciding:
    if change.policies is not None:
        return Deciding.from_folder(change.policies)
    raise OutriderError(
        "another model or prompt needs a model that answers, and this run has the rules model"
    )


def _gaps(outcomes: Sequence[Judged], cases: dict[str, Case]) -> list[Gap]:
    by_case: dict[str, list[Judged]] = {}
    for one in outcomes:
        if cases[one.result.case].known_gap:
            by_case.setdefault(one.result.case, []).append(one)
    return [
        Gap(
            case=cases[case],
            closed=all(one.result.passed for one in found),
            reasons=tuple(dict.fromkeys(reason for one in found for reason in one.result.score.reasons)),
        )
        for case, found in by_case.items()
    ]
