"""Running eval cases in tests: one case by its text, or many, with other playbooks, limits or texts."""

from functools import cache
from pathlib import Path

from evals.cases.loading import load_suite
from evals.cases.model import Case
from evals.run_case import Judged
from evals.trials import Plan, run_trials
from evals.world.deciding import Deciding


@cache
def shipped() -> Deciding:
    """Return what comes with the product."""
    return Deciding()


def no_progress(_done: int, _in_all: int) -> None:
    """Show nothing."""


def case_of(tmp_path: Path, text: str) -> Case:
    """Return the case that a text describes; id, family, title and twin are made up."""
    lines = [f"    {line}" for line in text.strip("\n").splitlines()]
    head = ["cases:", "  - id: one", "    family: correct_silence", "    title: One.", "    twin: two"]
    file = tmp_path / "one.yaml"
    file.write_text("\n".join([*head, *lines]) + "\n", "utf-8")
    (case,) = load_suite(file)
    return case


def judge(*cases: Case, deciding: Deciding | None = None) -> list[Judged]:
    """Run cases once in this process."""
    return run_trials(Plan(cases=cases, deciding=deciding or shipped()), progress=no_progress)
