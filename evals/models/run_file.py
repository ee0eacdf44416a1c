"""The file of a live run: what it is a run of, what it spent, and every trial as soon as it is finished."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict, ValidationError

from evals.models.recordings import Recording
from evals.models.shared_lines import Line, SharedLines
from evals.results import Result, Transcript
from tools.errors import InputError

_RUN: Final = "run"
_TRIAL: Final = "trial"


def count_trials(path: Path) -> int:
    """Return how many trials a run file holds, which another process may be writing to."""
    mark = f'{{"{_TRIAL}":'.encode()
    with path.open("rb") as file:
        return sum(line.startswith(mark) for line in file)


class Finished(BaseModel):
    """One trial that is done, with the replies that were paid for."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    result: Result
    transcript: Transcript
    recordings: tuple[Recording, ...] = ()


class RunFile:
    """Takes trials one by one; a run that is killed goes on from here."""

    def __init__(self, path: Path, run: Mapping[str, object]) -> None:
        """Begin the file of a run, or go on with it.

        Args:
            path: Made when it is missing.
            run: What makes runs the same: cases, model, prompts, playbooks, code and seed.

        Raises:
            InputError: The file holds another run, or is none.
        """
        self._lines = SharedLines(path)
        self.finished: Sequence[Finished] = ()
        with self._lines.locked() as file:
            lines = file.new()
            if not lines:
                file.append({_RUN: dict(run)})
                return
            self._check(lines[0], run)
            self.finished = [
                self._trial(line, number) for number, line in enumerate(lines, start=1) if _TRIAL in line
            ]

    @property
    def path(self) -> Path:
        """Where it is."""
        return self._lines.path

    def keep(self, finished: Finished) -> None:
        """Write a trial through to the disk."""
        with self._lines.locked() as file:
            file.append({_TRIAL: finished.model_dump(mode="json")})

    def _check(self, first: Line, run: Mapping[str, object]) -> None:
        known: object = first.get(_RUN)
        if not isinstance(known, dict):
            raise InputError(
                "this is no run file",
                path=self.path,
                remedy="name a file that an earlier run made, or a new one",
            )
        differs = [name for name, value in run.items() if known.get(name) != value]  # pyright: ignore[reportUnknownMemberType]  # JSON
        if differs:
            raise InputError(
                f"this is the file of another run: {', '.join(differs)} differ",
                path=self.path,
                remedy="repeat the command as it was, or name a new file",
            )

    def _trial(self, line: Line, number: int) -> Finished:
        try:
            return Finished.model_validate_json(json.dumps(line[_TRIAL]))
        except ValidationError as exc:
            first = exc.errors(include_url=False)[0]
            raise InputError(
                f"this trial cannot be read: {first['msg']}",
                path=self.path,
                line=number,
                field=".".join(map(str, first["loc"])) or None,
                remedy="remove the line; the trial is then run again",
            ) from exc
