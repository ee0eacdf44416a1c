"""A run of the same cases by the code, prompts and policies of another commit."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final

from agent.errors import OutriderError
from evals.results import Run, read_run
from tools.errors import InputError

_GIT_SECONDS: Final = 120
_SHOWN: Final = 5
"""Last lines of a failed run that are shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RefRun:
    """How to run suites in a checkout."""

    repository: Path
    """Any folder of it."""
    arguments: Sequence[str]
    """Of `outrider`, from `eval` on, with the datasets of the working tree; `--out FILE` is added."""
    most_time: timedelta = timedelta(minutes=30)


def run_ref(ref: str, how: RefRun) -> Run:
    """Check a commit out into a temporary folder, run it there as a process, and return its results.

    The folder and git's note of it are removed, also when the run fails. Exit code 1 is no failure: a
    side that breaks a gate can still be compared with.

    Raises:
        InputError: There is no such commit, or the folder is no git repository.
        OutriderError: The commit cannot run these suites.
    """
    commit = _commit(ref, how.repository)
    with _checkout(commit, how.repository) as folder, tempfile.TemporaryDirectory() as results:
        out = Path(results) / "run.json"
        said = _run(ref, [*how.arguments, "--out", str(out)], folder, how.most_time)
        if not out.is_file():
            raise OutriderError(f"{ref} cannot run these suites: {said or 'it wrote no results'}")
        return read_run(out).model_copy(update={"name": ref, "code": commit})


def _run(ref: str, arguments: Sequence[str], folder: Path, most_time: timedelta) -> str:
    """Run `outrider` in the folder and return the last lines it said."""
    # -P and the path keep the code of the working tree out, wherever this interpreter finds it
    environment = os.environ | {"PYTHONPATH": str(folder)}
    try:
        done = subprocess.run(  # noqa: S603  # our own interpreter, arguments as a list
            [sys.executable, "-P", "-m", "agent", *arguments],
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
            timeout=most_time.total_seconds(),
            check=False,
        )
    except subprocess.TimeoutExpired as exc:
        raise OutriderError(f"{ref} did not finish in {most_time}") from exc
    return " / ".join(done.stderr.strip().splitlines()[-_SHOWN:])


def _commit(ref: str, repository: Path) -> str:
    done = _git(repository, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{ref}^{{commit}}")
    if done.returncode:
        raise InputError(
            f"{ref!r} is no file of results and no commit",
            field="--against",
            remedy="give baseline, FILE, a commit, model=NAME, prompt=NAME:FILE or policy=FOLDER",
        )
    return done.stdout.strip()


@contextmanager
def _checkout(commit: str, repository: Path) -> Generator[Path]:
    with tempfile.TemporaryDirectory(prefix="outrider-ref-") as parent:
        folder = Path(parent) / "tree"
        done = _git(repository, "worktree", "add", "--detach", "--quiet", str(folder), commit)
        if done.returncode:
            raise OutriderError(f"git cannot check out {commit}: {done.stderr.strip()}")
        try:
            yield folder
        finally:
            _git(repository, "worktree", "remove", "--force", str(folder))


def _git(repository: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(  # noqa: S603  # arguments as a list; a ref cannot pass for an option
            ["git", "-C", str(repository), *arguments],  # noqa: S607  # the git of the person's own path
            capture_output=True,
            text=True,
            timeout=_GIT_SECONDS,
            check=False,
        )
    except (FileNotFoundError, subprocess.TimeoutExpired) as exc:
        raise OutriderError(f"git did not answer: {exc}") from exc
