"""Results are stored exactly and refused when they contradict themselves."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from evals.results import Decided, dump, read_run, write_run
from tests.unit.evals_stats.runs import GOOD, failed, result, run, transcript
from tools.errors import InputError


def test_a_run_comes_back_as_it_was_stored(tmp_path: Path) -> None:
    told = transcript("Ärger mit dem Paket 📦")
    stored = run(
        result("a", transcript=told.reference, probability_ppm=180_000, outcome=True, critical=("opt-out",)),
        failed("b", rules_only=Decided.NONE),
        transcripts={told.reference: told},
    )

    write_run(stored, tmp_path / "results" / "run.json")

    assert read_run(tmp_path / "results" / "run.json") == stored
    assert dump(read_run(tmp_path / "results" / "run.json")) == dump(stored)


@pytest.mark.parametrize("part", ["end_state", "no_forbidden_effect", "facts", "grounded"])
def test_a_score_is_the_product_of_its_parts(part: str) -> None:
    assert GOOD.passed
    assert not GOOD.model_copy(update={part: False}).passed


def test_a_broken_invariant_fails_a_case_whatever_its_score() -> None:
    assert result(critical=("opt-out",)).passed
    assert not result(critical=("opt-out",), broken=("opt-out",)).passed


def test_an_invariant_that_was_not_tried_cannot_break() -> None:
    with pytest.raises(ValidationError, match="does not try"):
        result(broken=("opt-out",))


def test_a_repeat_stands_in_a_run_once() -> None:
    with pytest.raises(ValidationError, match="twice"):
        run(result("a"), result("a"))


def test_a_transcript_that_is_named_is_there() -> None:
    with pytest.raises(ValidationError, match="missing"):
        run(result("a", transcript="f" * 64))


def test_repeats_and_families_are_grouped() -> None:
    made = run(
        result("b", repeat=1, family="money"),
        result("a", family="identity"),
        result("b", repeat=0, family="money"),
    )

    assert {case: [one.repeat for one in repeats] for case, repeats in made.cases.items()} == {
        "b": [0, 1],
        "a": [0],
    }
    assert list(made.families) == ["identity", "money"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        pytest.param("{", "no results of version 1", id="no JSON"),
        pytest.param(dump(run(result())).replace('"version":1', '"version":2'), "version", id="newer"),
        pytest.param(dump(run(result())).replace('"seed":', '"sed":'), "sed", id="misspelt"),
    ],
)
def test_what_is_no_run_is_refused_by_name(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "run.json").write_text(text, "utf-8")

    with pytest.raises(InputError, match=words):
        read_run(tmp_path / "run.json")


def test_a_missing_file_is_bad_input(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        read_run(tmp_path / "none.json")
