"""The other side of a comparison: a stored run, or the same cases with one thing changed."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Protocol

from evals.compare.baseline import BASELINES, NAME, read_baseline
from evals.compare.git_ref import RefRun, run_ref
from evals.results import Run, read_run
from tools.errors import InputError

_CHANGES: Final = frozenset({"model", "prompt", "policy"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """The one thing that a side does differently; the rest is as in the run it is compared with."""

    model: str = ""
    prompt: str = ""
    """A folder of prompts, or `NAME:FILE`: one file in place of one prompt."""
    policies: Path | None = None
    """A folder with other playbooks, and limits if it has a `limits.yaml`."""


class Rerun(Protocol):
    """Runs the same cases with a change."""

    def __call__(self, change: Change, *, name: str) -> Run:
        """Return the run; `name` is what reports call it."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Circumstances:
    """What is needed to obtain another side."""

    suites: tuple[str, ...]
    rerun: Rerun
    ref: RefRun
    """How to run the same suites in a checkout of another commit."""
    baselines: Path = field(default=BASELINES)


def other_side(against: str, at: Circumstances) -> Run:
    """Return the other side that `--against` names.

    Args:
        against: `baseline`, a file of `--out`, `model=NAME`, `prompt=NAME:FILE`, `policy=FOLDER`, or a
            commit, branch or tag of the repository. A file wins over a branch of the same name.
        at: How to get it.

    Raises:
        InputError: It is none of these, or what it names is not there.
        OutriderError: The commit could not be run.
    """
    key, equals, value = against.partition("=")
    if equals and key in _CHANGES:
        return at.rerun(_change(key, value), name=against)
    if against == NAME:
        return read_baseline(at.suites, at.baselines)
    if Path(against).is_file():
        return read_run(Path(against))
    return run_ref(against, at.ref)


def _change(key: str, value: str) -> Change:
    if not value:
        raise InputError(f"nothing after {key}=", field="--against", remedy=f"write {key}=NAME")
    match key:
        case "model":
            return Change(model=value)
        case "prompt":
            return Change(prompt=value)
        case _:
            folder = Path(value)
            if not folder.is_dir():
                raise InputError(
                    "no such folder of policies", path=folder, field="--against", remedy="check it"
                )
            return Change(policies=folder)
