"""Where the other side comes from: files, changes, and other commits in a real git repository."""

import subprocess
from datetime import timedelta
from pathlib import Path

import pytest

from agent.errors import OutriderError
from evals.compare.baseline import baseline_path
from evals.compare.git_ref import RefRun
from evals.compare.sides import Change, Circumstances, other_side
from evals.results import Run, dump, write_run
from tests.unit.evals_stats.runs import result, run
from tools.errors import InputError

STORED = run(result("a"), name="stored")

PROGRAM = """
import pathlib, sys
arguments = sys.argv[1:]
out = pathlib.Path(arguments[arguments.index("--out") + 1])
assert arguments[0] == "eval", arguments
out.write_text(pathlib.Path(__file__).with_name("run.json").read_text("utf-8"), "utf-8")
sys.exit(1)
"""


class Recorded:
    """A rerun that remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[Change, str]] = []

    def __call__(self, change: Change, *, name: str) -> Run:
        self.asked.append((change, name))
        return run(result("a"), name=name)


def git(folder: Path, *arguments: str) -> str:
    """Run git with an author of its own."""
    names = ("-c", "user.name=Ann", "-c", "user.email=ann@example.com", "-c", "commit.gpgsign=false")
    done = subprocess.run(["git", *names, *arguments], cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout.strip()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """Return a repository whose tag `old` answers with a run and whose tag `broken` cannot run."""
    folder = tmp_path / "repository"
    (folder / "agent").mkdir(parents=True)
    git(folder, "init", "--quiet")
    (folder / "agent" / "__init__.py").write_text("", "utf-8")
    for tag, program in (("old", PROGRAM), ("broken", "import sys; sys.exit('No such command: eval')")):
        (folder / "agent" / "__main__.py").write_text(program, "utf-8")
        (folder / "agent" / "run.json").write_text(dump(STORED), "utf-8")
        git(folder, "add", "--all")
        git(folder, "commit", "--quiet", "--message", tag)
        git(folder, "tag", tag)
    (folder / "agent" / "__main__.py").write_text("raise SystemExit('the working tree was run')", "utf-8")
    return folder


def at(repository: Path, rerun: Recorded | None = None, *, seconds: int = 60) -> Circumstances:
    """Return circumstances over a repository; baselines lie in it too."""
    ref = RefRun(repository=repository, arguments=["eval", "families"], most_time=timedelta(seconds=seconds))
    return Circumstances(
        suites=("families",), rerun=rerun or Recorded(), ref=ref, baselines=repository / "baselines"
    )


def test_another_commit_is_run_by_its_own_code_and_leaves_nothing_behind(repository: Path) -> None:
    before = git(repository, "status", "--porcelain")

    found = other_side("old", at(repository))

    assert found.results == STORED.results
    assert (found.name, found.code) == ("old", git(repository, "rev-parse", "old"))
    assert git(repository, "worktree", "list", "--porcelain").count("worktree ") == 1
    assert git(repository, "status", "--porcelain") == before


def test_a_commit_that_cannot_run_says_why_and_leaves_nothing_behind(repository: Path) -> None:
    with pytest.raises(OutriderError, match="broken cannot run these suites: No such command: eval"):
        other_side("broken", at(repository))

    assert git(repository, "worktree", "list", "--porcelain").count("worktree ") == 1


def test_a_commit_that_takes_too_long_is_given_up(repository: Path) -> None:
    with pytest.raises(OutriderError, match="did not finish"):
        other_side("old", at(repository, seconds=0))

    assert git(repository, "worktree", "list", "--porcelain").count("worktree ") == 1


@pytest.mark.parametrize("against", ["no-such-branch", "--help", "old..broken"])
def test_what_is_no_side_is_bad_input(repository: Path, against: str) -> None:
    with pytest.raises(InputError, match="no commit"):
        other_side(against, at(repository))


def test_a_file_of_results_is_read(repository: Path, tmp_path: Path) -> None:
    write_run(STORED, tmp_path / "run.json")

    assert other_side(str(tmp_path / "run.json"), at(repository)) == STORED


def test_the_baseline_is_that_of_the_suites(repository: Path) -> None:
    write_run(STORED, baseline_path(("families",), repository / "baselines"))

    assert other_side("baseline", at(repository)) == STORED
    assert baseline_path(("b", "a")) == baseline_path(("a", "b"))


def test_without_a_baseline_its_place_is_named(repository: Path) -> None:
    with pytest.raises(InputError, match="no baseline of families"):
        other_side("baseline", at(repository))


def test_one_thing_is_changed_and_the_rest_is_run_again(repository: Path, tmp_path: Path) -> None:
    rerun = Recorded()

    for against in ("model=small", "prompt=assess@v2", f"policy={tmp_path}"):
        assert other_side(against, at(repository, rerun)).name == against

    assert [change for change, _ in rerun.asked] == [
        Change(model="small"),
        Change(prompt="assess@v2"),
        Change(policies=tmp_path),
    ]


@pytest.mark.parametrize("against", ["policy=/no/such/folder", "model=", "prompt="])
def test_a_change_to_nothing_is_bad_input(repository: Path, against: str) -> None:
    with pytest.raises(InputError, match=r"no such folder|nothing after"):
        other_side(against, at(repository))
