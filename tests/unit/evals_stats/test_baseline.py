"""Baselines: what is kept of a run, that it reads in a review, and that the shipped one fits its cases."""

from pathlib import Path

import pytest

from evals.cases.loading import dataset_files, load_suites
from evals.compare.baseline import (
    BASELINES,
    baseline_path,
    baseline_text,
    read_baseline,
    write_baseline,
)
from evals.compare.verdict import compare
from evals.gate import Against, Gates, Standing, judge
from evals.results import Decided, Run, Transcript
from tests.unit.evals_stats.runs import result, run
from tools.errors import InputError

STORY = Transcript(situation="a long story")


def told() -> Run:
    """Return a run with stories and times."""
    one = result("a", transcript=STORY.reference, milliseconds=70)
    other = result("b", milliseconds=90, model_milliseconds=20)
    return run(one, other, transcripts={STORY.reference: STORY})


def test_what_is_stored_is_the_run_without_stories_and_times(tmp_path: Path) -> None:
    path = write_baseline(told(), tmp_path / "baselines")

    stored = read_baseline(told().suites, tmp_path / "baselines")

    assert path == baseline_path(told().suites, tmp_path / "baselines")
    assert stored.name == "baseline"
    assert stored.transcripts == {}
    assert [one.milliseconds + one.model_milliseconds for one in stored.results] == [0, 0]
    assert [(one.case, one.decided, one.score) for one in stored.results] == [
        (one.case, one.decided, one.score) for one in told().results
    ]
    assert baseline_text(stored) == path.read_text("utf-8")


def test_a_changed_decision_is_one_changed_line() -> None:
    first, second = told().results
    other = told().model_copy(
        update={"results": (first, second.model_copy(update={"decided": Decided.DEFER}))}
    )

    lines = list(zip(baseline_text(told()).splitlines(), baseline_text(other).splitlines(), strict=True))

    assert [line for line, changed in lines if line != changed] == [
        line for line, _ in lines if '"case":"b"' in line
    ]


def test_times_are_not_judged_against_a_side_without_them() -> None:
    stored = Run.model_validate_json(baseline_text(told()))
    gates = Gates(against=Against(latency_percent=50))

    (kept,) = judge(gates, told(), compare(told(), stored, k=1))
    (real,) = judge(gates, told(), compare(told(), told(), k=1))

    assert (kept.standing, real.standing) == (Standing.NOT_JUDGED, Standing.HELD)


def test_without_one_the_remedy_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="save-baseline"):
        read_baseline(("nothing",), tmp_path)


def test_a_folder_that_cannot_be_written_is_bad_input(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", "utf-8")

    with pytest.raises(InputError, match="cannot be written"):
        write_baseline(told(), tmp_path / "file")


def test_the_shipped_baseline_is_of_cases_that_exist_and_passes() -> None:
    known = {case.id for cases in load_suites(dataset_files()).values() for case in cases}

    (path,) = sorted(BASELINES.iterdir())
    stored = read_baseline(("hand_made",))

    assert path.name == "hand_made.json"
    assert path.read_text("utf-8") == baseline_text(stored)
    assert {one.case for one in stored.results} <= known, "renew it with --save-baseline"
    assert all(one.passed for one in stored.results)
