"""How another commit runs the same cases: with the same suites and model, and within the same spend cap."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from agent.audit.figures import micros
from evals.compare.git_ref import RefRun
from evals.models.asking import Asking
from evals.models.choosing import CURRENCY
from evals.models.live import LiveAsking
from evals.models.recorded import RecordedAsking
from evals.models.recordings import SHIPPED
from evals.models.run_file import count_trials
from evals.models.spending import SpendBook, file_beside
from evals.suites import Wanted
from tools.errors import InputError

_REPOSITORY: Final = Path(__file__).parent
_MICROS: Final = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class CommitSide:
    """A run by another commit, beside one of the working tree that is over."""

    wanted: Wanted
    repeats: int
    asking: Asking | None
    run_file: Path | None
    """Of the run of the working tree; that of the commit lies beside it, named by the commit."""
    show: Callable[[int, str], None]
    """Told of the trials that are done there, and what they cost."""

    def how(self) -> RefRun:
        """Return how to run it."""
        run = RefRun(
            repository=_REPOSITORY,
            arguments=[*_of_cases(self.wanted, self.repeats), *_of_recordings(self.asking)],
        )
        if isinstance(self.asking, LiveAsking) and self.run_file is not None:
            live, run_file = self.asking, self.run_file
            return RefRun(
                repository=run.repository,
                arguments=run.arguments,
                arguments_at=lambda commit: _of_live(live, file_beside(run_file, commit)),
                watch=lambda commit: self._watch(file_beside(run_file, commit)),
                most_time=None,
            )
        return run

    def _watch(self, file: Path) -> None:
        if file.is_file():
            spent = SpendBook(file, cap_micros=None).spent()
            self.show(count_trials(file), f"{micros(spent)} {CURRENCY} spent")


def _of_cases(wanted: Wanted, repeats: int) -> list[str]:
    arguments = ["eval", "--repeat", f"{repeats}", "--seed", f"{wanted.seed}"]
    arguments += ["--datasets", str(wanted.datasets.resolve())]
    for option, values in (
        ("--suite", wanted.suites),
        ("--scenario", wanted.scenarios),
        ("--family", wanted.families),
        ("--case", wanted.cases),
    ):
        arguments += [part for value in values for part in (option, value)]
    return arguments


def _of_recordings(asking: Asking | None) -> Sequence[str]:
    if not isinstance(asking, RecordedAsking):
        return ()
    if asking.recordings.folder == SHIPPED:  # the shipped replies are those of the other commit
        return ("--model", "recorded")
    return ("--model", "recorded", "--recordings", str(asking.recordings.folder.resolve()))


def _of_live(asking: LiveAsking, file: Path) -> list[str]:
    """Return the options of a live run that may spend what is left, and what it has spent itself before.

    Raises:
        InputError: Nothing is left.
    """
    arguments = ["--model", "live", "--resume", str(file)]
    if asking.config is not None:
        arguments += ["--config", str(asking.config.resolve())]
    left = asking.book.left()
    if left is None:
        return arguments
    before = SpendBook(file, cap_micros=None).spent() if file.is_file() else 0
    if left + before <= 0:
        raise InputError(
            "nothing of the spend cap is left for the other commit",
            field="--spend-cap",
            remedy="raise it; with the same --resume nothing is paid for twice",
        )
    return [*arguments, "--spend-cap", f"{(left + before) / _MICROS:.6f}"]
