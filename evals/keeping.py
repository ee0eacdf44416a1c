"""What becomes of each trial as it comes: counted, kept in the run file, or a reason to stop."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from evals.models.recordings import Recording
from evals.models.run_file import Finished, RunFile
from evals.results import Needed
from evals.run_case import Judged

_MOST_UNANSWERED: Final = 3
"""Trials in a row without an answer; a server that restarts loses fewer, one that is gone loses all."""


@dataclass(slots=True)
class Keeper:
    """Keeps the trials of one run."""

    file: RunFile | None = None
    stopped: str = ""
    """Why no further trial is begun; empty while it goes on."""
    _in_a_row: int = 0

    def keep(self, judged: Judged) -> bool:
        """Take an outcome; return whether to go on."""
        asked = judged.asked
        if asked.counts:
            self._in_a_row = 0
            if self.file is not None:
                self.file.keep(
                    Finished(result=judged.result, transcript=judged.transcript, recordings=asked.recordings)
                )
        elif asked.over_cap:
            self.stopped = self.stopped or "the spend cap does not cover another call"
        elif asked.unanswered:
            self._in_a_row += 1
            if self._in_a_row >= _MOST_UNANSWERED:
                self.stopped = self.stopped or f"the model does not answer ({asked.unanswered})"
        return not self.stopped


def needed_of(outcomes: Iterable[Judged]) -> tuple[Needed, ...]:
    """Return the questions without a recording, each once for each case that asks it."""
    found = {(one.case, one.request): one for judged in outcomes for one in judged.asked.why}
    return tuple(found[key] for key in sorted(found))


def to_write(outcomes: Iterable[Judged]) -> list[Recording]:
    """Return the same questions with their text, each once, in the order of their cases."""
    found: dict[str, Recording] = {}
    for judged in outcomes:
        for one in judged.asked.needed:
            found.setdefault(one.request, one)
    return sorted(found.values(), key=lambda one: (one.case, one.task, one.request))
