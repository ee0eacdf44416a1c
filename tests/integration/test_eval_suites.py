"""The shipped suites against the real system: all pass but the known gaps, and every run is alike."""

from collections.abc import Sequence
from dataclasses import replace
from functools import cache

import pytest
import structlog

from evals.cases.loading import dataset_files, load_suites
from evals.cases.model import Case, Family
from evals.trials import Plan, run_trials
from tests.evals_running import no_progress, shipped

EVERY = 8
"""Of each family one case in so many is tried by default."""


@cache
def cases() -> tuple[Case, ...]:
    return tuple(case for suite in load_suites(dataset_files()).values() for case in suite)


def some_of_each_family() -> list[Case]:
    families = {family: [case for case in cases() if case.family is family] for family in Family}
    return [case for members in families.values() for case in members[::EVERY]]


def failures(tried: Sequence[Case], *, jobs: int = 1) -> dict[str, tuple[str, ...]]:
    """Return what failed and should not have, and the gaps that have closed."""
    done = run_trials(Plan(cases=tried, deciding=shipped(), jobs=jobs), progress=no_progress)
    return {
        one.result.case: one.result.score.reasons or ("passes now: remove `known_gap`",)
        for case, one in zip(tried, done, strict=True)
        if one.result.passed == bool(case.known_gap)
    }


def test_some_cases_of_each_family_pass() -> None:
    assert failures(some_of_each_family()) == {}


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_every_case_passes_but_the_known_gaps() -> None:
    assert failures(cases(), jobs=2) == {}


def test_trials_leave_the_logs_of_who_runs_them_alone() -> None:
    before = structlog.get_config()

    run_trials(Plan(cases=cases()[:1], deciding=shipped(), jobs=1), progress=no_progress)

    assert structlog.get_config() == before


def test_repeats_and_processes_change_nothing() -> None:
    some = cases()[:: len(cases()) // 5]

    plan = Plan(cases=some, deciding=shipped(), repeats=2, seed=7)
    here, there = (run_trials(replace(plan, jobs=jobs), progress=no_progress) for jobs in (1, 2))

    endings = [(one.result.case, one.result.repeat, one.result.end_state) for one in here]
    assert endings == [(one.result.case, one.result.repeat, one.result.end_state) for one in there]
    assert len({(case, ending) for case, _, ending in endings}) == len(some)
    assert [(case, repeat) for case, repeat, _ in endings] == [
        (case.id, repeat) for case in some for repeat in (0, 1)
    ]
