"""A run of the same cases by the code, prompts and policies of another commit."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final

from agent.errors import OutriderError
from evals.results import Run, read_run
from tools.errors import InputError

_GIT_SECONDS: Final = 120
_PROGRAM: Final = """
import ctypes, runpy, signal, sys
if sys.platform == "linux":
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)
runpy.run_module("agent", run_name="__main__", alter_sys=True)
"""
"""`python -m agent` that ends with the process that began it: nobody would know what it goes on to spend."""
_LOOK: Final = 1.0  # seconds between two looks at how far it is
_SHOWN: Final = 5
"""Last lines of a failed run that are shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RefRun:
    """How to run suites in a checkout."""

    repository: Path
    """Any folder of it."""
    arguments: Sequence[str]
    """Of `outrider`, from `eval` on, with the datasets of the working tree; `--out FILE` is added."""
    arguments_at: Callable[[str], Sequence[str]] = lambda _commit: ()
    """Further arguments, which depend on the commit."""
    watch: Callable[[str], None] = lambda _commit: None
    """Called with the commit about once a second while it runs."""
    most_time: timedelta | None = timedelta(minutes=30)
    """None for no bound."""


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
        arguments = [*how.arguments, *how.arguments_at(commit), "--out", str(out)]
        said = _run(ref, arguments, folder, how.most_time, lambda: how.watch(commit))
        if not out.is_file():
            raise OutriderError(f"{ref} cannot run these suites: {said or 'it wrote no results'}")
        return read_run(out).model_copy(update={"name": ref, "code": commit})


def _run(
    ref: str,
    arguments: Sequence[str],
    folder: Path,
    most_time: timedelta | None,
    watch: Callable[[], None],
) -> str:
    """Run `outrider` in the folder and return the last lines it said."""
    # -P and the path keep the code of the working tree out, wherever this interpreter finds it
    environment = os.environ | {"PYTHONPATH": str(folder)}
    left = None if most_time is None else most_time.total_seconds()
    with subprocess.Popen(  # noqa: S603  # our own interpreter, arguments as a list
        [sys.executable, "-P", "-c", _PROGRAM, *arguments],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            while True:
                try:
                    _, said = process.communicate(timeout=_LOOK if left is None else min(_LOOK, left))
                except subprocess.TimeoutExpired as exc:
                    left = None if left is None else left - _LOOK
                    if left is not None and left <= 0:
                        raise OutriderError(f"{ref} did not finish in {most_time}") from exc
                    watch()
                else:
                    return " / ".join(said.strip().splitlines()[-_SHOWN:])
        except BaseException:
            process.kill()
            raise


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
