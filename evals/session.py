"""One run of chosen cases, as results to judge and compare, with the gaps that are known kept apart."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Final

from agent.clock import system_clock
from agent.errors import OutriderError
from evals.beside_rules import with_rules_only
from evals.cases.model import Case
from evals.commit_side import CommitSide
from evals.compare.changes import changed
from evals.compare.sides import Change, Circumstances, other_side
from evals.keeping import Keeper, needed_of, to_write
from evals.made import MADE_SUITES
from evals.models.asked import Asked
from evals.models.asking import Tier
from evals.models.choosing import CURRENCY, ModelWish, asking_for
from evals.models.live import LiveAsking
from evals.models.recordings import Recording, add_recordings
from evals.models.run_file import Finished, RunFile
from evals.report.words import money
from evals.results import Run, Transcript
from evals.run_case import Judged
from evals.stats.worth import CostTable
from evals.suites import Chosen, Wanted, choose, count_by_suite
from evals.trials import Plan, run_trials, usual_jobs
from evals.world.deciding import Deciding, check_decided
from tools.yaml_file import load_yaml

Progress = Callable[[int, int, str], None]
"""Called with (trials done, trials in all, what else there is to say)."""

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
    unrecorded: Sequence[Recording] = ()
    """Questions that no recording answers, to be filled in."""

    @property
    def closed_gaps(self) -> list[Gap]:
        """Known gaps that are none any more; a model may close one by luck, the rules model cannot."""
        return [gap for gap in self.gaps if gap.closed and self.run.tier == "rules"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How a run came to its end."""

    wanted: int
    """Trials that were to be run, those of earlier times included."""
    why: str
    """Why it was stopped; empty when it was not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """What a person asked for; the cases are chosen once, also for another side."""

    wanted: Wanted
    deciding: Deciding
    repeats: int = 1
    jobs: int | None = None
    cards: bool = False
    run_file: Path | None = None
    """Where a live run keeps its trials."""
    record: Path | None = None
    """Folder for the replies of a live run."""

    def asking(self, wish: ModelWish, *, env: Mapping[str, str]) -> "Session":
        """Return the same session with whom somebody wants to ask.

        Raises:
            InputError: There are no recordings, no live model is set up, or nothing bounds what it costs.
        """
        return replace(self, deciding=self.deciding.asked_by(asking_for(wish, env=env)))

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
            InputError: A dataset, playbook, limit or template is wrong, or no playbook decides a case.
        """
        chosen = self.choose()
        check_decided(chosen.cases, self.deciding)
        return self._run(chosen, self.deciding, WORKING_TREE, progress, self.run_file, beside=True)

    def other_side(self, against: str, progress: Progress) -> Run:
        """Return the run to compare with.

        Raises:
            InputError: It is nothing that can be compared with.
            OutriderError: The other side could not be run.
        """
        chosen = self.choose()
        wanted = len(chosen.cases) * self.repeats
        beside = self.run_file and self.run_file.with_name(f"{self.run_file.stem}.against.jsonl")

        def rerun(change: Change, *, name: str) -> Run:
            with changed(self.deciding, change) as deciding:
                check_decided(chosen.cases, deciding)
                done = self._run(chosen, deciding, name, progress, beside)
            if not done.run.results:
                raise OutriderError(
                    f"{name} has no result to compare with: {done.run.stopped or 'none counts'}"
                )
            return done.run

        return other_side(
            against,
            Circumstances(
                suites=chosen.suites,
                rerun=rerun,
                ref=CommitSide(
                    wanted=self.wanted,
                    repeats=self.repeats,
                    asking=self.deciding.asking,
                    run_file=self.run_file,
                    show=lambda done, words: progress(done, wanted, words),
                ).how(),
            ),
        )

    def _run(
        self,
        chosen: Chosen,
        deciding: Deciding,
        name: str,
        progress: Progress,
        run_file: Path | None,
        *,
        beside: bool = False,
    ) -> Done:
        """Run the cases; `beside` asks what rules alone decide in them, too."""
        live = deciding.tier is Tier.LIVE and run_file is not None
        file = RunFile(run_file, self._identity(chosen, deciding)) if live and run_file else None
        before = [_judged(one) for one in file.finished] if file else []
        plan = Plan(
            cases=chosen.cases,
            deciding=deciding,
            repeats=self.repeats,
            seed=self.wanted.seed,
            jobs=self.jobs or usual_jobs(),
            cards=self.cards,
            done=frozenset((one.result.case, one.result.repeat) for one in before),
        )
        keeper = Keeper(file)
        wanted = len(chosen.cases) * self.repeats

        def told(done: int, left: int) -> None:
            progress(wanted - left + done, wanted, _spent_words(deciding))

        def told_of_rules(done: int, left: int) -> None:
            progress(done, left, "rules alone, to compare")

        outcomes = [*before, *run_trials(plan, progress=told, keep=keeper.keep)]
        if beside:
            outcomes = with_rules_only(plan, outcomes, told_of_rules)
        return self._done(chosen, deciding, name, outcomes, Ended(wanted=wanted, why=keeper.stopped))

    def _done(
        self, chosen: Chosen, deciding: Deciding, name: str, outcomes: Sequence[Judged], ended: Ended
    ) -> Done:
        cases = {case.id: case for case in chosen.cases}
        answered = [one for one in outcomes if one.asked.counts]
        if self.record is not None and isinstance(deciding.asking, LiveAsking):
            _record(self.record, deciding.asking, answered)
        counted = [one for one in answered if not cases[one.result.case].known_gap]
        return Done(
            run=self._stored(chosen, deciding, name, counted, outcomes, ended),
            outcomes=counted,
            cases=cases,
            gaps=_gaps(answered, cases),
            skipped=chosen.skipped,
            unrecorded=to_write(outcomes),
        )

    def _stored(
        self,
        chosen: Chosen,
        deciding: Deciding,
        name: str,
        counted: Sequence[Judged],
        outcomes: Sequence[Judged],
        ended: Ended,
    ) -> Run:
        transcripts: dict[str, Transcript] = {one.transcript.reference: one.transcript for one in counted}
        asking = deciding.asking
        needed = needed_of(outcomes)
        return Run(
            name=name,
            suites=chosen.suites,
            dataset_hash=chosen.dataset_hash,
            code=version("outrider"),
            model=deciding.model_name,
            tier=deciding.tier.value,
            prompts=dict(asking.prompts) if asking else {},
            policies_hash=deciding.policies_hash,
            repeats=self.repeats,
            seed=self.wanted.seed,
            at=system_clock().isoformat(timespec="seconds"),
            costs=load_yaml(COSTS_FILE, CostTable),
            results=tuple(
                one.result.model_copy(update={"transcript": one.transcript.reference}) for one in counted
            ),
            needed=needed,
            left=ended.wanted - sum(one.asked.counts or bool(one.asked.needed) for one in outcomes),
            stopped=ended.why,
            spent_micros=asking.book.spent() if isinstance(asking, LiveAsking) else 0,
            transcripts=transcripts,
        )

    def _identity(self, chosen: Chosen, deciding: Deciding) -> dict[str, object]:
        """Return what must be the same when a run is gone on with; further repeats may be added."""
        return {
            "cases": chosen.dataset_hash,
            "model": deciding.model_name,
            "prompts": dict(deciding.asking.prompts) if deciding.asking else {},
            "policies": deciding.policies_hash,
            "code": version("outrider"),
            "seed": self.wanted.seed,
        }


def _spent_words(deciding: Deciding) -> str:
    asking = deciding.asking
    return f"{money(asking.book.spent(), CURRENCY)} spent" if isinstance(asking, LiveAsking) else ""


def _judged(one: Finished) -> Judged:
    return Judged(result=one.result, transcript=one.transcript, asked=Asked(recordings=one.recordings))


def _record(folder: Path, asking: LiveAsking, answered: Sequence[Judged]) -> None:
    first: dict[str, Judged] = {}  # one repeat as a whole: replies of several do not follow from each other
    for one in sorted(answered, key=lambda judged: judged.result.repeat):
        first.setdefault(one.result.case, one)
    fresh = [(one.result.scenario, recording) for one in first.values() for recording in one.asked.recordings]
    add_recordings(folder, asking.head(), fresh, prompts=asking.prompts)


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
